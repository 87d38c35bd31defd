"""Dictionaries: what holds where, what may be chosen, what it means."""

from typing import Any

import pytest

from cti.contacts.default_codes import DEFAULT_CODES
from cti.contacts.dictionary_desk import DictionaryDesk
from cti.errors import BadInput, Conflict, NotFound
from cti.model.dictionaries import (
    DictionaryEntry,
    DictionaryKind,
    Meaning,
    dictionary_of,
    meaning_of,
    must_be_usable,
)
from lab.demo.reps import VERDICTS
from tests.builders import NOW
from tests.fakes.clock import FakeClock
from tests.fakes.memory_dictionaries import MemoryDictionaries

KIND = DictionaryKind.DISPOSITIONS


def an_entry(code: str, **given: Any) -> DictionaryEntry:
    return DictionaryEntry(**{"kind": KIND, "code": code} | given)


def test_a_campaign_s_entry_goes_before_the_installation_s() -> None:
    entries = [
        an_entry("sale", labels={"en": "Sale"}, position=2),
        an_entry("no", position=1),
        an_entry("sale", campaign_id=4, labels={"en": "Contract"}, position=3),
        an_entry("maybe", campaign_id=5),
        DictionaryEntry(kind=DictionaryKind.STAGES, code="won"),
    ]

    held = dictionary_of(entries, KIND, [4])

    assert list(held) == ["no", "sale"]
    assert held["sale"].labels == {"en": "Contract"}
    assert dictionary_of(entries, KIND)["sale"].labels == {"en": "Sale"}


def test_a_retired_code_keeps_its_meaning_and_is_not_chosen_anew() -> None:
    held = dictionary_of([an_entry("sale", meanings=frozenset({Meaning.SUCCESS}), retired_at=NOW)], KIND)
    assert meaning_of("sale", held) == {Meaning.SUCCESS}
    with pytest.raises(BadInput, match=r"disposition: 'sale' is retired; there are: \(none\)"):
        must_be_usable("sale", held, noun="disposition")


def test_an_unknown_code_means_nothing_and_is_refused_with_what_there_is() -> None:
    held = dictionary_of([an_entry("sale"), an_entry("no"), an_entry("old", retired_at=NOW)], KIND)
    assert meaning_of("sold", held) == meaning_of(None, held) == frozenset()
    with pytest.raises(BadInput, match=r"disposition: there is no 'sold'; there are: no, sale$"):
        must_be_usable("sold", held, noun="disposition")


def test_a_code_that_needs_a_note_is_refused_without_one() -> None:
    held = dictionary_of([an_entry("other", meanings=frozenset({Meaning.NEEDS_NOTE}))], KIND)
    with pytest.raises(BadInput, match="note: 'other' needs one"):
        must_be_usable("other", held, noun="disposition", note=" \n")
    must_be_usable("other", held, noun="disposition", note="moved away")


def test_an_empty_dictionary_allows_every_code() -> None:
    must_be_usable("anything at all", {}, noun="disposition", note="")


def a_desk(store: MemoryDictionaries | None = None) -> DictionaryDesk:
    return DictionaryDesk(store=store or MemoryDictionaries(), clock=FakeClock())


async def test_a_new_installation_begins_with_the_defaults_and_keeps_its_own_from_then_on() -> None:
    store = MemoryDictionaries()
    desk = a_desk(store)
    await desk.load()
    assert desk.means(Meaning.DO_NOT_CALL, None, "do_not_call")
    await desk.change(KIND, "sale", 0, labels={"en": "Contract"}, retired=True)

    again = a_desk(store)
    await again.load()

    entry = again.dictionary(KIND)["sale"]
    assert (entry.labels, entry.retired_at, entry.meanings) == (
        {"en": "Contract"},
        FakeClock().now(),
        {Meaning.FINAL, Meaning.SUCCESS},
    )
    assert len(await store.dictionary_entries()) == len(DEFAULT_CODES)


async def test_the_defaults_know_what_the_demo_says() -> None:
    desk = a_desk()
    await desk.load()
    for verdict in VERDICTS:
        desk.must_be_usable(KIND, verdict, note="said by a simulated rep")
    desk.must_be_usable(DictionaryKind.PAUSE_CODES, "coffee")
    desk.must_be_usable(DictionaryKind.TAGS, "whatever")


async def test_a_code_is_added_once_renamed_retired_and_taken_back() -> None:
    desk = a_desk()
    entry = await desk.add(an_entry("fax", labels={"en": "Fax", "zh": "传真"}))
    with pytest.raises(Conflict):
        await desk.add(entry)
    await desk.change(KIND, "fax", 0, retired=True)
    with pytest.raises(BadInput, match="retired"):
        desk.must_be_usable(KIND, "fax")
    back = await desk.change(KIND, "fax", 0, retired=False, position=4)
    assert (back.retired_at, back.position, back.labels["zh"]) == (None, 4, "传真")
    with pytest.raises(NotFound, match="campaign 7 has no 'fax'"):
        await desk.change(KIND, "fax", 7, retired=True)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (
            DictionaryEntry(kind=DictionaryKind.STAGES, code="x", meanings=frozenset({Meaning.FINAL})),
            "only dispositions",
        ),
        (an_entry("x", meanings=frozenset({Meaning.FINAL, Meaning.CALLBACK})), "exclude each other"),
        (an_entry("x", labels={"english!": "X"}), "labels.english!"),
    ],
)
async def test_an_entry_that_makes_no_sense_is_refused(entry: DictionaryEntry, told: str) -> None:
    desk = a_desk()
    with pytest.raises(BadInput, match=told):
        await desk.add(entry)
    assert desk.dictionary(entry.kind) == {}
