"""Shares contacts out among agents: by hand, in turn, by weights, by a skill that the contact asks for. Pure.

One method serves all: each agent has a *turn*, a number that grows by 1 / weight with every contact he gets, and
whoever may have the contact and has the lowest turn gets him (stride scheduling, Waldspurger and Weihl 1995). Equal
weights make it round robin; the turns are kept between runs, so that several small runs are as fair as a large one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from cti.model.agents import Agent
from cti.model.ownership import NotMoved, Ownable

Turns = Mapping[int, float]
"""By agent; the lowest is next. Who is not in it begins at 0, where the next one stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taker:
    """An agent who takes part."""

    agent_id: int
    weight: float = 1.0
    """More than 0."""
    room: int | None = None
    """How many more he may own; None: any number."""
    skills: frozenset[str] = frozenset()
    """In lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the contacts ask of an agent."""

    attribute: str | None = None
    """`zone`, `stage` or `field:NAME`: the contact's word there must be among the agent's skills. None: nothing."""
    anybody_without: bool = False
    """Whether who has no word there goes to anybody; else he goes to nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Who gets whom."""

    given: Mapping[int, int] = field(default_factory=dict)
    """Agent by contact."""
    refused: Mapping[int, NotMoved] = field(default_factory=dict)
    """Reason by contact."""
    looked_at: int = 0
    """Contacts of which this plan speaks; fewer than all when it gave out the most it was to give."""
    turns: Turns = field(default_factory=dict)
    """As they stand afterwards."""
    takers: tuple[Taker, ...] = ()
    """With the room that is left."""


def taker_of(agent: Agent, *, owned: int, cap: int | None, by_weight: bool) -> Taker | None:
    """Return the agent as one who takes part, None when nothing may be given to him."""
    weight = agent.weight if by_weight else 1.0
    if agent.left_at is not None or weight <= 0:
        return None
    room = None if cap is None else max(0, cap - owned)
    return Taker(agent_id=agent.id, weight=weight, room=room, skills=frozenset(map(_word, agent.skills)))


def plan(
    contacts: Sequence[Ownable],
    takers: Sequence[Taker],
    *,
    turns: Turns,
    asked: Asked = Asked(),
    take_over: bool = False,
    heed_protection: bool = True,
    most: int | None = None,
) -> Plan:
    """Share the contacts out, in their order.

    A contact that belongs to somebody is given only when `take_over`; one that shares a number with another agent's
    contact only to that agent. Same contacts, takers and turns: same plan.
    """
    at = {taker.agent_id: turns.get(taker.agent_id, 0.0) for taker in takers}
    room = {taker.agent_id: taker.room for taker in takers}
    given: dict[int, int] = {}
    refused: dict[int, NotMoved] = {}
    by_number: dict[int, int] = {}
    for contact in contacts:
        if len(given) == most:
            break
        able = _open_to(contact, take_over) or _able(contact, takers, room, asked, by_number, heed_protection)
        if isinstance(able, NotMoved):
            refused[contact.contact_id] = able
            continue
        chosen = min(able, key=lambda taker: (at[taker.agent_id], taker.agent_id))
        by_number |= dict.fromkeys((contact.contact_id, *contact.partners), chosen.agent_id)
        at[chosen.agent_id] += 1 / chosen.weight
        if chosen.agent_id == contact.owner_id:
            refused[contact.contact_id] = NotMoved.OWNED  # his share, and he has him already
            continue
        given[contact.contact_id] = chosen.agent_id
        left = room[chosen.agent_id]
        room[chosen.agent_id] = None if left is None else left - 1
    return Plan(
        given=given,
        refused=refused,
        looked_at=len(given) + len(refused),
        turns=from_zero(at, full=[agent_id for agent_id, left in room.items() if left == 0]),
        takers=tuple(
            Taker(agent_id=t.agent_id, weight=t.weight, room=room[t.agent_id], skills=t.skills)
            for t in takers
        ),
    )


def from_zero(turns: Turns, *, full: Collection[int] = ()) -> dict[int, float]:
    """Return the turns with the next one at 0.

    Who may have no more is left out and comes back at 0: he does not catch up on what went by while he was full, and
    neither does who was not asked.
    """
    taking = {agent_id: turn for agent_id, turn in turns.items() if agent_id not in full}
    first = min(taking.values(), default=0.0)
    return {agent_id: turn - first for agent_id, turn in sorted(taking.items())}


def advanced(turns: Turns, weights: Mapping[int, float], given: Mapping[int, int]) -> dict[int, float]:
    """Return the turns of a rota after so many contacts were given; `given` counts by agent."""
    return from_zero(
        {
            agent_id: turns.get(agent_id, 0.0) + given.get(agent_id, 0) / weight
            for agent_id, weight in weights.items()
        }
    )


def _open_to(contact: Ownable, take_over: bool) -> NotMoved | None:
    """Return why the contact is given to nobody at all, None when he may be."""
    if contact.stopped:
        return NotMoved.STOPPED
    return NotMoved.OWNED if contact.owner_id is not None and not take_over else None


def _able(
    contact: Ownable,
    takers: Sequence[Taker],
    room: Mapping[int, int | None],
    asked: Asked,
    by_number: Mapping[int, int],
    heed_protection: bool,
) -> list[Taker] | NotMoved:
    """Return who may have the contact, or why nobody."""
    wanted = word_of(contact, asked.attribute) if asked.attribute else None
    if asked.attribute and not wanted and not asked.anybody_without:
        return NotMoved.NO_SKILL
    able = [taker for taker in takers if not wanted or wanted in taker.skills]
    if not able:
        return NotMoved.NO_SKILL if takers else NotMoved.NOBODY
    theirs = {*contact.partners.values()} - {contact.owner_id, None}
    theirs |= {by_number[contact.contact_id]} if contact.contact_id in by_number else set()
    if theirs:
        able = [taker for taker in able if theirs == {taker.agent_id}]
        if not able:
            return NotMoved.SHARED_NUMBER
    if heed_protection:
        able = [taker for taker in able if taker.agent_id not in contact.given_back_by]
        if not able:
            return NotMoved.PROTECTED
    able = [taker for taker in able if room[taker.agent_id] != 0 or taker.agent_id == contact.owner_id]
    return able or (NotMoved.CAP if len(takers) == 1 else NotMoved.NOBODY)


def word_of(contact: Ownable, attribute: str) -> str:
    """Return the contact's word for an attribute in lower case, empty when there is none."""
    if attribute.startswith("field:"):
        value = contact.fields.get(attribute.removeprefix("field:"))
        return _word(str(value)) if isinstance(value, str | int | float) else ""
    return _word({"zone": contact.zone, "stage": contact.stage}.get(attribute, ""))


def _word(text: str) -> str:
    return text.strip().casefold()
