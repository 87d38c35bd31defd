"""What the reading tables come to: every text read, every table held against the others. No requests.

All is told when the process begins: a table that cannot work names itself, with file and key.
"""

import re
from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from crm_sync.rest.questions import Question, question_of
from crm_sync.rest.read_tables import (
    CallListTable,
    CallsTable,
    KindTable,
    ListTable,
    NumberTable,
    ReadTable,
    SourceTable,
)
from crm_sync.rest.records import mark_pattern
from crm_sync.rest.tables import RestTable
from cti.errors import SettingsError

PAGED: Final = frozenset({"since", "next", "behind", "limit", "offset", "page", "cursor"})
CALL_LIST: Final = PAGED | {"until", "home", "home_kind"}
BY_ID: Final = frozenset({"id", "ids"})
CALL_BY_ID: Final = frozenset({"call_id", "call_ids", "call_uuid", "mark"})
BY_NUMBER: Final = frozenset({"number", "national", "spelling", "spellings"})
MARKS: Final = ("{call_id}", "{call_uuid}")


@dataclass(frozen=True, slots=True)
class KindPlan:
    """How records of a kind are read."""

    table: KindTable
    read: Question


@dataclass(frozen=True, slots=True)
class CallsPlan:
    """How calls are read back."""

    table: CallsTable
    mark: re.Pattern[str]
    by_id: tuple[ReadTable, Question] | None
    lists: Sequence[tuple[CallListTable, Question]]


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """How a CRM is read."""

    kinds: Map[str, KindPlan] = field(default_factory=dict)
    sources: Map[str, tuple[SourceTable, Question]] = field(default_factory=dict)
    numbers: Sequence[tuple[NumberTable, Question]] = ()
    calls: CallsPlan | None = None


def plan_of(table: RestTable, *, where: str) -> ReadPlan:
    """Read the tables. Raises SettingsError: file, key, and what is wrong."""
    at = f"{where}: rest"
    kinds = {name: _kind(one, f"{at}.kinds.{name}") for name, one in table.kinds.items()}
    sources = {name: _source(one, kinds, f"{at}.sources.{name}") for name, one in table.sources.items()}
    numbers = [_number(one, kinds, f"{at}.numbers[{n}]") for n, one in enumerate(table.numbers)]
    calls = _calls(table.calls, table.sources, f"{at}.calls") if table.calls is not None else None
    return ReadPlan(kinds, sources, numbers, calls)


def _kind(table: KindTable, where: str) -> KindPlan:
    _must_be_pattern(table.ids, f"{where}.ids")
    return KindPlan(table, _known(table.read, BY_ID, where=f"{where}.read", several="ids"))


def _source(table: SourceTable, kinds: Map[str, KindPlan], where: str) -> tuple[SourceTable, Question]:
    _must_be_kind(table.kind, kinds, where)
    changed = kinds[table.kind].table.changed_at
    return table, _list(table, PAGED, where, time=(f"kinds.{table.kind}.changed_at", changed))


def _number(table: NumberTable, kinds: Map[str, KindPlan], where: str) -> tuple[NumberTable, Question]:
    _must_be_kind(table.kind, kinds, where)
    question = question_of(table, names=BY_NUMBER, where=where)
    _must_name(question, BY_NUMBER)
    return table, question


def _calls(table: CallsTable, sources: Map[str, SourceTable], where: str) -> CallsPlan:
    if sum(table.holds.count(one) for one in MARKS) != 1:
        raise SettingsError(f"{where}.holds: expected is a text with one of {', '.join(MARKS)} in it, once")
    by_id = None
    if table.by_id is not None:
        by_id = (
            table.by_id,
            _known(table.by_id, CALL_BY_ID, where=f"{where}.by_id", several="call_ids"),
        )
    lists = [_call_list(one, table, sources, f"{where}.lists[{n}]") for n, one in enumerate(table.lists)]
    return CallsPlan(table, mark_pattern(table.holds), by_id, lists)


def _call_list(
    table: CallListTable, calls: CallsTable, sources: Map[str, SourceTable], where: str
) -> tuple[CallListTable, Question]:
    if table.of and table.of not in sources:
        raise SettingsError(
            f"{where}.of: there is no source {table.of!r}; there are: {', '.join(sorted(sources)) or 'none'}"
        )
    question = _list(table, CALL_LIST, where, time=("calls.started_at", calls.started_at))
    if bool(table.of) != ("home" in question.names):
        said = "names no {home}" if table.of else "names {home}, and `of` says no source"
        raise SettingsError(f"{where}: it {said}")
    return table, question


def _list(table: ListTable, names: frozenset[str], where: str, *, time: tuple[str, str]) -> Question:
    ties = (table.ties,) if table.ties else ()
    question = question_of(table, names=names, where=where, more=(table.since, *ties))
    told, at = time
    match table.paging:
        case "keyset":
            if not at:
                raise SettingsError(
                    f"{where}: keyset needs the time by which it is sorted: rest.{told} is empty"
                )
            if not ties:
                raise SettingsError(
                    f"{where}.ties: missing; many records may have one time, and keyset needs it"
                )
            _must_name(question, {"since"})
            _must_name(question, {"behind"})
        case "next":
            if not table.next:
                raise SettingsError(f"{where}.next: missing; it says where the answer names the next page")
        case name:
            _must_name(question, {name})
    if table.paging != "next":
        _must_name(question, {"limit"})
    return question


def _known(table: ReadTable, names: frozenset[str], *, where: str, several: str) -> Question:
    question = question_of(table, names=names, where=where)
    _must_name(question, names)
    if several in question.names and table.list is None:
        raise SettingsError(f"{where}.list: missing; the answer to a question for {{{several}}} is a list")
    if several in question.names and len(question.names) > 1:
        raise SettingsError(f"{where}: it names {{{several}}} and a single one beside it")
    return question


def _must_name(question: Question, names: frozenset[str] | set[str]) -> None:
    if not question.names & names:
        told = ", ".join(f"{{{one}}}" for one in sorted(names))
        raise SettingsError(f"{question.where}: no text of it names {told}")


def _must_be_kind(kind: str, kinds: Map[str, KindPlan], where: str) -> None:
    if kind not in kinds:
        known = ", ".join(sorted(kinds)) or "none"
        raise SettingsError(f"{where}.kind: there is no rest.kinds.{kind}; there are: {known}")


def _must_be_pattern(text: str, where: str) -> None:
    try:
        re.compile(text)
    except re.error as error:
        raise SettingsError(f"{where}: {text!r} is no regular expression: {error}") from None
