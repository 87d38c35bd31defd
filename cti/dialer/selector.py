"""Who is next under all rules: asks the gate, gives back whom it allows, parks whom it does not.

A refused contact is parked with the reason and the moment from which he may be looked at again, so that nobody is
looked at twice for nothing. Zones in which the hours are closed are left alone as a whole.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile
from math import ceil
from typing import Final

from cti.dialer.candidate_ports import Chances, Gate
from cti.dialer.parker import Parker
from cti.dialer.queue_ports import QueueStore
from cti.model.campaign_rules import Order
from cti.model.contacts import Campaign, Candidate, Mode
from cti.model.standing import Lane, Parked
from cti.model.verdicts import SkipReason, Verdict

ROUNDS: Final = 4
"""Looks at the store for one choice: a list of which nearly all are forbidden must not hold up other campaigns. The
next choice goes on behind those who were parked."""
LOOK_AHEAD: Final = 500
"""So many contacts are compared by their answer chances."""
MOST_AT_ONCE: Final = 500
LEAST_SHARE: Final = 0.1
"""At least so many are taken to be allowed: one look is never more than ten times as large as what is wanted."""
MARGIN: Final = 1.12
"""So many more are looked at than the share asks for: a second look costs as much as the first."""
MEMORY: Final = 0.8
"""How much the share allowed so far counts against that of the last look."""
SOON: Final = timedelta(seconds=1)
"""A verdict that says "ask again at once" would be asked for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanes:
    """The lanes of a campaign that hold somebody."""

    open: tuple[Lane, ...] = ()
    """In zones where it may call now; first first."""
    closed: tuple[Lane, ...] = ()

    @property
    def owners(self) -> frozenset[int]:
        """Return who has somebody to be dialed now (`NOBODY`: an unowned contact is there)."""
        return frozenset(lane.owner_id for lane in self.open)


class Selector:
    """Chooses the next contacts."""

    def __init__(
        self, *, store: QueueStore, gate: Gate, chances: Chances | None = None, parker: Parker | None = None
    ) -> None:
        """Without a `parker` each choice itself writes whom it parks."""
        self._store = store
        self._parker = parker
        self._gate = gate
        self._chances = chances
        self._shares: dict[int, float] = {}
        self._zones: set[str] = set()

    async def lanes(self, campaign: Campaign, now: datetime, *, owners: Collection[int]) -> Lanes:
        """Return the lanes of these owners (`NOBODY` among them or not). Raises StorageError."""
        found = await self._store.lanes(campaign.id, owners=owners)
        zones = self._gate.open_zones(campaign, {lane.zone for lane in found}, now)
        return Lanes(
            open=tuple(lane for lane in found if lane.zone in zones),
            closed=tuple(lane for lane in found if lane.zone not in zones),
        )

    async def choose(
        self,
        campaign: Campaign,
        *,
        wanted: int,
        owners: Collection[int],
        now: datetime,
        skip: Collection[int] = (),
    ) -> list[Candidate]:
        """Return at most `wanted` contacts that may be dialed now, first first; fewer does not mean that none is left.

        `owners`: whose contacts, `NOBODY` for those that nobody owns. `skip`: entries that are in hand already.
        Raises StorageError.
        """
        chosen: list[Candidate] = []
        passed_over = set(skip) | (self._parker.held(campaign.id) if self._parker else set())
        for _ in range(ROUNDS):
            if len(chosen) >= wanted:
                break
            looked_at = self._how_many(campaign.id, wanted - len(chosen))
            found = await self._heads(campaign, owners, limit=looked_at, skip=passed_over, now=now)
            passed_over |= {one.entry_id for one in found}
            chosen += await self._allowed(campaign, _strangers(found, chosen), now)
            if len(found) < looked_at:
                break
        return chosen[:wanted]

    async def outlook(
        self, campaign: Campaign, *, owners: Collection[int], count: int, now: datetime
    ) -> tuple[float, ...]:
        """Return the answer chances of the contacts who come next, as far as they were learned. Raises StorageError."""
        if self._chances is None:
            return ()
        found = await self._heads(campaign, owners, limit=count, skip=(), now=now)
        known = [one.answer_chance for one in found]
        return tuple(takewhile(lambda chance: chance is not None, known))  # type: ignore[arg-type]

    async def _heads(
        self,
        campaign: Campaign,
        owners: Collection[int],
        *,
        limit: int,
        skip: Collection[int],
        now: datetime,
    ) -> list[Candidate]:
        """Return the next ones with their answer chances, where those matter to the campaign.

        A chance depends on the hour, so no rank that is stored could hold it: the likeliest of the next `LOOK_AHEAD`
        come first, among those of equal priority.
        """
        by_chance = campaign.rules.order.order is Order.ANSWER_CHANCE
        if self._chances is None or not (by_chance or campaign.mode is Mode.PREDICTIVE):
            return await self._look(campaign, owners, limit=limit, skip=skip, now=now)
        wanted = max(limit, LOOK_AHEAD) if by_chance else limit
        found = await self._look(campaign, owners, limit=wanted, skip=skip, now=now)
        chances = await self._chances.chances(found, now)
        known = [replace(one, answer_chance=chance) for one, chance in zip(found, chances, strict=True)]
        if by_chance:
            known.sort(key=_likeliest_first)
        return known[:limit]

    async def _look(
        self,
        campaign: Campaign,
        owners: Collection[int],
        *,
        limit: int,
        skip: Collection[int],
        now: datetime,
    ) -> list[Candidate]:
        """Return the next ones in zones that are open.

        Asking for the zones first would be a trip to the database more. Those seen before are told to the store
        instead; it is asked again only when one that was not seen yet turns out to be closed.
        """
        while True:
            known = frozenset(
                self._zones
            )  # another choice may come to know one while this one waits for the store
            closed = known - self._gate.open_zones(campaign, known, now)
            found = await self._store.heads(
                campaign.id, owners=owners, closed_zones=closed, limit=limit, skip=skip
            )
            new = {one.zone for one in found} - known
            self._zones |= new
            if len(self._gate.open_zones(campaign, new, now)) == len(new):
                return found

    async def _allowed(
        self, campaign: Campaign, candidates: Sequence[Candidate], now: datetime
    ) -> list[Candidate]:
        """Return those whom the gate allows, and park the others."""
        reachable = [one for one in candidates if one.number]
        verdicts = await self._gate.ask(campaign, reachable, now) if reachable else []
        asked = list(zip(reachable, verdicts, strict=True))
        parked = [parking(one, verdict, now) for one, verdict in asked if not verdict.allowed]
        parked += [_without_number(one) for one in candidates if not one.number]
        await (self._parker or self._store).park(parked, at=now)
        allowed = [one for one, verdict in asked if verdict.allowed]
        self._learn(campaign.id, len(allowed), len(candidates))
        return allowed

    def _how_many(self, campaign_id: int, wanted: int) -> int:
        share = self._shares.get(campaign_id, 1.0)
        margin = 1.0 if share == 1.0 else MARGIN
        return min(MOST_AT_ONCE, ceil(wanted * margin / max(LEAST_SHARE, share)))

    def _learn(self, campaign_id: int, allowed: int, looked_at: int) -> None:
        if looked_at:
            before = self._shares.get(campaign_id, 1.0)
            self._shares[campaign_id] = MEMORY * before + (1 - MEMORY) * allowed / looked_at


def _likeliest_first(candidate: Candidate) -> tuple[int, float, float, int]:
    return (-candidate.priority, -(candidate.answer_chance or 0.0), candidate.rank, candidate.entry_id)


def _strangers(found: Sequence[Candidate], chosen: Sequence[Candidate]) -> list[Candidate]:
    """Leave out whoever shares a number or a contact with one chosen: the gate does not know of that call yet."""
    numbers, contacts = {one.number for one in chosen}, {one.contact_id for one in chosen}
    return [one for one in found if one.number not in numbers and one.contact_id not in contacts]


def parking(candidate: Candidate, verdict: Verdict, now: datetime) -> Parked:
    """Return how a refused candidate stands from now on."""
    until = None if verdict.until is None else max(verdict.until, now + SOON)
    reason = verdict.reason or SkipReason.STOPPED
    return Parked(candidate=candidate, reason=reason, detail=verdict.detail, until=until)


def _without_number(candidate: Candidate) -> Parked:
    detail = f"the contact has no number at position {candidate.number_position}"
    return Parked(candidate=candidate, reason=SkipReason.NO_NUMBER, detail=detail)
