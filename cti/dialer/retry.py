"""When a contact is tried again, by which number, and when he is given up. Pure."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from cti.contacts.ranking import rank_after
from cti.model.calls import EndReason, Outcome
from cti.model.campaign_rules import CampaignRules, RetryRule, RetryRules
from cti.model.contacts import EntryState
from cti.model.lines import fails_over
from cti.model.standing import CallbackEnd, EntryAfter, EntryFacts
from cti.model.verdicts import SkipReason

CALLBACK_RAISE: Final = 1000
"""How much a callback is raised above its list, where callbacks go first."""
LONGEST: Final = timedelta(days=366)
"""No wait is longer, however often it has grown."""


def done_after_one(facts: EntryFacts) -> EntryAfter:
    """Try nobody again: the plan of a campaign without retry rules."""
    return after_attempt(RetryRules(), facts)


class RetryPlan:
    """Says how an entry stands after an attempt, by the rules of its campaign. A `Plan`."""

    def __init__(
        self,
        rules: Callable[[int], CampaignRules],
        *,
        finals: Callable[[int], Collection[str]] = lambda campaign_id: (),
    ) -> None:
        """`finals` tells the dispositions of a campaign after which nobody calls again, whatever the outcome."""
        self._rules = rules
        self._finals = finals

    def __call__(self, facts: EntryFacts) -> EntryAfter:
        rules = self._rules(facts.campaign_id)
        after = after_attempt(
            rules.retry,
            facts,
            finals=self._finals(facts.campaign_id),
            callback_raise=CALLBACK_RAISE if rules.order.callbacks_first else 0,
        )
        tries = facts.tries if after.counted else facts.tries - 1
        return replace(after, rank=rank_after(rules.order.order, entry_id=facts.entry_id, tries=tries))


def after_attempt(
    rules: RetryRules,
    facts: EntryFacts,
    *,
    finals: Collection[str] = (),
    callback_raise: int = CALLBACK_RAISE,
) -> EntryAfter:
    """Return how the entry stands from now on.

    An order that never left, or goes on by another trunk, gives the contact back as he was. A callback that stands
    open goes before all rules; a disposition's rule goes before the outcome's.
    """
    if facts.call.end_reason is EndReason.NOT_SENT or fails_over(facts.call):
        return _as_before(facts)
    if facts.promised_at is not None:
        return EntryAfter(
            state=EntryState.WAITING,
            due_at=facts.promised_at,
            raised=callback_raise,
            number_position=facts.number_position,
            reason=SkipReason.CALLBACK_LATER,
            detail="a callback is agreed",
        )
    if facts.callback_tries and facts.call.outcome is not Outcome.CONNECTED:
        again = _after_callback(rules.callback, facts, callback_raise)
        if again is not None:
            return again
    return _by_rules(rules, facts, finals)


def _as_before(facts: EntryFacts) -> EntryAfter:
    return EntryAfter(
        state=EntryState.PENDING,
        raised=facts.raised,
        number_position=facts.number_position,
        counted=False,
    )


def _after_callback(rule: RetryRule, facts: EntryFacts, callback_raise: int) -> EntryAfter | None:
    if facts.callback_tries > rule.times:
        return None
    return EntryAfter(
        state=EntryState.WAITING,
        due_at=_due(rule, facts, facts.callback_tries),
        raised=callback_raise + rule.priority,
        number_position=_position(rule, facts),
        reason=SkipReason.RETRY_LATER,
        detail=f"callback, {_word(facts)}: {facts.callback_tries} of {rule.times} retries (retry.callback)",
    )


def _by_rules(rules: RetryRules, facts: EntryFacts, finals: Collection[str]) -> EntryAfter:
    ended = _callback_end(facts)
    if facts.disposition in finals:
        return _done(facts, SkipReason.REACHED, f"disposition {facts.disposition} is final", ended)
    name, rule, times = _rule(rules, facts)
    if rule is None:
        reached = facts.call.outcome is Outcome.CONNECTED
        reason = SkipReason.REACHED if reached else SkipReason.NO_RULE
        return _done(facts, reason, f"{_word(facts)}: no retry rule follows it", ended)
    if times > rule.times:
        return _done(
            facts, SkipReason.GIVEN_UP, f"{_word(facts)} {times} times ({name}.times: {rule.times})", ended
        )
    if facts.tries >= rules.max_attempts:
        words = f"{facts.tries} of {rules.max_attempts} attempts (retry.max_attempts)"
        return _done(facts, SkipReason.GIVEN_UP, words, ended)
    return EntryAfter(
        state=EntryState.WAITING,
        due_at=_due(rule, facts, times),
        raised=rule.priority,
        number_position=_position(rule, facts),
        reason=SkipReason.RETRY_LATER,
        detail=f"{_word(facts)}: {times} of {rule.times} retries ({name})",
        callback=ended,
    )


def _callback_end(facts: EntryFacts) -> CallbackEnd | None:
    if not facts.callback_tries:
        return None
    return CallbackEnd.DONE if facts.call.outcome is Outcome.CONNECTED else CallbackEnd.MISSED


def _rule(rules: RetryRules, facts: EntryFacts) -> tuple[str, RetryRule | None, int]:
    """Return the rule that follows, its name, and for the how manieth time it would."""
    if facts.disposition is not None and facts.disposition in rules.by_disposition:
        name = f"retry.by_disposition.{facts.disposition}"
        return name, rules.by_disposition[facts.disposition], facts.same_disposition
    outcome = facts.call.outcome.value if facts.call.outcome else ""
    return f"retry.by_outcome.{outcome}", rules.by_outcome.get(outcome), facts.same_outcome


def _due(rule: RetryRule, facts: EntryFacts, times: int) -> datetime:
    try:
        wait = min(timedelta(seconds=rule.after_seconds * rule.growth ** max(0, times - 1)), LONGEST)
    except OverflowError:
        wait = LONGEST
    return (facts.call.ended_at or facts.call.placed_at) + wait


def _position(rule: RetryRule, facts: EntryFacts) -> int:
    if not rule.next_number or facts.numbers < 1:
        return facts.number_position
    return (facts.number_position + 1) % facts.numbers


def _done(facts: EntryFacts, reason: SkipReason, detail: str, callback: CallbackEnd | None) -> EntryAfter:
    return EntryAfter(
        state=EntryState.DONE,
        number_position=facts.number_position,
        reason=reason,
        detail=detail,
        callback=callback,
    )


def _word(facts: EntryFacts) -> str:
    return facts.disposition or (facts.call.outcome.value if facts.call.outcome else "ended")
