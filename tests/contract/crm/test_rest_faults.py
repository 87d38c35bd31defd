"""The generic adapter against a server that misbehaves in every way: how each is understood, and never a double."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from crm_sync.account import Account
from crm_sync.port import CrmError, Idempotency, PushResult
from crm_sync.rest.adapter import open_rest
from cti.clock import SystemClock
from cti.errors import SettingsError
from cti.model.crm import Answer, RecordRef
from tests.contract.crm.houses import a_log
from tests.contract.crm.rest_server import (
    KEY,
    Fault,
    RestHouse,
    breaks_off,
    hangs,
    never_ends,
    rest_house,
    says,
    tables,
    trickles,
)
from tests.waiting import until


@pytest.fixture
async def house() -> AsyncIterator[RestHouse]:
    """The case without any key: only looking prevents doubles."""
    async with rest_house(Idempotency.MARKER) as opened:
        yield opened


async def pushed(house: RestHouse, write: Any, fault: Fault | None = None) -> PushResult:
    """Push; by the one who does not wait for long, when the fault is to let wait."""
    if fault not in (hangs, trickles):
        (result,) = await house.crm.push([write])
    while fault in (hangs, trickles) and fault in (*house.server.before, *house.server.after):
        # On a busy machine he may give up before he was heard at all.
        (result,) = await house.hasty.push([write])
    return result


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        pytest.param(says(400), Answer.PERMANENT, id="bad request"),
        pytest.param(says(401), Answer.AUTH, id="key refused"),
        pytest.param(says(403), Answer.PERMANENT, id="forbidden"),
        pytest.param(says(404), Answer.PERMANENT, id="no such address"),
        pytest.param(says(409), Answer.RETRY, id="conflict"),
        pytest.param(says(422), Answer.PERMANENT, id="refused"),
        pytest.param(says(429), Answer.THROTTLE, id="too many"),
        pytest.param(says(500), Answer.UNKNOWN, id="its own fault"),
        pytest.param(says(501), Answer.PERMANENT, id="not implemented"),
        pytest.param(says(502), Answer.UNKNOWN, id="bad gateway"),
        pytest.param(says(503), Answer.UNKNOWN, id="down, or a gateway lost the answer"),
        pytest.param(says(503, headers={"Retry-After": "9"}), Answer.THROTTLE, id="down for a while"),
        pytest.param(says(303, headers={"Location": "/calls/7"}), Answer.UNKNOWN, id="taken as a form"),
        pytest.param(says(504), Answer.UNKNOWN, id="gateway waited too long"),
        pytest.param(says(302, headers={"Location": "/login"}), Answer.AWAY, id="sends on"),
        pytest.param(says(200, "<html>welcome</html>"), Answer.UNKNOWN, id="no JSON"),
        pytest.param(says(200, '{"record": {}}'), Answer.UNKNOWN, id="no id"),
        pytest.param(says(201, '{"record": {"id": {"a": 1}}}'), Answer.UNKNOWN, id="an id that is none"),
        pytest.param(says(200, "[" * 100_000), Answer.UNKNOWN, id="JSON without end"),
        pytest.param(breaks_off, Answer.UNKNOWN, id="breaks off"),
        pytest.param(hangs, Answer.UNKNOWN, id="says nothing"),
        pytest.param(trickles, Answer.UNKNOWN, id="trickles"),
        pytest.param(never_ends, Answer.UNKNOWN, id="never ends"),
    ],
)
async def test_each_fault_is_understood_and_the_repeat_makes_one(
    house: RestHouse, fault: Fault, answer: Answer
) -> None:
    write = house.write(a_log())
    house.server.before.append(fault)

    result = await pushed(house, write, fault)
    again = await pushed(house, replace(write, unsure=answer is Answer.UNKNOWN))

    assert result.answer is answer, result.message
    assert result.message
    assert again.answer is Answer.OK, again.message
    assert len(await house.standing(write.log.call_id)) == 1


@pytest.mark.parametrize("fault", [breaks_off, hangs, says(500), says(503), says(200, "<html/>")])
async def test_an_answer_lost_after_the_work_was_done_makes_no_double(house: RestHouse, fault: Fault) -> None:
    write = house.write(a_log())
    house.server.after.append(fault)

    lost = await pushed(house, write, fault)
    await until(lambda: len(house.server.rows) == 1)  # who does not wait for long may be gone before it is
    again = await pushed(house, replace(write, unsure=True))

    assert lost.answer is Answer.UNKNOWN
    assert (again.answer, again.more_requests) == (Answer.OK, 1)
    assert len(house.server.rows) == 1


@pytest.mark.parametrize("fault", [says(500), says(404), says(200, "[]"), hangs, breaks_off])
async def test_when_the_look_fails_nothing_is_written_unseen(house: RestHouse, fault: Fault) -> None:
    write = house.write(a_log(), unsure=True)
    house.server.before += [fault, fault]  # a GET over a connection that was cut is sent again by the library

    result = await pushed(house, write, fault)

    assert result.answer is Answer.RETRY, result
    assert "while looking for the call" in result.message
    assert house.server.rows == {}


async def test_a_loose_search_does_not_take_another_call_for_ours(house: RestHouse) -> None:
    mine = house.write(a_log())
    near = mine.log.call_id[:8] + "0" * 24
    house.server.rows["99"] = {"mark": near, "home": "1", "started": "x"}

    result = await pushed(house, replace(mine, unsure=True))

    assert result.answer is Answer.OK
    assert result.remote is not None
    assert result.remote.id != "99"
    assert house.server.rows["99"]["mark"] == near


async def test_of_doubles_one_is_chosen_and_always_the_same(house: RestHouse) -> None:
    write = house.write(a_log(), unsure=True)
    for row_id in ("10", "9"):
        house.server.rows[row_id] = {"mark": write.log.call_id, "home": "7", "started": "x"}

    assert (await pushed(house, write)).remote == RecordRef("call", "9")


async def test_the_key_is_in_no_message(house: RestHouse) -> None:
    house.server.before.append(says(400, f"bad key {KEY}\n\x1b[31m" + "y" * 5000))

    message = (await pushed(house, house.write(a_log()))).message

    assert KEY not in message
    assert len(message) < 400
    assert message.isprintable()


async def test_a_pause_is_taken_from_either_form_of_retry_after(house: RestHouse) -> None:
    for value, least, most in (
        ("17", 17, 17),
        ("Wed, 01 Jan 2200 00:00:00 GMT", 86400, 86400),
        ("soon", None, None),
    ):
        house.server.before.append(says(503, headers={"Retry-After": value}))
        result = await pushed(house, house.write(a_log()))
        if least is None:
            assert (result.answer, result.pause_seconds) == (Answer.AWAY, None)
        else:
            assert result.answer is Answer.THROTTLE
            assert result.pause_seconds is not None
            assert least <= result.pause_seconds <= most


async def test_rules_of_the_file_say_what_a_status_hides() -> None:
    answers = [
        {"status": [403], "body": "REQUEST_LIMIT", "means": "throttle"},
        {"status": [200], "body": '"ok": ?false', "means": "permanent"},
    ]
    async with rest_house(Idempotency.MARKER, answers=answers) as house:
        house.server.before += [
            says(403, "REQUEST_LIMIT_EXCEEDED"),
            says(403, "no"),
            says(200, '{"ok": false}'),
        ]
        results = [await pushed(house, house.write(a_log())) for _ in range(3)]

    assert [one.answer for one in results] == [Answer.THROTTLE, Answer.PERMANENT, Answer.PERMANENT]


async def test_an_own_id_that_is_there_counts_as_written_and_is_brought_up_to_date() -> None:
    async with rest_house(Idempotency.OWN_ID) as house:
        write = house.write(a_log())
        await pushed(house, write)
        result = await pushed(house, house.write(replace(write.log, note="second")))
        (row,) = await house.standing(write.log.call_id)

    assert (result.answer, row["note"]) == (Answer.OK, "second")


async def test_a_token_is_had_for_the_key_kept_and_had_anew_when_it_runs_out() -> None:
    more = {
        "headers": {"Authorization": "Bearer {token}"},
        "token": {"path": "/token", "form": {"client_secret": "{secret}"}},
    }
    async with rest_house(Idempotency.MARKER, **more) as house:
        for _ in range(3):
            assert (await pushed(house, house.write(a_log()))).answer is Answer.OK
        assert house.server.token == "token-1"
        house.server.token = "gone"
        assert (await pushed(house, house.write(a_log()))).answer is Answer.OK
        assert house.server.token == "token-2"


async def test_a_key_that_gets_no_token_stops_the_target() -> None:
    more = {
        "headers": {"Authorization": "Bearer {token}"},
        "token": {"path": "/token", "form": {"client_secret": "not {secret}"}},
    }
    async with rest_house(Idempotency.MARKER, **more) as house:
        assert (await pushed(house, house.write(a_log()))).answer is Answer.AUTH


async def test_nobody_there_is_away_and_nothing_was_sent() -> None:
    account = Account("rest", "http://127.0.0.1:9", SecretStr("x"), "rest.toml")
    async with open_rest(account, tables(Idempotency.MARKER), clock=SystemClock()) as crm:
        with pytest.raises(CrmError) as told:
            await crm.check()
    assert told.value.answer is Answer.AWAY


async def test_what_stands_in_a_call_never_becomes_a_path(house: RestHouse) -> None:
    write = house.write(a_log(), remote=RecordRef("call", "../me?x=1#"))

    result = await pushed(house, write)

    assert result.answer is Answer.DELETED
    assert house.server.asked[-1] == ("PATCH", "/api/calls/..%2Fme%3Fx=1%23")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"find": None}, "rest.toml: rest.find: missing"),
        ({"idempotency": "own_id"}, "rest.toml: rest.own_id: missing"),
        ({"idempotency": "luck"}, "rest.toml: rest: idempotency: Input should be"),
        ({"headers": {"A": "{contact}"}}, "rest.toml: rest: there is no value 'contact'"),
        ({"own_id": "{secret}"}, "rest.toml: rest: there is no value 'secret'"),
        ({"answers": [{"body": "(", "means": "retry"}]}, "rest.answers: '(' is no regular expression"),
        ({"answers": [{"means": "maybe"}]}, "rest.toml: rest: answers[0].means"),
        ({"creat": {}}, "rest.toml: rest: creat: there is no such key"),
    ],
)
async def test_a_table_that_is_wrong_is_told_with_its_key(change: dict[str, Any], told: str) -> None:
    account = Account("rest", "http://127.0.0.1:9", SecretStr("x"), "rest.toml")
    with pytest.raises(SettingsError) as refused:
        async with open_rest(account, tables(Idempotency.MARKER) | change, clock=SystemClock()):
            pass
    assert told in str(refused.value)


async def test_what_was_never_there_is_not_taken_for_deleted() -> None:
    async with rest_house(Idempotency.MARKER, answers=[{"status": [422], "means": "deleted"}]) as house:
        write = house.write(a_log())
        result = await pushed(house, replace(write, fields={**write.fields, "no_such_field_x": 1}))

    assert result.answer is Answer.PERMANENT
