"""Imports of a few rows, written and undone."""

from collections.abc import Sequence
from typing import Any

from cti.contacts.staging import Bite
from cti.model.campaign_rules import Order
from cti.model.contacts import Candidate, NewContact, NewNumber, RowRefused
from cti.model.doubles import DoubleRule, Doubles, DoubleScope
from cti.model.imports import (
    Import,
    ImportOrder,
    ImportState,
    ReadFile,
    StagedRow,
)
from tests.builders import NOW, later
from tests.contract.conftest import Store

READ = ReadFile(encoding="utf-8", columns={"手机": "number", "a": "field:a"}, rows=2, refused=1)
MERGE = Doubles(rule=DoubleRule.MERGE, scope=DoubleScope.EVERYWHERE)
REPLACE = Doubles(rule=DoubleRule.REPLACE, scope=DoubleScope.EVERYWHERE)


def person(*numbers: str, **given: Any) -> NewContact:
    facts = {"name": "Ada"} | given
    return NewContact(
        numbers=tuple(NewNumber(e164=n, raw=n, zone="Europe/Berlin", kind="mobile") for n in numbers), **facts
    )


def rows(*contacts: NewContact) -> tuple[StagedRow, ...]:
    return tuple(StagedRow(line=line, contact=contact) for line, contact in enumerate(contacts, 2))


def an_order(campaign_id: int, **given: Any) -> ImportOrder:
    return ImportOrder(
        **{"campaign_id": campaign_id, "name": "spring", "source": "spring.csv", "by": "lead"} | given
    )


async def begun(store: Store, order: ImportOrder) -> Import:
    new = await store.imports.add_import(order, file="f", size_bytes=10, at=NOW)
    return await store.imports.begin_writing(new.id, READ, at=NOW)


async def imported(
    store: Store,
    campaign_id: int,
    *contacts: NewContact,
    refused: Sequence[RowRefused] = (),
    ranked: Order = Order.OLDEST,
    **given: Any,
) -> Import:
    """Import contacts in one bite."""
    now = await begun(store, an_order(campaign_id, **given))
    bite = Bite(rows=rows(*contacts), refused=tuple(refused), end=7)
    now = await store.imports.write(now, bite, order=ranked, at=NOW)
    return await store.imports.finish(now.id, at=later(1))


async def undone(store: Store, import_id: int) -> Import:
    now = await store.imports.begin_undo(import_id, by="admin", at=later(60))
    while now.state is ImportState.UNDOING:
        now = await store.imports.undo_bite(import_id, at=later(61))
    return now


async def candidates(store: Store, campaign_id: int) -> list[Candidate]:
    return await store.campaigns.next_candidates(campaign_id, limit=5000)
