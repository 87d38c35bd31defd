"""Consent, written down: by contact, or by a number for everybody who has it."""

from collections.abc import Sequence
from datetime import datetime

from cti.clock import Clock
from cti.compliance.consents import Consent, NewConsent
from cti.compliance.facts import ConsentStanding
from cti.compliance.ports import ConsentStore
from cti.compliance.register_file import number_key
from cti.errors import BadInput, NotFound


class ConsentDesk:
    """What people said to being called, for API and command line."""

    def __init__(self, *, store: ConsentStore, clock: Clock, region: str = "") -> None:
        """`region`: two-letter country of numbers that are written without one."""
        self._store = store
        self._clock = clock
        self._region = region

    async def record(
        self,
        *,
        contact_id: int | None = None,
        number: str | None = None,
        standing: ConsentStanding,
        at: datetime | None = None,
        source: str,
        evidence: str = "",
        by: str,
    ) -> list[Consent]:
        """Write down what was said; `at` is when (now, when it is not given). Returns a line for each contact.

        Raises BadInput (neither or both of contact and number, a time to come), NotFound (nobody has the number).
        """
        now = self._clock.now()
        if at is not None and at > now:
            raise BadInput("at: lies in the future")
        contacts = await self._contacts(contact_id, number)
        said = [
            NewConsent(contact_id=one, standing=standing, at=at or now, source=source, evidence=evidence)
            for one in contacts
        ]
        return await self._store.record(said, by=by, at=now)

    async def history(self, *, contact_id: int | None = None, number: str | None = None) -> list[Consent]:
        """List what a contact, or everybody with a number, said, oldest first. Raises as `record`."""
        lines = [
            line
            for one in await self._contacts(contact_id, number)
            for line in await self._store.history(one)
        ]
        return sorted(lines, key=lambda line: (line.at, line.id))

    async def _contacts(self, contact_id: int | None, number: str | None) -> Sequence[int]:
        if (contact_id is None) == (number is None):
            raise BadInput("give exactly one of contact_id and number")
        if number is None:
            return [contact_id] if contact_id is not None else []
        key = number_key(number, region=self._region)
        contacts = await self._store.contacts_of(key)
        if not contacts:
            raise NotFound(f"no contact has the number {key}")
        return contacts
