"""What Odoo's answers mean: the name of the exception decides, not the status."""

import json
from typing import Any

import pytest

from crm_sync.odoo.answers import (
    OdooError,
    answer_of_exception,
    answer_of_row,
    answer_without_exception,
    exception_of,
    rpc_exception_of,
)
from crm_sync.requests import Reply
from cti.model.crm import Answer


def reply(status: int, tree: Any = None) -> Reply:
    return Reply(status=status, headers={}, body=json.dumps(tree), json=tree)


@pytest.mark.parametrize(
    ("name", "message", "expected"),
    [
        ("werkzeug.exceptions.Unauthorized", "Invalid apikey", Answer.AUTH),
        ("odoo.exceptions.AccessDenied", "Access Denied", Answer.AUTH),
        ("odoo.exceptions.AccessError", "You are not allowed", Answer.PERMANENT),
        ("odoo.exceptions.MissingError", "Record does not exist", Answer.DELETED),
        ("odoo.exceptions.ValidationError", "wrong", Answer.PERMANENT),
        ("builtins.ValueError", "Invalid field name 'x'", Answer.PERMANENT),
        ("werkzeug.exceptions.UnprocessableEntity", "missing argument", Answer.PERMANENT),
        ("psycopg2.errors.SerializationFailure", "could not serialize", Answer.RETRY),
        ("psycopg2.errors.UniqueViolation", "duplicate key", Answer.RETRY),
        ("psycopg2.OperationalError", "Connection refused", Answer.AWAY),
        ("psycopg2.OperationalError", 'FATAL:  database "x" does not exist', Answer.AUTH),
        ("builtins.AttributeError", "in a module of theirs", Answer.RETRY),
    ],
)
def test_an_exception_means(name: str, message: str, expected: Answer) -> None:
    assert answer_of_exception(name, message) is expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, Answer.AUTH),
        (403, Answer.AUTH),
        (404, Answer.AWAY),
        (429, Answer.THROTTLE),
        (500, Answer.UNKNOWN),
        (502, Answer.AWAY),
        (503, Answer.AWAY),
        (504, Answer.UNKNOWN),
        (302, Answer.AWAY),
    ],
)
def test_an_error_that_is_not_of_odoo_means(status: int, expected: Answer) -> None:
    assert answer_without_exception(reply(status)) is expected


@pytest.mark.parametrize(
    ("message", "field", "expected"),
    [
        ("could not serialize access due to concurrent update", "", Answer.RETRY),
        ("Value 'Sideways' not found in selection field 'Direction'", "direction", Answer.PERMANENT),
        ("Unknown database identifier '9'", ".id", Answer.DELETED),
        ("identifiant inconnu", ".id", Answer.DELETED),
    ],
)
def test_a_message_about_a_row_means(message: str, field: str, expected: Answer) -> None:
    assert answer_of_row(message, field) is expected


def test_exceptions_are_found_in_both_kinds_of_answers() -> None:
    assert exception_of({"name": "builtins.ValueError", "message": "no"}) == ("builtins.ValueError", "no")
    assert exception_of([1]) == ("", "")
    inner = {"name": "odoo.exceptions.UserError", "message": "Object x doesn't exist"}
    assert rpc_exception_of({"error": {"message": "Odoo Server Error", "data": inner}}) == (
        "odoo.exceptions.UserError",
        "Object x doesn't exist",
    )
    assert rpc_exception_of({"error": {"message": "bad"}}) == ("unknown", "bad")
    assert rpc_exception_of({"result": 1}) == ("", "")


def test_a_model_that_is_missing_is_told_in_both_ways() -> None:
    gone = OdooError(Answer.PERMANENT, "the model does not exist", name="werkzeug.exceptions.NotFound")
    old = OdooError(Answer.PERMANENT, "Object x.y doesn't exist", name="odoo.exceptions.UserError")
    other = OdooError(Answer.PERMANENT, "no", name="odoo.exceptions.AccessError")

    assert (gone.is_missing_model, old.is_missing_model, other.is_missing_model) == (True, True, False)
