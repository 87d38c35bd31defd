"""How Odoo's answers are judged. Pure.

Its statuses lie: a field that is not there is a 500, a batch that was refused a 200. What happened is the name of the
exception; when there is one, Odoo has rolled back, and nothing was written.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from crm_sync.port import CrmError
from crm_sync.requests import Reply, judged
from cti.model.crm import Answer

_BY_NAME: Final[Mapping[str, Answer]] = {
    "odoo.exceptions.AccessDenied": Answer.AUTH,
    "odoo.http.SessionExpiredException": Answer.AUTH,
    "werkzeug.exceptions.Unauthorized": Answer.AUTH,
    "odoo.exceptions.AccessError": Answer.PERMANENT,
    "odoo.exceptions.UserError": Answer.PERMANENT,
    "odoo.exceptions.ValidationError": Answer.PERMANENT,
    "odoo.exceptions.RedirectWarning": Answer.PERMANENT,
    "odoo.exceptions.MissingError": Answer.DELETED,
    "odoo.exceptions.LockError": Answer.RETRY,
    "odoo.exceptions.ConcurrencyError": Answer.RETRY,
    "werkzeug.exceptions.Forbidden": Answer.PERMANENT,
    "werkzeug.exceptions.NotFound": Answer.PERMANENT,
    "werkzeug.exceptions.BadRequest": Answer.PERMANENT,
    "werkzeug.exceptions.UnprocessableEntity": Answer.PERMANENT,
    "werkzeug.exceptions.TooManyRequests": Answer.THROTTLE,
    "werkzeug.exceptions.ServiceUnavailable": Answer.AWAY,
    "builtins.ValueError": Answer.PERMANENT,
    "builtins.TypeError": Answer.PERMANENT,
    "builtins.KeyError": Answer.PERMANENT,
    "psycopg2.errors.SerializationFailure": Answer.RETRY,
    "psycopg2.errors.DeadlockDetected": Answer.RETRY,
    "psycopg2.errors.LockNotAvailable": Answer.RETRY,
    "psycopg2.errors.UniqueViolation": Answer.RETRY,
    "psycopg2.errors.QueryCanceled": Answer.RETRY,
    "psycopg2.errors.AdminShutdown": Answer.AWAY,
    "psycopg2.OperationalError": Answer.AWAY,
    "psycopg2.InterfaceError": Answer.AWAY,
    "psycopg2.pool.PoolError": Answer.AWAY,
    "odoo.sql_db.PoolError": Answer.AWAY,
}
"""Of any other exception it is not known whether it passes: it is tried again, a limited number of times."""
_NO_DATABASE: Final = re.compile(r'database "[^"]*" does not exist')
_PASSES: Final = re.compile(
    r"could not serialize access|deadlock detected|could not obtain lock|duplicate key value|"
    r"server closed the connection|terminating connection|current transaction is aborted"
)
"""In what `load` says of a row: PostgreSQL's own words, which it writes in English whatever the user's language."""


class OdooError(CrmError):
    """Odoo refused; `name` is the exception's, "" when the answer has none."""

    def __init__(
        self, answer: Answer, message: str, *, name: str = "", pause_seconds: float | None = None
    ) -> None:
        super().__init__(answer, message, pause_seconds=pause_seconds)
        self.name = name

    @property
    def is_missing_model(self) -> bool:
        """Whether it says that there is no such model: the module is not installed."""
        return self.name == "werkzeug.exceptions.NotFound" or (
            self.name == "odoo.exceptions.UserError" and "doesn't exist" in str(self)
        )


def answer_of_exception(name: str, message: str) -> Answer:
    """Return what an exception of Odoo means."""
    if name == "psycopg2.OperationalError" and _NO_DATABASE.search(message):
        return Answer.AUTH  # it takes a person, and is no fault of any call
    return _BY_NAME.get(name, Answer.RETRY)


def answer_without_exception(reply: Reply) -> Answer:
    """Return what an error means that has no exception in it: it comes from a proxy, or from before the database.

    JSON-2 answers 404 in HTML both for a database that is not there and while PostgreSQL is away, so neither stops the
    target for good. A proxy that refuses with 403 takes a person.
    """
    match reply.status:
        case 403:
            return Answer.AUTH
        case 404 | 502:
            return Answer.AWAY  # every write has our key, so one that did arrive is found by its repeat
    return judged(reply.status)


def answer_of_row(message: str, field: str | None) -> Answer:
    """Return what `load` means by a message about one row."""
    if field == ".id":
        return Answer.DELETED
    return Answer.RETRY if _PASSES.search(message) else Answer.PERMANENT


def exception_of(tree: Any) -> tuple[str, str]:
    """Return name and message of the exception that an answer of JSON-2 holds; empty when it holds none."""
    if isinstance(tree, dict) and isinstance(tree.get("name"), str):
        return tree["name"], str(tree.get("message") or "")
    return "", ""


def rpc_exception_of(tree: Any) -> tuple[str, str]:
    """Return name and message of the exception that an answer of JSON-RPC holds; empty when it holds none."""
    error = tree.get("error") if isinstance(tree, dict) else None
    if not isinstance(error, dict):
        return "", ""
    inner = error.get("data")
    if not isinstance(inner, dict):
        return "unknown", str(error.get("message") or "")
    return str(inner.get("name") or "unknown"), str(inner.get("message") or error.get("message") or "")
