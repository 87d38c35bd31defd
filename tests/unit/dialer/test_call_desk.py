"""Dispositions: stored, told, and what they ask for."""

from collections.abc import Sequence
from typing import Any

import pytest

from cti.bus import EventBus
from cti.dialer.call_desk import CallDesk
from cti.errors import StorageError
from cti.model.calls import Call
from cti.model.campaign_rules import MaterialRule, MaterialRules
from cti.model.events import DispositionSet, Event, MaterialRequested
from cti.model.vocabulary import told
from cti.model.work import NewWork
from tests.builders import NOW, a_call, later
from tests.fakes.memory_store import MemoryStore
from tests.unit.dialer.floor import Followed

RULES = MaterialRules(by_disposition={"sold": MaterialRule(template="welcome", channel="wechat")})


class Codes:
    """A dictionary in which every code may be chosen and means nothing."""

    def must_be_usable(self, *args: Any, **more: Any) -> None: ...

    def means(self, *args: Any) -> bool:
        return False


class NobodyListed:
    async def add(self, numbers: Sequence[str], *, reason: str = "", by: str) -> int:
        raise AssertionError("nobody is to be listed")


class Office:
    def __init__(self) -> None:
        self.store, bus = MemoryStore(), EventBus()
        self.told: list[Event] = []
        bus.tap(self.told.append)
        self.desk = CallDesk(
            store=self.store.calls,
            open_calls=Followed(),
            bus=bus,
            dispositions=Codes(),
            do_not_call=NobodyListed(),
            material=lambda campaign_id: RULES if campaign_id == 1 else MaterialRules(),
            tell=self._work_of,
        )

    @staticmethod
    def _work_of(event: Event) -> list[NewWork]:
        known = told(event)
        return [NewWork(kind="tell", key=f"{known.type}/{known.id}", payload={})] if known else []

    async def call(self, **given: Any) -> Call:
        call = a_call(**{"campaign_id": 1, "contact_id": 7, "crm_ref": "lead/1"} | given)
        await self.store.calls.place([(call, None)])
        return call

    async def says(self, call: Call, disposition: str, *, seconds: float = 0.0, note: str = "") -> None:
        await self.desk.set_disposition(
            call.id, agent_id=3, disposition=disposition, note=note, at=later(seconds)
        )

    def asked(self) -> list[MaterialRequested]:
        return [event for event in self.told if isinstance(event, MaterialRequested)]


async def test_a_disposition_asks_for_material_as_the_campaigns_rule_says() -> None:
    office = Office()
    call = await office.call()
    await office.says(call, "sold")
    assert office.told == [
        DispositionSet(
            call_id=call.id,
            agent_id=3,
            disposition="sold",
            note="",
            at=NOW,
            campaign_id=1,
            contact_id=7,
        ),
        MaterialRequested(
            call_id=call.id,
            contact_id=7,
            campaign_id=1,
            agent_id=3,
            disposition="sold",
            template="welcome",
            channel="wechat",
            number=call.number,
            crm_ref="lead/1",
            at=NOW,
        ),
    ]
    kinds = [row.wish.key.split("/")[0] for row in office.store.tables.works.values()]
    assert kinds == ["call.disposition_set", "material.requested"]


async def test_it_is_asked_for_once_however_often_the_same_is_said() -> None:
    office = Office()
    call = await office.call()
    for seconds in (0, 1, 2):
        await office.says(call, "sold", seconds=seconds, note=f"note {seconds}")
    assert len(office.asked()) == 1
    assert len(office.told) == 4


async def test_a_verdict_that_was_corrected_and_is_set_again_asks_again() -> None:
    office = Office()
    call = await office.call()
    for seconds, code in enumerate(("sold", "lost", "sold")):
        await office.says(call, code, seconds=seconds)
    assert [one.at for one in office.asked()] == [later(0), later(2)]


@pytest.mark.parametrize(("campaign_id", "code"), [(1, "lost"), (2, "sold"), (None, "sold")])
async def test_nobody_else_asks_for_anything(campaign_id: int | None, code: str) -> None:
    office = Office()
    await office.says(await office.call(campaign_id=campaign_id), code)
    assert office.asked() == []
    assert len(office.told) == 1


async def test_what_is_not_stored_is_neither_told_nor_asked_for() -> None:
    office = Office()
    call = await office.call()

    async def away(*args: Any, **more: Any) -> None:
        raise StorageError("away", temporary=True)

    office.store.calls.set_disposition = away  # type: ignore[method-assign, assignment]
    with pytest.raises(StorageError):
        await office.says(call, "sold")
    assert office.told == []
    assert office.store.tables.works == {}
