"""What people do with pulled lists: see how they stand, see what was not taken, have one read now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cti.clock import Clock
from cti.crm.follow_ups import TableFollowUps
from cti.crm.intake import TableIntake, next_page_at
from cti.crm.pull_ports import PullStore
from cti.model.crm_pulls import PullProblem, PullRules, PullStanding


@dataclass(frozen=True, slots=True, kw_only=True)
class PullReport:
    """How a pull stands."""

    rules: PullRules
    standing: PullStanding
    records: int
    """That are remembered."""
    problems: int
    """Records of which something was not taken."""
    next_at: datetime | None
    """When it is asked next what changed; None: at once."""
    age_seconds: float | None
    """Since the last page; None: there was none yet."""


class PullDesk:
    """Pulls, as people see them."""

    def __init__(
        self, *, intake: TableIntake, follow_ups: TableFollowUps, store: PullStore, clock: Clock
    ) -> None:
        self.intake = intake
        self.follow_ups = follow_ups
        self._store = store
        self._clock = clock

    async def report(self) -> list[PullReport]:
        """Return how each pull stands, in the order of the settings."""
        known = {one.pull: one for one in await self._store.standings()}
        return [
            await self._report(rules, known.get(rules.standing_name, PullStanding(pull=rules.standing_name)))
            for rules in self.intake.pulls.values()
        ]

    async def _report(self, rules: PullRules, standing: PullStanding) -> PullReport:
        records, problems = await self._store.counts(rules.name)
        since = standing.page_at
        return PullReport(
            rules=rules,
            standing=standing,
            records=records,
            problems=problems,
            next_at=next_page_at(rules, standing),
            age_seconds=(self._clock.now() - since).total_seconds() if since else None,
        )

    async def pull(self, name: str) -> PullStanding:
        """Have a pull read now. Raises NotFound."""
        return await self.intake.ask(name)

    async def problems(self, name: str, *, after: str = "", limit: int = 100) -> Sequence[PullProblem]:
        """List records of which something was not taken, by reference. Raises NotFound."""
        return await self._store.problems(self.intake.rules(name).name, after=after, limit=limit)
