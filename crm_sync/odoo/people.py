"""Who our agents are in Odoo, and what else is named there and rarely changes: looked up together, kept for minutes."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from crm_sync.odoo.load import Calls
from crm_sync.port import CrmError
from cti.clock import Clock
from cti.model.crm import Answer

log = logging.getLogger(__name__)

KEEP_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class Person:
    """A user of Odoo."""

    id: int
    partner_id: int | None
    login: str
    email: str
    zone: str | None
    """IANA name."""

    @property
    def name(self) -> str:
        """His e-mail where he has one, else his login."""
        return self.email or self.login


class People:
    """Users by e-mail, login or id; leads' tags by name."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_name: dict[str, tuple[float, Person | None]] = {}
        self._tags: dict[str, int] = {}

    async def users(self, odoo: Calls, names: Iterable[str]) -> dict[str, Person | None]:
        """Return who is meant, None for a name that nobody has. Raises CrmError."""
        wanted = set(names)
        now = self._clock.monotonic()
        missing = [one for one in wanted if one not in self._by_name or self._by_name[one][0] <= now]
        if missing:
            found = await self._asked(odoo, missing)
            for name in missing:
                if found[name] is None:
                    log.warning("no user %r in Odoo: what is his there will be the bot's", name)
                self._by_name[name] = now + KEEP_SECONDS, found[name]
        return {one: self._by_name[one][1] for one in wanted}

    async def _asked(self, odoo: Calls, names: list[str]) -> dict[str, Person | None]:
        ids = [int(one) for one in names if one.isascii() and one.isdecimal() and len(one) < 10]
        texts = sorted({each for one in names for each in (one, one.lower())})
        rows = await odoo.call(
            "res.users",
            "search_read",
            domain=["|", "|", ["login", "in", texts], ["email", "in", texts], ["id", "in", ids]],
            fields=["login", "email", "partner_id", "tz"],
            order="id",
        )
        people = [person_of(row) for row in rows]
        return {name: _meant(name, people) for name in names}

    async def tags(self, odoo: Calls, names: Iterable[str]) -> Mapping[str, int]:
        """Return the ids of leads' tags; one that is not there is made. Raises CrmError."""
        missing = sorted(set(names) - set(self._tags))
        if missing:
            rows = await odoo.call(
                "crm.tag", "search_read", domain=[["name", "in", missing]], fields=["name"], order="id desc"
            )
            self._tags |= {row["name"]: row["id"] for row in rows}
        for name in missing:
            if name not in self._tags:
                self._tags[name] = await self._new_tag(odoo, name)
        return self._tags

    async def _new_tag(self, odoo: Calls, name: str) -> int:
        try:
            made = await odoo.call("crm.tag", "create", vals_list=[{"name": name}])
        except CrmError as error:
            if error.answer is Answer.UNKNOWN:  # names are unique there: the next look finds it
                raise CrmError(Answer.RETRY, f"while making the tag {name!r}: {error}") from None
            raise CrmError(error.answer, f"no tag {name!r}, and it cannot be made: {error}") from None
        return int(made[0] if isinstance(made, list) else made)

    def forget(self) -> None:
        """Look all up anew: somebody or something that was known is gone."""
        self._by_name.clear()
        self._tags.clear()


def person_of(row: Mapping[str, Any]) -> Person:
    """Return a row of res.users as a person."""
    partner = row.get("partner_id")
    return Person(
        id=int(row["id"]),
        partner_id=int(partner[0]) if isinstance(partner, list) and partner else None,
        login=str(row.get("login") or ""),
        email=str(row.get("email") or ""),
        zone=str(row["tz"]) if row.get("tz") else None,
    )


def _meant(name: str, people: list[Person]) -> Person | None:
    """Login before e-mail before id; letters' case last."""
    low = name.lower()
    tests = (
        lambda one: one.login == name,
        lambda one: one.email == name,
        lambda one: low in (one.login.lower(), one.email.lower()),
        lambda one: str(one.id) == name,
    )
    return next((one for test in tests for one in people if test(one)), None)
