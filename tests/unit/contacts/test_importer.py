"""The service that brings lists in: nothing half done, and gone on with after a crash."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from cti.contacts import importer as importer_module
from cti.contacts.importer import Importer
from cti.errors import BadInput, Conflict, NotFound, StorageError
from cti.model.campaign_rules import Order
from cti.model.doubles import DoubleRule, Doubles, DoubleScope
from cti.model.imports import Import, ImportOrder, ImportState, UndoCounts
from tests.builders import a_campaign
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore

FILE = b"name,number\nAda,+493023125001\nBob,+493023125002\nCid,xyz\n"
MANY = b"number\n" + b"".join(b"+49302312%04d\n" % n for n in range(1200))
Make = Callable[[], Importer]


@pytest.fixture
async def store() -> MemoryStore:
    store = MemoryStore()
    await store.campaigns.add_campaign(a_campaign())
    return store


@pytest.fixture
def make(store: MemoryStore, tmp_path: Path) -> Make:
    """Give a function that begins the service anew on the same rows and files."""
    return lambda: Importer(
        store=store.imports, folder=tmp_path / "imports", clock=FakeClock(), order_of=lambda _: Order.OLDEST
    )


def an_order(**given: Any) -> ImportOrder:
    return ImportOrder(**{"campaign_id": 1, "name": "spring", "region": "DE", "by": "lead"} | given)


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(content), 1000):
        yield content[at : at + 1000]


async def imported(importer: Importer, content: bytes = FILE, **given: Any) -> Import:
    begun = await importer.receive(an_order(**given), pieces(content))
    await importer.step()
    return await importer.finished(begun.id)


def files(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "imports").iterdir())


async def test_a_file_becomes_a_list_and_is_gone_afterwards(
    make: Make, store: MemoryStore, tmp_path: Path
) -> None:
    done = await imported(make())

    assert (done.state, done.counts.added, done.counts.refused) == (ImportState.DONE, 2, {"bad_number": 1})
    assert [contact.name for contact in store.tables.contacts.values()] == ["Ada", "Bob"]
    assert [row.line for row in await make().refusals(done.id)] == [4]
    assert files(tmp_path) == []


async def test_a_file_that_cannot_be_trusted_fails_and_leaves_nothing(
    make: Make, store: MemoryStore, tmp_path: Path
) -> None:
    done = await imported(make(), b"a,b\n1,2\n")

    assert done.state is ImportState.FAILED
    assert (done.error or "").startswith("no column for the number")
    assert (store.tables.contacts, store.tables.lists, files(tmp_path)) == ({}, {}, [])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"region": "XX"}, "region"),
        ({"encoding": "martian"}, "encoding"),
        ({"mapping": {"a": "b"}}, "mapping"),
    ],
)
async def test_an_order_that_cannot_be_carried_out_is_refused_before_the_file_is_kept(
    make: Make, tmp_path: Path, wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        await make().receive(an_order(**wrong), pieces(FILE))
    assert not (tmp_path / "imports").exists()


async def test_an_upload_that_is_refused_or_breaks_off_keeps_no_file(
    make: Make, store: MemoryStore, tmp_path: Path
) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield FILE
        raise ConnectionResetError

    await imported(make())
    with pytest.raises(ConnectionResetError):
        await make().receive(an_order(name="b"), broken())
    with pytest.raises(Conflict):
        await make().receive(an_order(), pieces(FILE))
    with pytest.raises(NotFound):
        await make().receive(an_order(campaign_id=9), pieces(FILE))
    assert files(tmp_path) == []


async def test_uploads_that_broke_off_with_the_service_are_removed_when_it_starts(
    make: Make, store: MemoryStore, tmp_path: Path
) -> None:
    begun = await make().receive(an_order(), pieces(FILE))
    (tmp_path / "imports" / "abc.upload").write_bytes(b"half a fi")
    (tmp_path / "imports" / "notes.txt").write_bytes(b"somebody else's")

    await make().load()

    assert sorted(path.name for path in files(tmp_path)) == sorted([f"{begun.file}.upload", "notes.txt"])


class Killed(BaseException):
    """The process ends here, whatever it is doing."""


def killed_after(store: MemoryStore, bites: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """End the service after so many bites were written."""
    write, left = store.imports.write, bites

    async def cut(*args: Any, **kwargs: Any) -> Import:
        nonlocal left
        if left == 0:
            raise Killed
        left -= 1
        return await write(*args, **kwargs)

    monkeypatch.setattr(store.imports, "write", cut)


@pytest.mark.parametrize("bites", [0, 1, 2])
async def test_an_import_that_was_killed_while_it_was_written_is_written_on(
    make: Make, store: MemoryStore, monkeypatch: pytest.MonkeyPatch, bites: int
) -> None:
    begun = await make().receive(an_order(), pieces(MANY))
    with monkeypatch.context() as patched:
        killed_after(store, bites, patched)
        with pytest.raises(Killed):
            await make().step()
    assert len(store.tables.contacts) == 500 * bites

    after = make()
    await after.load()
    await after.step()

    done = await after.finished(begun.id)
    assert (done.state, done.counts.added, len(store.tables.contacts)) == (ImportState.DONE, 1200, 1200)
    assert len({contact.numbers[0].e164 for contact in store.tables.contacts.values()}) == 1200


async def test_an_import_that_was_killed_while_the_file_was_read_is_read_again(
    make: Make, store: MemoryStore
) -> None:
    begun = await make().receive(an_order(), pieces(FILE))
    await store.imports.begin_reading(begun.id)

    after = make()
    await after.step()

    assert (await after.finished(begun.id)).counts.added == 2


async def test_an_import_whose_checked_file_is_gone_is_taken_back(
    make: Make, store: MemoryStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    begun = await make().receive(an_order(), pieces(MANY))
    with monkeypatch.context() as patched:
        killed_after(store, 1, patched)
        with pytest.raises(Killed):
            await make().step()
    for path in files(tmp_path):
        path.unlink()

    after = make()
    await after.step()

    failed = await after.finished(begun.id)
    assert (failed.state, failed.error) == (ImportState.FAILED, "the checked file is gone; import it again")
    assert failed.undo == UndoCounts(entries_removed=500, contacts_removed=500)
    assert (store.tables.contacts, store.tables.entries) == ({}, {})


async def test_a_database_that_is_away_is_waited_for(
    make: Make, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any, **__: Any) -> Import:
        raise StorageError("away", temporary=True)

    importer = make()
    begun = await importer.receive(an_order(), pieces(FILE))
    with monkeypatch.context() as patched:
        patched.setattr(store.imports, "write", away)
        with pytest.raises(StorageError):
            await importer.step()
    await importer.step()
    assert (await importer.finished(begun.id)).counts.added == 2


async def test_a_bug_of_ours_fails_one_import_and_not_the_next(
    make: Make, store: MemoryStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    importer = make()
    first = await importer.receive(an_order(), pieces(FILE))
    with monkeypatch.context() as patched:
        patched.setattr(importer_module, "staged", None)
        await importer.step()
    assert (await importer.finished(first.id)).error == "something went wrong here; the log has the details"
    assert "Traceback" in caplog.text
    assert (await imported(importer)).state is ImportState.DONE


async def test_a_dry_run_counts_by_reason_shows_samples_and_writes_nothing(
    make: Make, store: MemoryStore
) -> None:
    await imported(make(), b"number\n+493023125001\n", name="old")
    before = dict(store.tables.contacts)
    content = FILE + b"Dan,+493023125003\nDan,030 23125003\n"

    done = await imported(make(), content, dry_run=True)

    assert (done.state, done.counts.added, done.list_id) == (ImportState.DONE, 2, None)
    assert done.counts.refused == {"already_known": 1, "bad_number": 1, "double_in_file": 1}
    assert [sample["name"] for sample in done.samples] == ["Ada", "Bob", "Dan"]
    assert sorted(row.line for row in await make().refusals(done.id)) == [2, 4, 6]
    assert store.tables.contacts == before


@pytest.mark.parametrize("rule", [DoubleRule.MERGE, DoubleRule.REPLACE])
async def test_a_dry_run_says_what_the_import_does_then(make: Make, rule: DoubleRule) -> None:
    await imported(make(), b"number\n+493023125001\n", name="old")
    doubles = Doubles(rule=rule, scope=DoubleScope.EVERYWHERE)
    content = b"name,number\nA,+493023125001\nB,+493023125002\nC,+493023125002\n"

    tried = await imported(make(), content, doubles=doubles, dry_run=True)
    done = await imported(make(), content, doubles=doubles)

    assert (done.counts.added, done.counts.merged + done.counts.replaced) == (1, 2)
    assert (tried.counts.added, tried.counts.merged, tried.counts.replaced) == (
        done.counts.added,
        done.counts.merged,
        done.counts.replaced,
    )


async def test_an_import_is_undone_bite_by_bite_also_after_a_crash(make: Make, store: MemoryStore) -> None:
    done = await imported(make())
    await make().undo(done.id, by="admin")

    after = make()
    await after.step()

    undone = await after.finished(done.id)
    assert (undone.state, undone.undone_by) == (ImportState.UNDONE, "admin")
    assert store.tables.contacts == {}


async def test_imports_are_done_in_their_order(make: Make, store: MemoryStore) -> None:
    importer = make()
    for name in ("b", "a", "c"):
        await importer.receive(an_order(name=name), pieces(b"number\n+4930231250%02d\n" % ord(name)))
    await importer.step()
    assert [one.name for one in store.tables.lists.values()] == ["b", "a", "c"]
