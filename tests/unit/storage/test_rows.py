"""A call as a row and back; times as columns."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import make_url

from cti.model.calls import Call, CallState, EndedBy, EndReason, Join, Outcome
from cti.storage.call_rows import CALL_FIELDS, agent_legs, call_of, call_values, customer_leg
from cti.storage.column_types import UtcTime
from cti.storage.tables import calls
from tests.builders import NOW, a_call, later


def a_talk() -> Call:
    joins = (Join(agent_id=1, channel_id="leg", joined_at=later(1), left_at=later(2)),)
    facts = {"state": CallState.ENDED, "outcome": Outcome.CONNECTED, "end_reason": EndReason.HUNG_UP}
    return a_call(**facts, ended_by=EndedBy.AGENT, joins=joins, ended_at=later(3))


def test_every_field_of_a_call_has_a_column() -> None:
    assert {field.name for field in fields(Call)} - {"joins"} <= set(calls.c.keys())


def test_a_call_comes_back_as_it_went() -> None:
    call = a_talk()
    values = call_values(call)

    assert call_of([values[name] for name in CALL_FIELDS], call.joins) == call


def test_words_are_stored_plainly() -> None:
    values = call_values(a_talk())
    assert [type(values[name]) for name in ("state", "outcome", "end_reason", "ended_by")] == [str] * 4


def test_a_row_says_whether_the_call_is_open_and_turns_its_number_round() -> None:
    assert call_values(a_talk())["is_open"] is False
    values = call_values(a_call(number="+49123"))
    assert (values["is_open"], values["reversed_number"]) == (True, "32194+")


def test_the_customer_s_leg_is_the_first_and_the_stays_follow() -> None:
    call = a_talk()
    legs = [customer_leg(call), *agent_legs(replace(call, joins=call.joins * 2))]

    assert [leg["position"] for leg in legs] == [0, 1, 2]
    assert (legs[0]["channel_id"], legs[0]["began_at"], legs[0]["ended_at"]) == (
        call.channel_id,
        NOW,
        later(3),
    )


SQLITE = make_url("sqlite://").get_dialect()()
POSTGRES = make_url("postgresql+asyncpg://").get_dialect()()
MOMENTS = [
    datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
    datetime(2026, 1, 2, 11, 4, 5, 7, tzinfo=timezone(timedelta(hours=8))),
]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_moment_keeps_its_microseconds_and_comes_back_in_utc(moment: datetime) -> None:
    for dialect in (SQLITE, POSTGRES):
        stored = UtcTime().process_bind_param(moment, dialect)
        back = UtcTime().process_result_value(stored, dialect)
        assert back == moment
        assert back is not None
        assert back.tzinfo is UTC


def test_text_of_moments_sorts_as_the_moments_do() -> None:
    stored = [UtcTime().process_bind_param(moment, SQLITE) for moment in MOMENTS]
    assert stored == sorted(stored)
    assert {len(text) for text in stored} == {32}


def test_a_time_without_a_zone_is_a_bug() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        UtcTime().process_bind_param(datetime(2026, 1, 2), SQLITE)  # noqa: DTZ001
