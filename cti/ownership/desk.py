"""What people do with single contacts: look at the pool, claim, give back, transfer.

Asks the store, which judges; tells each move on the bus. Who may ask for what is told by the web.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from cti.errors import BadInput, Conflict, NotFound
from cti.model.agents import Agent
from cti.model.ownership import (
    Claim,
    Moved,
    MoveKind,
    NotMoved,
    Ownable,
    OwnerMove,
    PoolCount,
    Pooled,
    Selection,
    Terms,
    Wish,
)
from cti.ownership.house import House
from cti.ownership.words import refusal

MOST_CLAIMED = 500
"""Contacts that one claim takes at most; on SQLite calls wait meanwhile."""


class OwnershipDesk:
    """Who owns whom, and how that changes one by one."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def pool(
        self, campaign_ids: Iterable[int], *, list_id: int | None = None, limit: int
    ) -> tuple[list[PoolCount], list[Pooled]]:
        """Count the pool of these campaigns, and list whom a claim would get first, campaign by campaign."""
        wanted = sorted(set(campaign_ids))
        counts = await self._house.store.pool_counts(wanted)
        found: list[Pooled] = []
        for campaign_id in wanted:
            if len(found) < limit:
                found += await self._house.store.pool(campaign_id, list_id=list_id, limit=limit - len(found))
        return counts, found

    async def room(self, login: str) -> int | None:
        """Return how many more contacts an agent may own, None: any number. Raises NotFound."""
        agent = self._house.agent(login)
        cap = self._house.caps([agent]).get(agent.id)
        return None if cap is None else max(0, cap - (await self._house.store.owned()).get(agent.id, 0))

    async def moves(self, contact_id: int) -> list[OwnerMove]:
        """List a contact's owners, the oldest move first. Raises NotFound."""
        return await self._house.store.moves(contact_id)

    async def claim(
        self,
        login: str,
        count: int,
        *,
        campaign_id: int | None = None,
        list_id: int | None = None,
        by: str,
        lead: bool,
    ) -> Moved:
        """Give an agent the next `count` of the pool: of a campaign, else of all he works on.

        Fewer when the pool has no more for him, or at his cap. Raises NotFound, BadInput (he works on no campaign, or
        not on this one), Conflict (he is at his cap already).
        """
        agent = self._house.agent(login)
        campaign_ids = self._claimable(agent, campaign_id)
        room = await self.room(login)
        if room == 0:
            raise Conflict(f"{login} owns as many contacts as the rules allow; give some back first")
        moved = await self._house.store.claim(
            Claim(
                agent_id=agent.id, count=min(count, MOST_CLAIMED), campaign_ids=campaign_ids, list_id=list_id
            ),
            terms=self._house.terms(MoveKind.CLAIMED, by, [agent], named=campaign_id, heed=not lead),
        )
        self._house.tell(moved)
        return moved

    async def claim_these(self, login: str, contact_ids: Sequence[int], *, by: str, lead: bool) -> Moved:
        """Give an agent these contacts of the pool; an agent gets only those of campaigns he works on.

        What could not be given is told with its reason. Raises NotFound (login).
        """
        agent = self._house.agent(login)
        seen = set(contact_ids) if lead else await self._standing_in(agent.campaign_ids, contact_ids)
        wishes = [Wish(contact_id=one, before=None, after=agent.id) for one in contact_ids if one in seen]
        moved = await self._house.store.move(
            wishes, terms=self._house.terms(MoveKind.CLAIMED, by, [agent], heed=not lead)
        )
        self._house.tell(moved)
        unseen = {one: NotMoved.UNKNOWN for one in contact_ids if one not in seen}
        return replace(moved, refused={**moved.refused, **unseen})

    async def give_back(self, contact_id: int, *, login: str | None, reason: str, by: str) -> OwnerMove:
        """Put a contact back into the pool. `login`: only when he is this agent's. Raises NotFound, Conflict."""
        owner = (await self._contact(contact_id)).owner_id
        mine = owner if login is None else self._house.agent(login).id
        if owner is None:
            raise Conflict(f"contact {contact_id}: he is in the pool already")
        return await self._one(
            Wish(contact_id=contact_id, before=mine, after=None),
            self._house.terms(MoveKind.RETURNED, by, [], reason=reason),
        )

    async def transfer(self, contact_id: int, *, to: str, reason: str, by: str) -> Moved:
        """Move a contact to another agent, and with him what the same owner holds under one of his numbers.

        One of the pool is given. Raises NotFound, Conflict (why it is not done; then nothing is).
        """
        agent = self._house.agent(to)
        contact = await self._contact(contact_id)
        owner = contact.owner_id
        kind = MoveKind.ASSIGNED if owner is None else MoveKind.TRANSFERRED
        with_him = [one for one, theirs in contact.partners.items() if owner is not None and theirs == owner]
        wishes = [Wish(contact_id=one, before=owner, after=agent.id) for one in (contact_id, *with_him)]
        moved = await self._house.store.move(
            wishes, terms=self._house.terms(kind, by, [agent], reason=reason)
        )
        if contact_id in moved.refused:
            raise refusal(contact_id, moved.refused[contact_id])
        self._house.tell(moved)
        return moved

    async def _one(self, wish: Wish, terms: Terms) -> OwnerMove:
        moved = await self._house.store.move([wish], terms=terms)
        if not moved.moves:
            raise refusal(wish.contact_id, moved.refused[wish.contact_id])
        self._house.tell(moved)
        return moved.moves[0]

    async def _contact(self, contact_id: int) -> Ownable:
        for contact in await self._house.store.ownable(Selection(contact_ids=[contact_id]), limit=1):
            return contact
        raise NotFound(f"there is no contact {contact_id}")

    async def _standing_in(self, campaign_ids: Iterable[int], contact_ids: Sequence[int]) -> set[int]:
        """Return those of the contacts that stand in one of the campaigns."""
        found: set[int] = set()
        for campaign_id in campaign_ids:
            selection = Selection(campaign_id=campaign_id, contact_ids=contact_ids)
            found |= {
                one.contact_id for one in await self._house.store.ownable(selection, limit=len(contact_ids))
            }
        return found

    def _claimable(self, agent: Agent, campaign_id: int | None) -> list[int]:
        if campaign_id is not None and campaign_id not in agent.campaign_ids:
            raise BadInput(f"campaign: {agent.login} does not work on it")
        if not agent.campaign_ids:
            raise BadInput(f"{agent.login} works on no campaign, so there is no pool to claim from")
        return [campaign_id] if campaign_id is not None else list(agent.campaign_ids)
