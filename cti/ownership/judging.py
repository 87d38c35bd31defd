"""Which wishes are carried out, from what is locked in the database at that moment. Pure; all stores ask it.

The invariants of ownership are kept here: one owner at most, caps, no customer with two agents.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cti.model.ownership import Moved, NotMoved, OwnerMove, Terms, Untouched, Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A contact as he is now, and locked."""

    owner: int | None = None
    stopped: bool = False
    dialing: bool = False
    """An attempt at him is under way."""
    owner_since: datetime | None = None
    """Since when he is this owner's; of one who came with an owner, since when he is here."""
    last_talk_at: datetime | None = None
    failures: int = 0
    partners: Collection[int] = ()
    """Ids of other contacts that share a number with him."""
    given_back_by: Collection[int] = ()
    """Agents who gave him back since `Terms.protected_since`."""


@dataclass(slots=True)
class Takers:
    """The agents that contacts come to."""

    owned: Counter[int] = field(default_factory=Counter)
    """How many each owns now."""
    here: Collection[int] = ()
    """Those who work here."""
    gone: Collection[int] = ()
    """Those who left: what still belongs to them is on its way to others."""


def judged(
    wishes: Sequence[Wish],
    *,
    terms: Terms,
    held: Mapping[int, Held],
    takers: Takers,
    missing: Collection[int] = (),
) -> Moved:
    """Say what moves and what does not, wish after wish: each sees what those before it changed.

    `held` are contacts and their partners, by id. A contact that is in `missing` is locked by somebody else; neither
    he nor whoever shares a number with him is moved.
    """
    judge = _Judge(terms, held, takers, missing)
    for customer in _customers(wishes, held):
        judge.decide(customer)
    return Moved(moves=tuple(judge.moves), refused=judge.refused)


def _customers(wishes: Sequence[Wish], held: Mapping[int, Held]) -> list[list[Wish]]:
    """Put wishes for contacts that share a number together, in the order of the first of each."""
    by_contact = {wish.contact_id: wish for wish in wishes}
    customers = []
    while by_contact:
        reached = [next(iter(by_contact))]
        customer = []
        while reached:
            wish = by_contact.pop(reached.pop(), None)
            if wish is not None:
                customer.append(wish)
                reached.extend(held[wish.contact_id].partners if wish.contact_id in held else ())
        customers.append(customer)
    return customers


class _Judge:
    """Owners and counts as the wishes change them."""

    def __init__(
        self, terms: Terms, held: Mapping[int, Held], takers: Takers, missing: Collection[int]
    ) -> None:
        self._terms = terms
        self._held = held
        self._takers = takers
        self._missing = missing
        self._owners = {contact_id: one.owner for contact_id, one in held.items()}
        self._owned = Counter(takers.owned)
        self.moves: list[OwnerMove] = []
        self.refused: dict[int, NotMoved] = {}

    def decide(self, customer: Sequence[Wish]) -> None:
        """Carry the wishes out together; where that would part the customer, each for itself and strictly."""
        if len(customer) > 1:
            before = dict(self._owners), self._owned.copy(), dict(self.refused)
            moved = [wish for wish in customer if self._try(wish, together=True)]
            if all(self._is_whole(wish) for wish in moved):
                self.moves.extend(_move(wish, self._terms) for wish in moved)
                return
            self._owners, self._owned, self.refused = before
        self.moves.extend(_move(wish, self._terms) for wish in customer if self._try(wish))

    def _try(self, wish: Wish, *, together: bool = False) -> bool:
        reason = self._why_not(wish)
        if reason is None and not together and not self._is_whole(wish):
            reason = NotMoved.SHARED_NUMBER
        if reason is not None:
            self.refused[wish.contact_id] = reason
            return False
        self._owners[wish.contact_id] = wish.after
        if wish.before is not None:
            self._owned[wish.before] -= 1
        if wish.after is not None:
            self._owned[wish.after] += 1
        return True

    def _why_not(self, wish: Wish) -> NotMoved | None:
        contact = self._held.get(wish.contact_id)
        if contact is None:
            return NotMoved.OWNED if wish.contact_id in self._missing else NotMoved.UNKNOWN
        if self._owners[wish.contact_id] != wish.before or wish.before == wish.after:
            return NotMoved.OWNED if wish.before is None else NotMoved.NOT_THEIRS
        terms = self._terms
        if terms.untouched is not None and (contact.dialing or not is_due(contact, terms.untouched)):
            return NotMoved.DIALING if contact.dialing else NotMoved.NOT_THEIRS
        return None if wish.after is None else self._why_not_to(wish.after, wish, contact)

    def _why_not_to(self, agent_id: int, wish: Wish, contact: Held) -> NotMoved | None:
        cap = self._terms.caps.get(agent_id)
        against = (
            (contact.stopped and not self._terms.stopped_too, NotMoved.STOPPED),
            (contact.dialing and wish.before is None and not self._terms.dialing_too, NotMoved.DIALING),
            (agent_id not in self._takers.here, NotMoved.LEFT),
            (cap is not None and self._owned[agent_id] >= cap, NotMoved.CAP),
            (agent_id in contact.given_back_by, NotMoved.PROTECTED),
        )
        return next((reason for holds, reason in against if holds), None)

    def _is_whole(self, wish: Wish) -> bool:
        """Whether nobody else has a contact that shares a number with this one, once he belongs to his new owner."""
        if wish.after is None:
            return True
        partners = self._held[wish.contact_id].partners if wish.contact_id in self._held else ()
        harmless = {None, wish.after, *self._takers.gone}
        return all(
            partner not in self._missing and self._owners.get(partner) in harmless for partner in partners
        )


def is_due(contact: Held, untouched: Untouched) -> bool:
    """Whether the rule of automatic returns holds for a contact."""
    if untouched.failures is not None and contact.failures >= untouched.failures:
        return True
    known = [moment for moment in (contact.owner_since, contact.last_talk_at) if moment is not None]
    if untouched.no_talk_since is None or not known:
        return False
    return max(known) < untouched.no_talk_since


def _move(wish: Wish, terms: Terms) -> OwnerMove:
    return OwnerMove(
        contact_id=wish.contact_id,
        at=terms.at,
        before=wish.before,
        after=wish.after,
        kind=terms.kind,
        reason=terms.reason,
        by=terms.by,
    )
