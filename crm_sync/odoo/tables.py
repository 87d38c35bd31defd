"""The table `[odoo]` of a target's mapping file, and the domains in it. Read and checked; no requests."""

import re
from collections.abc import Mapping as Map
from collections.abc import Sequence
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from crm_sync.mapping import told
from cti.errors import SettingsError

Domain = list[Any]
"""As Odoo writes a condition: terms `[field, operator, value]`, with `&`, `|`, `!` before what they join."""

LEAD: Final = "crm.lead"
PARTNER: Final = "res.partner"
OPERATORS: Final = frozenset(
    {
        *("=", "!=", ">", ">=", "<", "<=", "in", "not in", "child_of", "parent_of"),
        *("like", "ilike", "not like", "not ilike", "=like", "=ilike"),
    }
)
_FIELD: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
_JOINS: Final = {"&": 2, "|": 2, "!": 1}
_MOST_TERMS: Final = 100


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceTable(_Table):
    """`[odoo.sources.NAME]`: a filter whose records can be pulled."""

    model: Literal["crm.lead", "res.partner"] = "crm.lead"
    domain: Domain = []
    fields: tuple[str, ...] = ()
    """More fields that come along, by Odoo's names."""

    @field_validator("domain")
    @classmethod
    def _whole(cls, domain: Domain) -> Domain:
        return whole(domain)

    @field_validator("fields")
    @classmethod
    def _names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not _FIELD.fullmatch(name) or "." in name:
                raise ValueError(f"{name!r} is no name of a field")
        return names


class OdooTable(_Table):
    """`[odoo]`."""

    database: str = Field(min_length=1)
    transport: Literal["json2", "rpc"] = "json2"
    """`json2` from Odoo 19 on; `rpc` (JSON-RPC at /jsonrpc) for 14 to 18."""
    user: str = ""
    """Login of the bot; only `rpc` asks for it."""
    log: Literal["auto", "phonecall", "activity"] = "auto"
    """Where calls stand: rows of OCA's crm.phonecall, or done activities in the record's chatter."""
    activity_type: str = "mail.mail_activity_data_call"
    """External id of the type of activity that calls and follow-ups have."""
    batch: int = Field(100, ge=1, le=500)
    in_flight: int = Field(3, ge=1, le=16)
    per_second: float | None = Field(None, gt=0)
    timeout_seconds: float = Field(60.0, gt=0, le=600)
    unsure_seconds: float = Field(5.0, ge=0)
    overlap_minutes: float = Field(5.0, ge=1, le=24 * 60)
    """How far a pull begins before the last change it saw: who changed a record earlier may have committed later."""
    sources: dict[str, SourceTable] = {}

    @model_validator(mode="after")
    def _complete(self) -> "OdooTable":
        if self.transport == "rpc" and not self.user:
            raise ValueError("user: missing; transport = rpc asks for the login")
        return self


def odoo_table(tree: Map[str, Any], *, where: str) -> OdooTable:
    """Read the table. Raises SettingsError: file, key, and what is allowed."""
    try:
        return OdooTable.model_validate(tree)
    except ValidationError as error:
        problems = [{**one, "loc": ("odoo", *one["loc"])} for one in error.errors()]
        raise SettingsError("\n".join(told(one, where) for one in problems)) from None


def whole(domain: Sequence[Any]) -> Domain:
    """Return a domain as one expression, every join written out; [] stays []. Raises ValueError naming the term."""
    if len(domain) > _MOST_TERMS:
        raise ValueError(f"more than {_MOST_TERMS} terms")
    wanted, expressions = 0, 0
    for n, term in enumerate(domain):
        if isinstance(term, str):
            if term not in _JOINS:
                raise ValueError(f"term {n + 1}: {term!r} is none of & | !")
            wanted += _JOINS[term] - (1 if wanted else 0)
            continue
        _must_be_term(term, n + 1)
        if wanted:
            wanted -= 1
        if not wanted:
            expressions += 1
    if wanted:
        raise ValueError(f"{wanted} more terms are wanted by the joins before the last one")
    return ["&"] * (expressions - 1) + list(domain)


def both(one: Domain, other: Domain) -> Domain:
    """Return the domain of records that are in both; each is whole."""
    return ["&", *one, *other] if one and other else [*one, *other]


def _must_be_term(term: Any, n: int) -> None:
    if not isinstance(term, list) or len(term) != 3:
        raise ValueError(f"term {n}: expected is [field, operator, value]")
    field, operator, value = term
    if not isinstance(field, str) or not _FIELD.fullmatch(field):
        raise ValueError(f"term {n}: {field!r} is no name of a field")
    if operator not in OPERATORS:
        raise ValueError(
            f"term {n}: there is no operator {operator!r}; there are: {', '.join(sorted(OPERATORS))}"
        )
    values = value if isinstance(value, list) else [value]
    if (operator in ("in", "not in")) != isinstance(value, list) and operator not in (
        "child_of",
        "parent_of",
    ):
        raise ValueError(f"term {n}: {operator} takes {'a list' if 'in' in operator else 'one value'}")
    if not all(isinstance(each, str | int | float | bool) for each in values):
        raise ValueError(
            f"term {n}: a value is a text, a number, true or false; dates are texts, as 2026-01-31"
        )
