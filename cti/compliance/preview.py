"""How many of a campaign's contacts would be refused, by reason, now or at another time; and why one would.

Looks in bites and gives way between them, so that dialing goes on; a campaign of a million is asked page by page.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cti.compliance.gate import ComplianceGate
from cti.compliance.law import Law
from cti.compliance.ports import ComplianceStore, ConsentStore
from cti.compliance.profiles import Profile, Profiles
from cti.compliance.register_file import number_key
from cti.errors import BadInput
from cti.model.contacts import Campaign, Candidate, EntryState
from cti.model.findings import Finding
from cti.model.verdicts import SkipReason, Verdict

BITE: Final = 250
"""Contacts looked at in one go."""
SAMPLES: Final = 5
"""Contacts told for each reason."""
STATES: Final = (EntryState.PENDING, EntryState.WAITING)
"""Who may still be dialed."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: behind this entry of this state."""

    state: EntryState = EntryState.PENDING
    after: int = 0

    def __str__(self) -> str:
        return f"{self.state}-{self.after}"


def place_called(text: str) -> Place:
    """Read what `str(Place)` wrote. Raises BadInput."""
    state, _, after = text.partition("-")
    if state not in STATES or not after.isdecimal() or len(after) > 18:
        raise BadInput(f"from: {text[:40]!r} is no place in a preview")
    return Place(EntryState(state), int(after))


@dataclass(slots=True)
class Preview:
    """One page of the answer."""

    at: datetime
    looked_at: int = 0
    allowed: int = 0
    refused: Counter[SkipReason] = field(default_factory=Counter)
    samples: dict[SkipReason, list[tuple[Candidate, Verdict]]] = field(default_factory=dict)
    """A few of each reason."""
    following: Place | None = Place()
    """Where to go on; None: all were looked at."""

    def note(self, candidate: Candidate, verdict: Verdict) -> None:
        """Count one."""
        self.looked_at += 1
        if verdict.allowed or verdict.reason is None:
            self.allowed += 1
            return
        self.refused[verdict.reason] += 1
        samples = self.samples.setdefault(verdict.reason, [])
        if len(samples) < SAMPLES:
            samples.append((candidate, verdict))


class ComplianceDesk:
    """Profiles, previews and reasons, for API and command line."""

    def __init__(
        self,
        *,
        gate: ComplianceGate,
        profiles: Profiles,
        store: ComplianceStore,
        consents: ConsentStore,
        region: str = "",
    ) -> None:
        """`region`: two-letter country of numbers that are written without one."""
        self._gate = gate
        self._profiles = profiles
        self._store = store
        self._consents = consents
        self._region = region

    def profiles(self) -> list[Profile]:
        """List the profiles by name."""
        return self._profiles.all()

    def profile(self, name: str) -> Profile:
        """Return one. Raises BadInput."""
        return self._profiles.get(name)

    def findings(self, campaign: Campaign) -> list[Finding]:
        """Return how a campaign stands to its profile, see the gate. Raises BadInput."""
        return self._gate.findings(campaign)

    async def preview(
        self,
        campaign: Campaign,
        *,
        at: datetime,
        list_id: int | None = None,
        start: Place = Place(),
        at_most: int,
    ) -> Preview:
        """Look at so many contacts of the campaign, or of one of its lists, as if they were asked for at that time.

        Facts are those of now: attempts that dialing will make until then are not foreseen.
        """
        found = Preview(at=at, following=start)
        while found.following is not None and found.looked_at < at_most:
            place = found.following
            limit = min(BITE, at_most - found.looked_at)
            bite = await self._store.entries(
                campaign.id, place.state, after=place.after, limit=limit, list_id=list_id
            )
            for candidate, verdict in zip(bite, await self._look(campaign, bite, at), strict=True):
                found.note(candidate, verdict)
            found.following = _following(place, bite, limit)
        return found

    async def _look(self, campaign: Campaign, bite: Sequence[Candidate], at: datetime) -> list[Verdict]:
        with_number = [one for one in bite if one.number]
        verdicts = iter(await self._gate.look(campaign, with_number, at))
        return [next(verdicts) if one.number else NUMBERLESS for one in bite]

    async def why(
        self, campaign: Campaign, number: str, at: datetime
    ) -> tuple[str, Sequence[int], Law, Mapping[SkipReason, Verdict]]:
        """Return a number's key, the contacts that have it, the law for it, and each check's answer for the first.

        Raises BadInput.
        """
        key = number_key(number, region=self._region)
        contacts = await self._consents.contacts_of(key)
        candidate = Candidate(
            entry_id=0,
            list_id=0,
            campaign_id=campaign.id,
            contact_id=contacts[0] if contacts else 0,
            number_id=0,
            number=key,
            name="",
        )
        law, checks = await self._gate.why(campaign, candidate, at)
        return key, contacts, law, checks


NUMBERLESS: Final = Verdict(allowed=False, reason=SkipReason.NO_NUMBER, detail="the number is gone")


def _following(place: Place, bite: Sequence[Candidate], limit: int) -> Place | None:
    if len(bite) == limit:
        return Place(place.state, bite[-1].entry_id)
    later = STATES[STATES.index(place.state) + 1 :]
    return Place(later[0]) if later else None
