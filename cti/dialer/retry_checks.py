"""Finds retry rules that can never follow, or mean nothing. Pure."""

from collections.abc import Collection, Iterator
from difflib import get_close_matches
from typing import Final

from cti.errors import BadInput
from cti.model.calls import Outcome
from cti.model.campaign_rules import RetryRule, RetryRules

OUTCOMES: Final = tuple(outcome.value for outcome in Outcome)
_NEVER: Final = RetryRule(times=0)


def check_retry(
    rules: RetryRules, *, dispositions: Collection[str] | None = None, where: str = "rules.retry"
) -> None:
    """Raise BadInput naming each rule that cannot be, by its key below `where`.

    `dispositions`: the codes that are known; None: not checked.
    """
    problems = list(impossible(rules, dispositions=dispositions))
    if problems:
        raise BadInput("; ".join(f"{where}.{problem}" for problem in problems))


def check_codes(rules: RetryRules, dispositions: Collection[str], *, where: str = "rules.retry") -> None:
    """Raise BadInput naming each rule for a disposition that nobody can choose; with no dispositions all are allowed.

    Asked when rules are set: the rest may be set in several steps, and is looked at by `check_retry`.
    """
    check_known(rules.by_disposition, dispositions, where=f"{where}.by_disposition")


def check_known(codes: Collection[str], dispositions: Collection[str], *, where: str) -> None:
    """Raise BadInput naming each code that is no disposition; with no dispositions all are allowed."""
    problems = [
        f"{where}.{code}: there is no disposition {code!r}{_meant(code, dispositions)}"
        for code in codes
        if dispositions and code not in dispositions
    ]
    if problems:
        raise BadInput("; ".join(problems))


def impossible(rules: RetryRules, *, dispositions: Collection[str] | None = None) -> Iterator[str]:
    """Give what is wrong, each beginning with the key."""
    if rules.max_attempts < 1:
        yield f"max_attempts: {rules.max_attempts} would dial nobody; it must be 1 or more"
    kinds = (
        ("by_outcome", "outcome", OUTCOMES, rules.by_outcome),
        ("by_disposition", "disposition", dispositions, rules.by_disposition),
    )
    for key, noun, known, given in kinds:
        for code, rule in given.items():
            if known is not None and code not in known:
                yield f"{key}.{code}: there is no {noun} {code!r}{_meant(code, known)}"
            yield from (f"{key}.{code}.{problem}" for problem in _of_rule(rule))
            if rule.times > 0 and rules.max_attempts == 1:
                yield f"{key}.{code}: can never follow, because max_attempts is 1"
    yield from (f"callback.{problem}" for problem in _of_rule(rules.callback))


def _of_rule(rule: RetryRule) -> Iterator[str]:
    if rule.times < 0:
        yield f"times: {rule.times} is less than 0"
    if not 0 <= rule.after_seconds <= 366 * 86400:
        yield f"after_seconds: {rule.after_seconds:g} is not within 0 and 31622400 (366 days)"
    if not 1 <= rule.growth <= 100:
        yield f"growth: {rule.growth:g} is not within 1 and 100"
    if rule.times == 0:
        for name in ("priority", "next_number", "growth"):
            if getattr(rule, name) != getattr(_NEVER, name):
                yield f"{name}: never counts, because times is 0"


def wants_other_numbers(rules: RetryRules) -> list[str]:
    """Return the names of the rules that go on with a contact's next number."""
    rows = (("by_outcome", rules.by_outcome), ("by_disposition", rules.by_disposition))
    named = [f"{key}.{code}" for key, given in rows for code, rule in given.items() if rule.next_number]
    return named + (["callback"] if rules.callback.next_number else [])


def _meant(code: str, known: Collection[str]) -> str:
    near = get_close_matches(code, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(sorted(known))}"
