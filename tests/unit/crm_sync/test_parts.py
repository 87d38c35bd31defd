"""What adapters share: numbers, users, and batches that are halved."""

from collections.abc import Sequence

import pytest

from crm_sync.numbers import national, same, spellings
from crm_sync.port import CrmError
from crm_sync.reading_tables import truth
from crm_sync.results import halved
from crm_sync.users import KEEP_ABSENT_SECONDS, KEEP_SECONDS, Users
from cti.model.crm import Answer
from tests.fakes.clock import FakeClock


@pytest.mark.parametrize(
    ("e164", "written", "is_same"),
    [
        ("+4930901820", "+49 (30) 901820", True),
        ("+4930901820", "030 901820", True),
        ("+4930901820", "0049 30 901820", True),
        ("+4930901820", "+4930901821", False),
        ("+4930901820", "+8630901820", False),
        ("+8613800138000", "138 0013 8000", True),
        ("+8613800138000", "13800138000", True),
        ("+4930901820", "call me", False),
        ("", "030 901820", False),
    ],
)
def test_numbers_are_compared_as_numbers(e164: str, written: str, is_same: bool) -> None:
    assert same(e164, written) is is_same


def test_a_number_has_spellings_each_once_and_e164_first() -> None:
    made = spellings("+8613800138000")
    assert made[0] == "+8613800138000"
    assert {"13800138000", "8613800138000", "+86 138 0013 8000"} <= set(made)
    assert len(made) == len(set(made))
    assert spellings("anonymous") == ["anonymous"]
    assert national("+8613800138000") == "13800138000"
    assert national("12 ab 3") == "123"


@pytest.mark.parametrize(
    ("value", "means"),
    [
        (None, None),
        ("", None),
        (True, True),
        ("false", False),
        ("N", False),
        ("Y", True),
        (1, True),
        (0, False),
    ],
)
def test_yes_and_no_are_read_however_they_are_spelled(value: object, means: bool | None) -> None:
    assert truth(value) is means


async def test_users_are_remembered_and_those_who_are_absent_less_long() -> None:
    clock, asked = FakeClock(), []

    async def look(email: str) -> str | None:
        asked.append(email)
        return "7" if email == "anna@example.com" else None

    users = Users(look, where="crm", clock=clock)
    assert await users.of(None) is None
    assert await users.of("12") == "12"
    for _ in range(2):
        assert await users.of("Anna@example.com") == "7"
        assert await users.of("nobody@example.com") is None
    assert asked == ["anna@example.com", "nobody@example.com"]
    clock.advance(KEEP_ABSENT_SECONDS + 1)
    await users.of("anna@example.com")
    await users.of("nobody@example.com")
    assert asked.count("nobody@example.com") == 2
    assert asked.count("anna@example.com") == 1
    clock.advance(KEEP_SECONDS)
    await users.of("anna@example.com")
    assert asked.count("anna@example.com") == 2


async def test_of_a_hundred_the_bad_one_is_found_with_few_requests() -> None:
    requests = []

    async def send(some: Sequence[int]) -> Sequence[int]:
        requests.append(len(some))
        if 37 in some:
            raise CrmError(Answer.PERMANENT, "37 is bad")
        return [-one for one in some]

    answers = await halved(range(100), send)

    assert [n for n, one in enumerate(answers) if isinstance(one, CrmError)] == [37]
    assert answers[99] == -99
    assert len(requests) <= 15


@pytest.mark.parametrize("answer", [Answer.THROTTLE, Answer.AUTH, Answer.AWAY, Answer.UNKNOWN])
async def test_what_is_nobodys_fault_is_not_asked_again(answer: Answer) -> None:
    requests = []

    async def send(some: Sequence[int]) -> Sequence[int]:
        requests.append(len(some))
        raise CrmError(answer, "no")

    answers = await halved(range(8), send)

    assert requests == [8]
    assert all(isinstance(one, CrmError) and one.answer is answer for one in answers)


async def test_once_the_target_pauses_nothing_more_is_sent() -> None:
    requests = []

    async def send(some: Sequence[int]) -> Sequence[int]:
        requests.append(len(some))
        raise CrmError(Answer.PERMANENT if len(some) > 2 else Answer.THROTTLE, "no", pause_seconds=9.0)

    answers = await halved(range(8), send)

    assert requests == [8, 4, 2]
    assert [one.answer for one in answers if isinstance(one, CrmError)] == [Answer.THROTTLE] * 8
