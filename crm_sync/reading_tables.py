"""How records of a CRM are read into ours: the tables that adapters of their own share."""

from collections.abc import Mapping as Map
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from crm_sync.mapping import told
from cti.errors import SettingsError


class Table(BaseModel):
    """A table of a mapping file: no key that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class KindTable(Table):
    """Which of a kind's fields say what. An empty name: nothing says it."""

    numbers: tuple[str, ...] = ()
    """Fields with telephone numbers, best first."""
    stage: str = ""
    do_not_call: str = ""
    """Any value but an empty one, `false`, `no`, `n` and `0` forbids calling."""
    consent: str = ""
    zone: str = ""
    region: str = ""
    next_follow_up_at: str = ""
    fields: tuple[str, ...] = ()
    """Further fields that are handed on as they are."""
    over: dict[str, str] = {}
    """By stage: why a record in it is not dialed any more (`won`, `lost`, ...)."""

    def names(self) -> list[str]:
        """Return all fields that are to be asked for."""
        single = (
            self.stage,
            self.do_not_call,
            self.consent,
            self.zone,
            self.region,
            self.next_follow_up_at,
        )
        return list(dict.fromkeys([*self.numbers, *(one for one in single if one), *self.fields]))


T = TypeVar("T", bound=Table)


def table_of(kind: type[T], tree: Map[str, Any], *, where: str) -> T:
    """Read a table. Raises SettingsError: file, key, and what is allowed."""
    try:
        return kind.model_validate(tree)
    except ValidationError as error:
        raise SettingsError("\n".join(told(one, where) for one in error.errors())) from None


def truth(value: Any) -> bool | None:
    """Return what a field that says yes or no says, however it spells it; None: nothing."""
    match value:
        case None | "" | [] | ():
            return None
        case bool():
            return value
    return str(value).strip().lower() not in ("false", "no", "n", "0")
