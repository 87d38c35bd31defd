"""Entries of dictionaries are kept alike in each store."""

from dataclasses import replace

import pytest

from cti.contacts.default_codes import DEFAULT_CODES
from cti.errors import Conflict, NotFound
from cti.model.dictionaries import DictionaryEntry, DictionaryKind, Meaning
from tests.builders import NOW, later
from tests.contract.conftest import Store
from tests.contract.people import a_stored_campaign

SALE = DictionaryEntry(
    kind=DictionaryKind.DISPOSITIONS,
    code="sale",
    labels={"en": "Sale", "zh": "成交"},
    meanings=frozenset({Meaning.SUCCESS, Meaning.FINAL}),
    position=3,
)


async def test_entries_are_kept_as_they_are(store: Store) -> None:
    await store.dictionaries.add_entries([SALE], at=NOW)
    changed = replace(SALE, labels={"en": "Won"}, meanings=frozenset(), position=-1, retired_at=later(5))
    campaign_id = await a_stored_campaign(store, contacts=0)
    own = replace(SALE, campaign_id=campaign_id)
    await store.dictionaries.add_entries([own], at=NOW)

    await store.dictionaries.save_entry(changed)

    assert await store.dictionaries.dictionary_entries() == [changed, own]


async def test_a_code_is_there_once_in_a_campaign(store: Store) -> None:
    await store.dictionaries.add_entries([SALE], at=NOW)
    with pytest.raises(Conflict, match="sale"):
        await store.dictionaries.add_entries([replace(SALE, code="new"), SALE], at=NOW)
    assert await store.dictionaries.dictionary_entries() == [SALE]


async def test_what_is_not_there_is_told(store: Store) -> None:
    with pytest.raises(NotFound, match="99"):
        await store.dictionaries.add_entries([replace(SALE, campaign_id=99)], at=NOW)
    with pytest.raises(NotFound, match="sale"):
        await store.dictionaries.save_entry(SALE)


async def test_the_defaults_fit_in(store: Store) -> None:
    await store.dictionaries.add_entries(DEFAULT_CODES, at=NOW)
    assert await store.dictionaries.dictionary_entries() == list(DEFAULT_CODES)
