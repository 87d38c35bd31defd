"""Shares contacts out among agents: assignment by leads, and what becomes of the contacts of who leaves."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cti.errors import BadInput
from cti.model.agents import Agent
from cti.model.ownership import MoveKind, Selection, Terms, Wish
from cti.ownership.assignment import Asked, Taker, taker_of
from cti.ownership.house import House
from cti.ownership.sharing import BITE, Method, Order, Shared, Sharing


class Distributor:
    """Gives many contacts to agents, as a plan or for good."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def assign(
        self,
        selection: Selection,
        *,
        to: Sequence[str],
        method: Method = Method.ROUND_ROBIN,
        asked: Asked | None = None,
        take_over: bool = False,
        most: int | None = None,
        reason: str = "",
        by: str,
        dry_run: bool,
    ) -> Shared:
        """Share contacts out among agents: to one by hand, to several in turn or by weight, to all of a campaign.

        Without `to` everybody who works on the selection's campaign takes part. By hand a lead may also give a
        contact to whoever gave him back lately; a distribution heeds the protection. Raises NotFound, BadInput.
        """
        agents = self._takers(to, selection.campaign_id)
        by_weight = method is Method.WEIGHTS and len(agents) > 1
        terms = self._house.terms(
            MoveKind.ASSIGNED, by, agents, named=selection.campaign_id, heed=len(agents) > 1, reason=reason
        )
        order = Order(
            selection=selection,
            rota=f"{method if by_weight else Method.ROUND_ROBIN}/{selection.campaign_id or 'all'}",
            asked=asked or Asked(),
            take_over=take_over,
            heed_protection=len(agents) > 1,
            most=most,
        )
        sharing = Sharing(
            store=self._house.store,
            order=order,
            takers=await self._sharers(agents, terms.caps, by_weight=by_weight),
            told=self._house.tell,
        )
        return await (sharing.look(since=terms.protected_since) if dry_run else sharing.carry_out(terms))

    async def hand_over(
        self, login: str, *, to: Sequence[str], by: str, reason: str = "", dry_run: bool = False
    ) -> Shared:
        """Give all contacts of an agent who left to others by their weights; without `to`, and the rest, to the pool.

        Raises NotFound, BadInput (he is among those who get them).
        """
        leaver, agents = self.receivers(login, to)
        terms = self._house.terms(MoveKind.LEFT, by, agents, reason=reason)
        selection = Selection(owner_id=leaver.id)
        sharing = Sharing(
            store=self._house.store,
            order=Order(
                selection=selection, rota=f"leave/{leaver.id}", take_over=True, heed_protection=False
            ),
            takers=await self._sharers(agents, terms.caps, by_weight=True),
            told=self._house.tell,
        )
        if dry_run:
            return await sharing.look(since=None)
        shared = await sharing.carry_out(terms)
        await self._all_to_pool(leaver.id, terms)
        return shared

    def receivers(self, login: str, to: Sequence[str]) -> tuple[Agent, list[Agent]]:
        """Return who hands over and who takes over; asked before anybody is noted as gone.

        Raises NotFound, BadInput (he is among those who get his contacts, or one of these left, too).
        """
        leaver = self._house.agent(login)
        agents = self._takers(to, None) if to else []
        for agent in agents:
            if agent.id == leaver.id or agent.left_at is not None:
                raise BadInput(f"to: {agent.login} cannot take over; he is who leaves, or left already")
        return leaver, agents

    async def _all_to_pool(self, agent_id: int, terms: Terms) -> None:
        while contacts := await self._house.store.ownable(Selection(owner_id=agent_id), limit=BITE):
            wishes = [Wish(contact_id=one.contact_id, before=agent_id, after=None) for one in contacts]
            moved = await self._house.store.move(wishes, terms=replace(terms, rota=None))
            self._house.tell(moved)
            if not moved.moves:
                return

    async def _sharers(
        self, agents: Sequence[Agent], caps: Mapping[int, int], *, by_weight: bool
    ) -> list[Taker]:
        owned = await self._house.store.owned()
        made = (
            taker_of(agent, owned=owned.get(agent.id, 0), cap=caps.get(agent.id), by_weight=by_weight)
            for agent in agents
        )
        return [taker for taker in made if taker is not None]

    def _takers(self, logins: Sequence[str], campaign_id: int | None) -> list[Agent]:
        if logins:
            return [self._house.agent(login) for login in dict.fromkeys(logins)]
        if campaign_id is None:
            raise BadInput("to: name the agents who get the contacts, or the campaign whose agents do")
        team = [
            agent
            for agent in self._house.agents()
            if campaign_id in agent.campaign_ids and agent.left_at is None
        ]
        if not team:
            raise BadInput("to: nobody works on the campaign; name agents")
        return team
