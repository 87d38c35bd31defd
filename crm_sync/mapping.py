"""Our fields to theirs, as a target's TOML file says. Pure: a file's tables in, a `Mapping` out; a call in, fields out.

    [fields]
    name = "Call to {contact|default:unknown}[[: {disposition}]]"        # a text
    duration = { from = "talk_seconds", as = "minutes" }                 # a value that keeps its type
    status = { from = "outcome", map = { connected = "Held", "*" = "Not Held" } }
    source = { value = 7 }                                               # always this

A field that comes to nothing is left out, or sent as null with `empty = "null"`, so that an update can clear it.
"""

from collections.abc import Mapping as Map
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from crm_sync.port import CallWrite
from crm_sync.template import FILTERS, Place, Template, render, template_of, value_at
from cti.errors import BadInput, SettingsError
from cti.model.crm import CallLog, Link, RecordRef, record_ref

OWN: Final = ("user", "home", "home_kind", "deal", "deal_kind", "mark", "disposition_name")
"""Values that the mapping itself adds to a call's facts."""
NAMES: Final = frozenset({one.name for one in fields(CallLog)} | set(OWN))
MARK: Final = "[cti:{call_id}]"
"""How a call is marked in a CRM that has no field for our id."""
REST_OF: Final = "*"

Json = str | int | float | bool | None


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class FieldRule(_Table):
    """One field of theirs that is not plain text."""

    from_: str | None = Field(None, alias="from")
    as_: str | None = Field(None, alias="as")
    map: dict[str, Json] | None = None
    template: str | None = None
    value: Json = None
    default: Json = None
    cut: int | None = Field(None, ge=1)
    empty: Literal["omit", "null"] = "omit"


class UserRules(_Table):
    """Who our agents are there."""

    by: Literal["agent", "extension"] = "agent"
    map: dict[str, str] = {}
    default: str | None = None


class RecordRules(_Table):
    """Which record a call belongs on: the first of these references that is there."""

    home: tuple[Literal["crm_ref", "crm_contact", "crm_customer"], ...] = (
        "crm_ref",
        "crm_contact",
        "crm_customer",
    )
    kind: str = ""
    """Of a reference that names none."""
    deal_kind: str = ""
    required: bool = False
    """A call without a record is not written: its work ends as a dead letter that says so."""


class PullTable(_Table):
    """What of a record that is pulled becomes what of ours."""

    fields: dict[str, str] = {}
    """Our custom field (or `tags`), and the record's that it is; none: all that the adapter gives, by its names."""
    stages: dict[str, str] = {}
    """Their stage, and our code for it; one that is not named stays as it is."""


class MappingFile(_Table):
    """The tables of a mapping that do not belong to an adapter."""

    fields: dict[str, str | int | float | bool | FieldRule] = {}
    dispositions: dict[str, str] = {}
    users: UserRules = UserRules()
    records: RecordRules = RecordRules()
    pull: PullTable = PullTable()


@dataclass(frozen=True, slots=True)
class _Rule:
    """A field's rule, read."""

    template: Template | None
    place: Place | None
    map: Map[str, Json] | None
    value: Json
    default: Json
    cut: int | None
    null: bool


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping that was read and found good."""

    target: str
    where: str
    rules: Map[str, _Rule] = field(default_factory=dict)
    dispositions: Map[str, str] = field(default_factory=dict)
    users: UserRules = field(default_factory=UserRules)
    records: RecordRules = field(default_factory=RecordRules)
    pull: PullTable = field(default_factory=PullTable)

    def write(self, log: CallLog, link: Link) -> CallWrite:
        """Return what is written of this call. Raises BadInput when a reference or a value does not fit."""
        home, deal = self._home(log), self._deal(log)
        if home is None and self.records.required:
            raise BadInput(
                "the call has no record in this CRM (crm_ref is empty), and the mapping asks for one"
            )
        values = self.values(log, home=home, deal=deal)
        made = {name: self._field(name, rule, values) for name, rule in self.rules.items()}
        kept = {name: value for name, value in made.items() if value is not None or self.rules[name].null}
        return CallWrite(
            log=log,
            fields=kept,
            home=home,
            deal=deal,
            user=self._user(log),
            remote=link.remote,
            unsure=link.unsure,
        )

    def values(self, log: CallLog, *, home: RecordRef | None, deal: RecordRef | None) -> dict[str, Any]:
        """Return the values that texts and rules may name."""
        values: dict[str, Any] = {one.name: getattr(log, one.name) for one in fields(log)}
        code = log.disposition
        return values | {
            "user": self._user(log),
            "home": home.id if home else None,
            "home_kind": home.kind if home else None,
            "deal": deal.id if deal else None,
            "deal_kind": deal.kind if deal else None,
            "mark": MARK.replace("{call_id}", log.call_id),
            "disposition_name": self.dispositions.get(code or "", self.dispositions.get(REST_OF, code))
            if code
            else None,
        }

    def named(self) -> frozenset[str]:
        """Return the values that its fields name."""
        places = [rule.place.name for rule in self.rules.values() if rule.place is not None]
        texts = [rule.template.names() for rule in self.rules.values() if rule.template is not None]
        return frozenset(places).union(*texts)

    def _home(self, log: CallLog) -> RecordRef | None:
        for name in self.records.home:
            if found := record_ref(getattr(log, name), target=self.target, kind=self.records.kind):
                return found
        return None

    def _deal(self, log: CallLog) -> RecordRef | None:
        return record_ref(log.crm_deal, target=self.target, kind=self.records.deal_kind)

    def _user(self, log: CallLog) -> str | None:
        return self.user(log.agent, log.extension)

    def user(self, login: str | None, extension: str | None) -> str | None:
        """Return who an agent is there; None: nobody that is named."""
        ours = login if self.users.by == "agent" else extension
        return self.users.map.get(ours or "", self.users.default) if ours else self.users.default

    def _field(self, name: str, rule: _Rule, values: Map[str, Any]) -> Any:
        where = f"{self.where}: fields.{name}"
        value: Any = rule.value
        if rule.place is not None:
            value = value_at(rule.place, values, where=where)
        elif rule.template is not None:
            value = render(rule.template, values, where=where) or None
        if rule.map is not None:
            key = REST_OF if value is None else str(value)
            value = rule.map.get(key, rule.map.get(REST_OF))
        if value is None:
            value = rule.default
        if isinstance(value, datetime):
            value = value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        return value[: rule.cut] if rule.cut is not None and isinstance(value, str) else value


def mapping_of(tree: Map[str, Any], *, target: str, where: str) -> Mapping:
    """Read the tables of a mapping file. Raises SettingsError: file, key, and what is allowed."""
    try:
        file = MappingFile.model_validate(tree)
    except ValidationError as error:
        raise SettingsError("\n".join(told(one, where) for one in error.errors())) from None
    try:
        rules = {name: _rule(one, where=f"{where}: fields.{name}") for name, one in file.fields.items()}
        _must_be_text(file.users.map.values(), where)
    except BadInput as error:
        raise SettingsError(str(error)) from None
    return Mapping(
        target=target,
        where=where,
        rules=rules,
        dispositions=file.dispositions,
        users=file.users,
        records=file.records,
        pull=file.pull,
    )


def told(problem: Any, where: str) -> str:
    """Say one problem of a file in one line."""
    steps = [step for step in problem["loc"] if step not in ("FieldRule", "str", "int", "float", "bool")]
    key = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")
    message = {"extra_forbidden": "there is no such key", "missing": "missing"}.get(
        problem["type"], problem["msg"].removeprefix("Value error, ")
    )
    return f"{where}: {key}: {message}"


def _rule(given: str | int | float | bool | FieldRule, *, where: str) -> _Rule:
    if isinstance(given, FieldRule):
        return _full_rule(given, where=where)
    if not isinstance(given, str):
        return _Rule(None, None, None, given, None, None, False)
    template = template_of(given, names=NAMES, where=where)
    place = template.only
    return _Rule(None if place else template, place, None, None, None, None, False)


def _full_rule(rule: FieldRule, *, where: str) -> _Rule:
    if sum(one is not None for one in (rule.from_, rule.template, rule.value)) != 1:
        raise BadInput(f"{where}: give exactly one of from, template and value")
    if rule.as_ is not None and (rule.from_ is None or rule.as_ not in FILTERS):
        raise BadInput(f"{where}: as goes with from, and is one of {', '.join(sorted(FILTERS))}")
    template, place = None, None
    if rule.template is not None:
        template = template_of(rule.template, names=NAMES, where=where)
    if rule.from_ is not None:
        text = rule.from_ if rule.as_ is None else f"{rule.from_}|{rule.as_}"
        place = template_of(f"{{{text}}}", names=NAMES, where=where).only
        if place is None:
            raise BadInput(f"{where}: from: {rule.from_!r} is no value's name")
    return _Rule(template, place, rule.map, rule.value, rule.default, rule.cut, rule.empty == "null")


def _must_be_text(users: Any, where: str) -> None:
    if any(not one for one in users):
        raise BadInput(f"{where}: users.map: a user there is empty")
