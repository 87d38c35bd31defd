"""The gate: asked immediately before each Originate. Reads the facts of a batch, asks the checks, remembers nothing.

Within one question an allowed candidate counts as an attempt for those behind him: two contacts with one number do not
both pass a limit of one call.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from cti.compliance.checks import every_check, verdict
from cti.compliance.facts import Facts, Wanted
from cti.compliance.hours import is_open
from cti.compliance.law import Law, Rulebook
from cti.compliance.places import zone_called
from cti.compliance.ports import ComplianceStore
from cti.compliance.profiles import Profiles
from cti.model.contacts import Campaign, Candidate
from cti.model.findings import Finding
from cti.model.verdicts import SkipReason, Verdict

CALL_LENGTH = timedelta(hours=1)
"""A drop counts from its end, an attempt is found by its beginning: so much further back is looked for it."""
LONGEST_DAY = timedelta(days=2)
"""No local day began longer ago, in any zone and over any change of the clock."""


class ComplianceGate:
    """Implements `cti.dialer.candidate_ports.Gate`."""

    def __init__(self, *, store: ComplianceStore, profiles: Profiles) -> None:
        self._store = store
        self._profiles = profiles

    async def ask(self, campaign: Campaign, candidates: Sequence[Candidate], now: datetime) -> list[Verdict]:
        """Answer for each candidate, in their order, from facts read just now.

        Raises StorageError; BadInput when the campaign's rules name no profile that there is: then nobody is dialed.
        """
        rulebook = self.rulebook(campaign)
        passed = _Passed()
        verdicts = []
        for candidate, facts in zip(
            candidates, await self._facts(campaign, rulebook, candidates, now), strict=True
        ):
            known = passed.counted_in(facts, candidate, now)
            answer = verdict(candidate, known, rulebook.law(candidate.number), now)
            if answer.allowed:
                passed.note(candidate)
            verdicts.append(answer)
        return verdicts

    async def look(self, campaign: Campaign, candidates: Sequence[Candidate], now: datetime) -> list[Verdict]:
        """Answer for each candidate as if he alone were asked about. Raises as `ask`."""
        rulebook = self.rulebook(campaign)
        facts = await self._facts(campaign, rulebook, candidates, now)
        return [
            verdict(candidate, known, rulebook.law(candidate.number), now)
            for candidate, known in zip(candidates, facts, strict=True)
        ]

    async def why(
        self, campaign: Campaign, candidate: Candidate, now: datetime
    ) -> tuple[Law, Mapping[SkipReason, Verdict]]:
        """Return the law that holds for a candidate and each check's own answer. Raises as `ask`."""
        rulebook = self.rulebook(campaign)
        law = rulebook.law(candidate.number)
        [facts] = await self._facts(campaign, rulebook, [candidate], now)
        return law, every_check(candidate, facts, law, now)

    def open_zones(self, campaign: Campaign, zones: Collection[str], now: datetime) -> frozenset[str]:
        """Return those of the zones in which somebody may be called now, as far as the zone alone tells.

        A zone that is not known (`""`, or no zone) counts as open: only the number tells, and whoever is refused for it
        is to be told so. What depends on the number (areas, holidays of its country) is left to `ask`.
        """
        calendar = self.rulebook(campaign).base.calendar
        return frozenset(
            name for name in zones if (zone := zone_called(name)) is None or is_open(calendar, zone, "", now)
        )

    def findings(self, campaign: Campaign) -> list[Finding]:
        """Return how the campaign's settings stand to its profile, and what it makes less strict. Raises BadInput."""
        law = self.rulebook(campaign).base
        return [
            *(_loosened(law, words) for words in self._profiles.loosened(campaign.rules.compliance)),
            *_settings(campaign, law),
        ]

    def rulebook(self, campaign: Campaign) -> Rulebook:
        """Return what the campaign keeps to. Raises BadInput naming the key."""
        return self._profiles.rulebook(campaign.rules.compliance)

    async def _facts(
        self, campaign: Campaign, rulebook: Rulebook, candidates: Sequence[Candidate], now: datetime
    ) -> list[Facts]:
        return (
            await self._store.facts(candidates, wanted_by(rulebook, campaign.id, now)) if candidates else []
        )


def wanted_by(rulebook: Rulebook, campaign_id: int, now: datetime) -> Wanted:
    """Return which facts any law of the rulebook looks at."""
    laws = rulebook.laws()
    back = timedelta(seconds=rulebook.looks_back_seconds)
    return Wanted(
        campaign_id=campaign_id,
        now=now,
        numbers_since=now - back - CALL_LENGTH if back else None,
        contacts_since=now - LONGEST_DAY if any(law.attempts_per_day is not None for law in laws) else None,
        totals=any(law.attempts_total is not None for law in laws),
    )


class _Passed:
    """Those of one question who were allowed, counted by number and by contact."""

    def __init__(self) -> None:
        self._numbers: Counter[str] = Counter()
        self._contacts: Counter[int] = Counter()

    def note(self, candidate: Candidate) -> None:
        self._numbers[candidate.number] += 1
        self._contacts[candidate.contact_id] += 1

    def counted_in(self, facts: Facts, candidate: Candidate, now: datetime) -> Facts:
        """Return the facts as they will be once those who passed have been dialed."""
        number, contact = self._numbers[candidate.number], self._contacts[candidate.contact_id]
        if not number and not contact:
            return facts
        return replace(
            facts,
            number_attempts=(now,) * number + facts.number_attempts,
            contact_attempts=(now,) * contact + facts.contact_attempts,
            attempts_total=facts.attempts_total + contact,
        )


def _loosened(law: Law, words: str) -> Finding:
    return Finding(
        node="",
        subject=f"profile {law.name}",
        ok=False,
        message=words,
        mend="take the key out of rules.compliance.overrides, or know why it stands there",
    )


def _settings(campaign: Campaign, law: Law) -> list[Finding]:
    """Compare what the profile asks of a campaign with what the campaign has."""
    compared = (
        ("ring_seconds", law.ring_seconds, campaign.ring_seconds, -1),
        ("grace_seconds", law.grace_seconds, campaign.grace_seconds, 1),
        ("drop_target", law.drop_target, campaign.rules.pacing.drop_target, 1),
    )
    findings = []
    for key, limit, value, sign in compared:
        if limit is None:
            continue
        least = "at least" if sign < 0 else "at most"
        ok = sign * (value - limit) <= 0
        findings.append(
            Finding(
                node="",
                subject=f"profile {law.name}: {key}",
                ok=ok,
                message=f"the campaign has {value:g}, the profile asks for {least} {limit:g}",
                mend="" if ok else f"set it to {least} {limit:g}",
            )
        )
    if law.caller_id_required:
        shown = campaign.caller_id or campaign.rules.lines.caller_pool
        findings.append(
            Finding(
                node="",
                subject=f"profile {law.name}: caller_id",
                ok=bool(shown),
                message=f"calls show {shown}" if shown else "the campaign shows no number",
                mend="" if shown else "set caller_id, or rules.lines.caller_pool",
            )
        )
    return findings
