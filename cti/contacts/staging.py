"""The staged file: what a list's file became after it was read and checked, in bites that are written one by one.

Each line is one bite in JSON: the rows that can be taken and the rows refused between them. The place behind a bite
(in bytes) is how far the writing has come; after a crash it goes on there.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from cti.contacts.contact_text import decoded
from cti.contacts.encodings import Place
from cti.contacts.reader import Check, Checked, HowToRead, ListReader, check_here, records_of
from cti.model.contacts import RowRefused
from cti.model.doubles import DoubleKey, DoubleRule, Doubles, DoubleScope
from cti.model.imports import FileFormat, HowFar, ReadFile, StagedRow

BITE: Final = 500
"""Rows that are written with one commit: about 50 ms of processor time, and of SQLite's one writer."""
LOOK: Final = 20
"""Rows after which others get their turn, where reading shares a process: about 2 ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bite:
    """Rows of one commit."""

    rows: tuple[StagedRow, ...]
    refused: tuple[RowRefused, ...]
    end: int
    """Place in the staged file behind it, in bytes."""


def stage(
    source: Path, target: Path, how: HowToRead, *, check: Check = check_here, batch: int = LOOK
) -> Iterator[HowFar | ReadFile]:
    """Read `source` into `target`; gives how far it has come, and last what the file is. Raises BadInput."""
    place = Place()
    encoding, records = records_of(source, how, place)
    reader = ListReader(how, check, batch=batch)
    with target.open("wb") as file:
        rows: list[str] = []
        refused: list[RowRefused] = []
        for count, row in enumerate(reader.rows(records), 1):
            if isinstance(row, RowRefused):
                refused.append(row)
            else:
                rows.append(_row_text(*row))
            if len(rows) >= BITE or len(refused) >= BITE:
                _write(file, rows, refused)
            if count % LOOK == 0:
                yield HowFar(bytes=place.bytes, rows=count)
        if rows or refused:
            _write(file, rows, refused)
    columns = reader.columns.told() if reader.columns else {}
    yield ReadFile(encoding=encoding, columns=columns, rows=reader.taken, refused=reader.refused)


def bites(staged: Path, *, begin: int = 0) -> Iterator[Bite]:
    """Give the bites that stand behind the place `begin`."""
    with staged.open("rb") as file:
        file.seek(begin)
        while line := file.readline():
            rows, refused = json.loads(line)
            yield Bite(
                rows=tuple(
                    StagedRow(line=at, first_line=first, contact=decoded(contact))
                    for at, first, contact in rows
                ),
                refused=tuple(RowRefused(line=at, code=code, reason=reason) for at, code, reason in refused),
                end=file.tell(),
            )


def how_record(how: HowToRead) -> dict[str, Any]:
    """Return it as JSON values."""
    return {
        "region": how.region,
        "format": how.format.value,
        "encoding": how.encoding,
        "mapping": dict(how.mapping),
        "doubles": [how.doubles.rule.value, how.doubles.scope.value, how.doubles.key.value],
    }


def how_of(record: Mapping[str, Any]) -> HowToRead:
    """Return what `how_record` made."""
    rule, scope, key = record["doubles"]
    return HowToRead(
        region=record["region"],
        format=FileFormat(record["format"]),
        encoding=record["encoding"],
        mapping=record["mapping"],
        doubles=Doubles(rule=DoubleRule(rule), scope=DoubleScope(scope), key=DoubleKey(key)),
    )


def _write(file: BinaryIO, rows: list[str], refused: list[RowRefused]) -> None:
    kept = json.dumps([(one.line, one.code, one.reason) for one in refused], ensure_ascii=False)
    file.write(f"[[{','.join(rows)}],{kept}]\n".encode())
    rows.clear()
    refused.clear()


def _row_text(row: Checked, first: int | None) -> str:
    return f"[{row.line},{'null' if first is None else first},{row.contact}]"
