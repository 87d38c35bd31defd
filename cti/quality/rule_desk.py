"""The rulebook as it is now: read, added to, changed, taken out of use, tried out."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cti.clock import Clock
from cti.errors import BadInput, NotFound
from cti.model.keyword_rules import KeywordRule, RuleVerdict, RuleVersion, in_force, rulebook_revision
from cti.quality.matching import Matcher
from cti.quality.ports import RuleStore, Transcripts


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The rules of one revision, ready to be held against calls."""

    revision: int
    rules: tuple[RuleVersion, ...]
    matcher: Matcher


class RuleDesk:
    """All keyword rules. `load` first: it is the only writer, so what it holds is what is stored."""

    def __init__(self, *, store: RuleStore, transcripts: Transcripts, clock: Clock) -> None:
        self._store = store
        self._transcripts = transcripts
        self._clock = clock
        self._versions: list[RuleVersion] = []
        self._book = _book([])
        self._one_at_a_time = asyncio.Lock()

    async def load(self) -> None:
        """Take the rules from the store."""
        self._versions = list(await self._store.rule_versions())
        self._book = await asyncio.to_thread(_book, list(self._versions))

    def book(self) -> Rulebook:
        """Return what is in force now."""
        return self._book

    def rules(self) -> list[RuleVersion]:
        """List the newest version of every rule, also of those out of use, by code."""
        newest = {one.rule.code: one for one in self._versions}
        return [newest[code] for code in sorted(newest)]

    def history(self, code: str) -> list[RuleVersion]:
        """List a rule's versions, newest first. Raises NotFound."""
        found = [one for one in reversed(self._versions) if one.rule.code == code]
        if not found:
            raise NotFound(f"there is no keyword rule {code!r}")
        return found

    def titles(self) -> dict[str, str]:
        """Return the title of every rule, by code."""
        return {one.rule.code: one.rule.title for one in self.rules()}

    def knows(self, code: str) -> bool:
        """Return whether there is, or was, a rule of this code."""
        return any(one.rule.code == code for one in self._versions)

    async def put(self, rules: Sequence[KeywordRule], *, by: str) -> list[RuleVersion]:
        """Write rules: all of them or none; return the versions made. One that is as before makes no version.

        Raises BadInput when a code stands twice, NotFound (campaign).
        """
        twice = [code for code, count in Counter(rule.code for rule in rules).items() if count > 1]
        if twice:
            raise BadInput(f"rules: the code {twice[0]!r} stands twice")
        async with self._one_at_a_time:
            newest = {one.rule.code: one.rule for one in self.rules()}
            changed = [rule for rule in rules if newest.get(rule.code) != rule]
            if not changed:
                return []
            made = await self._store.add_rule_versions(changed, by=by, at=self._clock.now())
            self._versions += made
            # half a second for a thousand phrases: calls that are up must not wait for it
            self._book = await asyncio.to_thread(_book, list(self._versions))
            return list(made)

    async def retire(self, code: str, *, back: bool, by: str) -> RuleVersion:
        """Take a rule out of use, or back into it. Raises NotFound."""
        rule = self.history(code)[0].rule
        await self.put([replace(rule, active=back)], by=by)
        return self.history(code)[0]

    async def try_out(
        self, rule: KeywordRule, call_ids: Sequence[str]
    ) -> list[tuple[str, RuleVerdict | None]]:
        """Hold a rule against the transcripts of calls without keeping anything; None: it has no transcript.

        Its campaigns and its language are not minded.
        """
        anywhere = replace(rule, campaigns=(), language="")
        version = RuleVersion(revision=0, version=0, rule=anywhere, by="", at=self._clock.now())
        matcher = await asyncio.to_thread(Matcher, [version])
        tried: list[tuple[str, RuleVerdict | None]] = []
        for call_id in call_ids:
            transcript = await self._transcripts.current(call_id)
            if transcript is None:
                tried.append((call_id, None))
                continue
            [verdict] = await asyncio.to_thread(matcher.verdicts, transcript, campaign_id=None)
            tried.append((call_id, verdict))
        return tried


def _book(versions: Sequence[RuleVersion]) -> Rulebook:
    rules = in_force(versions)
    return Rulebook(rulebook_revision(versions), tuple(rules), Matcher(rules))
