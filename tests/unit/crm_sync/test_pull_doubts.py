"""A CRM that shows its records no more: nobody's list empties itself, and what can be read is read on."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from crm_sync.port import CrmError, PulledRecord
from cti.model.contacts import EntryState
from cti.model.crm import Answer, RecordRef
from cti.model.crm_pulls import PullStep
from tests.fakes.strict_crm import StrictClient
from tests.unit.crm_sync.pull_house import RULES, House, a_lead

NO_RECHECK = replace(RULES, recheck=None)
STALE_SECONDS = 0.85 * 1800


async def left(house: House) -> int:
    """Return how many entries have ended."""
    found = [(await house.store.finding.entries(one.id))[0].state for one in await house.contacts()]
    return sum(state == EntryState.DONE.value for state in found)


async def error(house: House) -> str:
    return (await house.store.pulls.standing("odoo-leads")).error


async def a_house(records: int = 60, **more: Any) -> House:
    house = await House(records=[a_lead(n) for n in range(1, records + 1)], **more).open()
    await house.reader.drain()
    return house


async def test_a_recheck_that_finds_next_to_nothing_is_doubted_and_told() -> None:
    house = await a_house()
    kept = house.crm.records[:]
    house.crm.records[:] = kept[:2]

    await house.after(STALE_SECONDS)

    assert await left(house) == 0
    assert await error(house) == (
        "check: 58 of 60 records are not there any more, too many to be the work of people: none is taken for "
        "deleted; may we still see them there?"
    )
    house.crm.records[:] = kept
    await house.after(120)
    assert (await left(house), await error(house)) == (0, "")


async def test_a_look_for_deleted_records_stands_still_while_it_is_in_doubt() -> None:
    rules = replace(NO_RECHECK, page=20)
    house = await a_house(pulls=(rules,))
    house.crm.records[:] = house.crm.records[:30]

    await house.after(24 * 3600 + 60)

    standing = await house.store.pulls.standing("odoo-leads")
    assert await left(house) == 0
    assert "check: 15 of 20 records" in standing.error
    assert standing.sweep_after  # as far as it was sure


async def test_few_at_a_time_are_too_many_in_the_end() -> None:
    """One after the other is asked for alone: each answer alone could be true."""
    house = await a_house(12, pulls=(replace(NO_RECHECK, page=1),))
    house.crm.records.clear()

    await house.after(24 * 3600 + 60)

    assert await left(house) == 5
    assert "check: 1 of 1 records" in await error(house)


async def test_who_says_so_has_all_of_them_taken_for_deleted() -> None:
    house = await a_house(pulls=(replace(NO_RECHECK, gone_share=1.0),))
    house.crm.records.clear()

    await house.after(24 * 3600 + 60)

    assert (await left(house), await error(house)) == (60, "")


async def test_checks_that_fail_neither_hold_up_pages_nor_ask_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house = await a_house(150)
    asked: list[PullStep] = []

    async def refuses(_: StrictClient, refs: Sequence[RecordRef]) -> Mapping[RecordRef, PulledRecord]:
        asked.append(PullStep.RECORDS)
        raise CrmError(Answer.PERMANENT, "no right to read")

    monkeypatch.setattr(StrictClient, "records", refuses)
    house.clock.advance(1700)
    house.crm.records.append(a_lead(151, changed_at=house.clock.now()))
    for _ in range(60):
        for _ in range(5):
            await house.reader.step()
        house.clock.advance(5)

    assert len(await house.contacts()) == 151
    assert 5 <= len(asked) <= 7  # once a minute
    assert await error(house) == "check: permanent: no right to read"


async def test_a_page_that_fails_does_not_hold_up_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    house = await a_house(3)

    async def refuses(*_: Any, **__: Any) -> None:
        raise CrmError(Answer.PERMANENT, "no such source")

    monkeypatch.setattr(StrictClient, "pull", refuses)
    del house.crm.records[0]
    house.clock.advance(timedelta(minutes=29).total_seconds())
    for _ in range(5):
        await house.reader.step()

    assert await left(house) == 1


async def test_where_everything_fails_nothing_is_asked_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    house = await a_house(150)
    asked: list[str] = []

    async def refuses(*_: Any, **__: Any) -> None:
        asked.append("")
        raise CrmError(Answer.PERMANENT, "no right to read")

    monkeypatch.setattr(StrictClient, "pull", refuses)
    monkeypatch.setattr(StrictClient, "records", refuses)
    house.clock.advance(1700)
    for _ in range(60):
        for _ in range(5):
            await house.reader.step()
        house.clock.advance(5)

    assert len(asked) <= 12  # twice a minute
