"""The generic adapter where something else answers than the CRM, where a value is no part of a path, and its tokens."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from crm_sync.port import CrmError, Idempotency, PushResult
from cti.model.crm import Answer, RecordRef
from tests.contract.crm.houses import a_log
from tests.contract.crm.rest_server import RestHouse, rest_house, says

PAGE = "<!doctype html><title>Sign in</title>"


@pytest.fixture
async def house() -> AsyncIterator[RestHouse]:
    async with rest_house(Idempotency.MARKER) as opened:
        yield opened


async def pushed(house: RestHouse, write: Any) -> PushResult:
    (result,) = await house.crm.push([write])
    return result


async def test_a_page_for_people_is_no_answer_to_an_update(house: RestHouse) -> None:
    """A sign-in page or a notice of a gateway comes with 200, too."""
    write = house.write(a_log())
    remote = (await pushed(house, write)).remote
    house.server.before.append(says(200, PAGE))

    result = await pushed(house, house.write(replace(write.log, note="later"), remote=remote))

    assert result.answer is Answer.UNKNOWN, result
    assert "no JSON" in result.message


async def test_a_page_for_people_is_no_proof_that_our_own_id_was_taken() -> None:
    async with rest_house(Idempotency.OWN_ID) as house:
        house.server.before.append(says(200, PAGE))
        result = await pushed(house, house.write(a_log()))
        assert (result.answer, house.server.rows) == (Answer.UNKNOWN, {})


async def test_a_page_for_people_lets_no_check_pass(house: RestHouse) -> None:
    house.server.before.append(says(200, PAGE))
    with pytest.raises(CrmError, match="no JSON"):
        await house.crm.check()


async def test_words_that_the_file_takes_for_success_need_be_no_json() -> None:
    answers = [{"status": [200], "body": "^saved$", "means": "ok"}]
    async with rest_house(Idempotency.MARKER, answers=answers) as house:
        write = house.write(a_log())
        remote = (await pushed(house, write)).remote
        house.server.before.append(says(200, "saved"))
        assert (await pushed(house, replace(write, remote=remote))).answer is Answer.OK


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (PAGE, Answer.RETRY),
        ("\n<html><h1>404 Not Found</h1><hr>nginx</html>", Answer.RETRY),
        ("404 page not found\n", Answer.RETRY),
        ("default backend - 404", Answer.RETRY),
        ("", Answer.DELETED),
        ('{"error": "no such call"}', Answer.DELETED),
    ],
)
async def test_a_page_that_is_not_there_does_not_mean_that_the_call_was_deleted(
    house: RestHouse, said: str, answer: Answer
) -> None:
    """A web server answers so while the CRM behind it is being exchanged."""
    write = house.write(a_log())
    remote = (await pushed(house, write)).remote
    house.server.before.append(says(404, said))

    assert (await pushed(house, replace(write, remote=remote))).answer is answer


@pytest.mark.parametrize("home", [".", ".."])
async def test_dots_never_become_a_path(home: str) -> None:
    create = {"path": "/api/leads/{home}/calls", "wrap": "fields", "id": "record.id"}
    async with rest_house(Idempotency.MARKER, create=create) as house:
        result = await pushed(house, house.write(a_log(), home=RecordRef("lead", home)))
        assert (result.answer, house.server.asked) == (Answer.PERMANENT, [])
    assert "cannot stand in a path" in result.message


async def test_of_many_whose_token_ran_out_one_has_a_new_one() -> None:
    more = {
        "headers": {"Authorization": "Bearer {token}"},
        "token": {"path": "/token", "form": {"client_secret": "{secret}"}},
    }
    async with rest_house(Idempotency.MARKER, **more) as house:
        await asyncio.gather(*(pushed(house, house.write(a_log())) for _ in range(4)))
        assert house.server.token == "token-1"
        house.server.token = "gone"
        results = await asyncio.gather(*(pushed(house, house.write(a_log())) for _ in range(4)))

    assert {one.answer for one in results} == {Answer.OK}
    assert house.server.token == "token-2"
