"""`OwnershipStore` in memory. What is judged is judged by the same pure function as in the database."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from cti.errors import NotFound
from cti.model.callbacks import CallbackMove, CallbackMoveKind, CallbackState
from cti.model.contacts import EntryState
from cti.model.ownership import (
    Claim,
    Moved,
    Ownable,
    OwnerMove,
    PoolCount,
    Pooled,
    Selection,
    Success,
    Terms,
    Untouched,
    Wish,
)
from cti.ownership.assignment import advanced
from cti.ownership.judging import Held, Takers, is_due, judged
from cti.storage.owner_rows import passed_on
from tests.fakes.memory_tables import Entry, MemoryTables


class MemoryOwnership:
    """Owners in a dictionary, moves in a list."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()

    async def move(self, wishes: Sequence[Wish], *, terms: Terms) -> Moved:
        return self._move(wishes, terms)

    def _move(self, wishes: Sequence[Wish], terms: Terms) -> Moved:
        tables = self._tables
        known = list(tables.contacts)
        takers = Takers(
            owned=Counter(one.owner for one in tables.ownerships.values() if one.owner is not None),
            here={agent.id for agent in tables.agents.values() if agent.left_at is None},
            gone={agent.id for agent in tables.agents.values() if agent.left_at is not None},
        )
        wanted = {wish.contact_id for wish in wishes}
        wanted |= {partner for one in wanted for partner in self._partners(one)}
        held = {one: self._held(one, terms.protected_since) for one in known if one in wanted}
        moved = judged(wishes, terms=terms, held=held, takers=takers)
        for move in moved.moves:
            self._write(move)
            tables.write_works(terms.works(move), terms.at)
        if terms.rota is not None:
            given = Counter(move.after for move in moved.moves if move.after is not None)
            turns = tables.rotas.get(terms.rota.name, {})
            tables.rotas[terms.rota.name] = advanced(turns, terms.rota.weights, given)
        return moved

    async def claim(self, claim: Claim, *, terms: Terms) -> Moved:
        moves: list[OwnerMove] = []
        for contact_id in self._pool(claim.campaign_ids, claim.list_id):
            if len(moves) == claim.count:
                break
            wish = Wish(contact_id=contact_id, before=None, after=claim.agent_id)
            moves += self._move([wish], terms).moves
        return Moved(moves=tuple(moves))

    async def ownable(
        self, selection: Selection, *, after: int = 0, limit: int, since: datetime | None = None
    ) -> list[Ownable]:
        tables = self._tables
        chosen = [one for one in sorted(tables.contacts) if one > after and self._matches(one, selection)]
        return [
            Ownable(
                contact_id=one,
                name=tables.contacts[one].name,
                owner_id=tables.ownerships[one].owner,
                stopped=tables.ownerships[one].stopped_at is not None,
                fields=tables.contacts[one].fields,
                partners={other: tables.ownerships[other].owner for other in self._partners(one)},
                given_back_by=self._given_back_by(one, since),
            )
            for one in chosen[:limit]
        ]

    async def due(self, campaign_id: int, agent_id: int, untouched: Untouched, *, limit: int) -> list[int]:
        found = [
            one
            for one in self._tables.contacts
            if self._tables.ownerships[one].owner == agent_id
            and self._entries(one, campaign_id)
            and is_due(self._held(one, None), untouched)
        ]
        return found[:limit]

    async def owned(self) -> Mapping[int, int]:
        return Counter(one.owner for one in self._tables.ownerships.values() if one.owner is not None)

    async def turns(self, rota: str) -> Mapping[int, float]:
        return self._tables.rotas.get(rota, {})

    async def moves(self, contact_id: int) -> list[OwnerMove]:
        if contact_id not in self._tables.contacts:
            raise NotFound(f"there is no contact {contact_id}")
        return [move for move in self._tables.owner_moves if move.contact_id == contact_id]

    async def pool_counts(self, campaign_ids: Collection[int]) -> list[PoolCount]:
        return [
            PoolCount(
                campaign_id=campaign_id,
                fresh=sum(_is_fresh(entry, campaign_id) for entry in self._tables.entries.values()),
                returned=len([*self._returned(campaign_id, None)]),
            )
            for campaign_id in sorted(set(campaign_ids))
        ]

    async def pool(self, campaign_id: int, *, list_id: int | None = None, limit: int) -> list[Pooled]:
        return [
            Pooled(
                contact_id=one,
                name=self._tables.contacts[one].name,
                campaign_id=campaign_id,
                list_id=min(entry.list_id for entry in self._entries(one, campaign_id)),
                returned_at=self._tables.ownerships[one].returned_at,
            )
            for one in self._pool([campaign_id], list_id)[:limit]
        ]

    async def successes(
        self, codes: Collection[str], *, since: datetime, call_id: str | None = None
    ) -> list[Success]:
        found = []
        for call in sorted(self._tables.calls.values(), key=lambda call: call.id):
            verdict = self._tables.verdicts.get(call.id)
            if verdict is None or verdict.disposition not in codes or call_id not in (None, call.id):
                continue
            agent_id = verdict.agent_id or call.agent_id
            if None in (call.contact_id, agent_id, call.campaign_id) or call.placed_at < since:
                continue
            contact = self._tables.ownerships[call.contact_id or 0]
            if contact.owner is None and (contact.returned_at is None or contact.returned_at < verdict.at):
                found.append(
                    Success(
                        call_id=call.id,
                        contact_id=call.contact_id or 0,
                        agent_id=agent_id or 0,
                        campaign_id=call.campaign_id or 0,
                        disposition=verdict.disposition,
                    )
                )
        return found

    def _write(self, move: OwnerMove) -> None:
        contact = self._tables.ownerships[move.contact_id]
        contact.owner, contact.failures = move.after, 0
        contact.since = move.at if move.after is not None else None
        if move.after is None:
            contact.returned_at, contact.returned_by = move.at, move.before
        for entry in self._tables.entries.values():
            if entry.contact_id == move.contact_id and entry.owner_key in (0, move.before or 0):
                entry.owner_key = move.after or 0
        self._tables.owner_moves.append(move)
        if move.before is not None:
            self._pass_on_promises(move)

    def _pass_on_promises(self, move: OwnerMove) -> None:
        for one in list(self._tables.callbacks.values()):
            mine = (one.contact_id, one.agent_id) == (move.contact_id, move.before)
            if mine and one.state in (CallbackState.PLANNED, CallbackState.DUE):
                self._tables.callbacks[one.id] = replace(one, agent_id=move.after, changed_at=move.at)
                noted = {key: value for key, value in passed_on(one.id, move).items() if key != "callback_id"}
                told = CallbackMove(**noted | {"kind": CallbackMoveKind(noted["kind"])})
                self._tables.callback_moves.setdefault(one.id, []).append(told)

    def _held(self, contact_id: int, since: datetime | None) -> Held:
        contact = self._tables.ownerships[contact_id]
        return Held(
            owner=contact.owner,
            stopped=contact.stopped_at is not None,
            dialing=any(entry.state is EntryState.DIALING for entry in self._entries(contact_id, None)),
            owner_since=contact.since or self._tables.created_at.get(contact_id),
            last_talk_at=contact.last_talk_at,
            failures=contact.failures,
            partners=self._partners(contact_id),
            given_back_by=self._given_back_by(contact_id, since),
        )

    def _partners(self, contact_id: int) -> list[int]:
        contact = self._tables.contacts.get(contact_id)
        numbers = {number.e164 for number in contact.numbers} if contact else set()
        return [
            other
            for other, known in self._tables.contacts.items()
            if other != contact_id and numbers & {number.e164 for number in known.numbers}
        ]

    def _given_back_by(self, contact_id: int, since: datetime | None) -> frozenset[int]:
        return frozenset(
            move.before
            for move in self._tables.owner_moves
            if since is not None
            and move.contact_id == contact_id
            and move.after is None
            and move.before is not None
            and move.at > since
        )

    def _entries(self, contact_id: int, campaign_id: int | None) -> list[Entry]:
        return [
            entry
            for entry in self._tables.entries.values()
            if entry.contact_id == contact_id and campaign_id in (None, entry.campaign_id)
        ]

    def _matches(self, contact_id: int, selection: Selection) -> bool:
        owner = self._tables.ownerships[contact_id].owner
        entries = [
            entry
            for entry in self._entries(contact_id, selection.campaign_id)
            if selection.list_id in (None, entry.list_id)
        ]
        everywhere = selection.campaign_id is None and selection.list_id is None
        return (
            (everywhere or bool(entries))
            and (selection.contact_ids is None or contact_id in selection.contact_ids)
            and selection.owner_id in (None, owner)
            and not (selection.unowned and owner is not None)
        )

    def _pool(self, campaign_ids: Iterable[int], list_id: int | None) -> list[int]:
        entries = self._tables.entries.values()
        fresh = [
            entry.contact_id
            for campaign_id in campaign_ids
            for entry in sorted(entries, key=_order)
            if _is_fresh(entry, campaign_id) and list_id in (None, entry.list_id)
        ]
        given_back = [one for campaign_id in campaign_ids for one in self._returned(campaign_id, list_id)]
        return list(dict.fromkeys([*fresh, *given_back]))

    def _returned(self, campaign_id: int, list_id: int | None) -> list[int]:
        tables = self._tables
        found = [
            (contact.returned_at, one)
            for one, contact in tables.ownerships.items()
            if contact.owner is None
            and contact.returned_at is not None
            and contact.stopped_at is None
            and any(list_id in (None, entry.list_id) for entry in self._entries(one, campaign_id))
        ]
        return [one for _, one in sorted(found)]


def _is_fresh(entry: Entry, campaign_id: int) -> bool:
    return (entry.campaign_id, entry.owner_key, entry.state) == (campaign_id, 0, EntryState.PENDING)


def _order(entry: Entry) -> tuple[int, float, int]:
    return -entry.priority, entry.rank, entry.id
