"""`RuleStore` and `CardStore` on the database: rules and cards in versions, none of which is ever changed."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.errors import Conflict, NotFound
from cti.model.keyword_rules import KeywordRule, RuleVersion
from cti.model.score_cards import CardVersion, ScoreCard
from cti.quality.reading import card_body, card_of, rule_body, rule_of
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.uninterrupted import to_the_end

_TRIES: Final = 5
"""How often a write begins anew because another one took its number."""

_rules, _cards = tables.keyword_rules.c, tables.score_cards.c
_ALL_RULES: Final = select(tables.keyword_rules).order_by(_rules.revision)
_ALL_CARDS: Final = select(tables.score_cards).order_by(_cards.id)


class SqlRulebook:
    """Keyword rules and score cards."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun

    @to_the_end
    async def rule_versions(self) -> list[RuleVersion]:
        """See the port."""
        async with self._connections.reading() as connection:
            return [_rule_version(row) for row in await connection.execute(_ALL_RULES)]

    @to_the_end
    async def add_rule_versions(
        self, rules: Sequence[KeywordRule], *, by: str, at: datetime
    ) -> list[RuleVersion]:
        """See the port."""
        for _ in range(_TRIES - 1):
            try:
                return await self._add_rules(rules, by, at)
            except Conflict:
                continue
        return await self._add_rules(rules, by, at)

    async def _add_rules(self, rules: Sequence[KeywordRule], by: str, at: datetime) -> list[RuleVersion]:
        async with self._connections.writing() as connection:
            await _must_know(connection, {one for rule in rules for one in rule.campaigns})
            last = await connection.scalar(select(func.coalesce(func.max(_rules.revision), 0))) or 0
            codes = select(_rules.code, func.max(_rules.version)).group_by(_rules.code)
            known = {row[0]: row[1] for row in await connection.execute(codes)}
            made = []
            for revision, rule in enumerate(rules, last + 1):
                known[rule.code] = known.get(rule.code, 0) + 1
                made.append(RuleVersion(revision=revision, version=known[rule.code], rule=rule, by=by, at=at))
            if made:
                await connection.execute(insert(tables.keyword_rules), [_rule_values(one) for one in made])
        return made

    @to_the_end
    async def card_versions(self) -> list[CardVersion]:
        """See the port."""
        async with self._connections.reading() as connection:
            return [_card_version(row) for row in await connection.execute(_ALL_CARDS)]

    @to_the_end
    async def add_card_version(self, card: ScoreCard, *, by: str, at: datetime) -> CardVersion:
        """See the port."""
        for _ in range(_TRIES - 1):
            try:
                return await self._add_card(card, by, at)
            except Conflict:
                continue
        return await self._add_card(card, by, at)

    async def _add_card(self, card: ScoreCard, by: str, at: datetime) -> CardVersion:
        async with self._connections.writing() as connection:
            await _must_know(connection, card.campaigns)
            newest = select(func.coalesce(func.max(_cards.version), 0)).where(_cards.code == card.code)
            version = (await connection.scalar(newest) or 0) + 1
            row = {"code": card.code, "version": version, "body": card_body(card), "by": by, "at": at}
            new = insert(tables.score_cards).values(row).returning(_cards.id)
            card_id: int = (await connection.execute(new)).scalar_one()
        return CardVersion(id=card_id, version=version, card=card, by=by, at=at)


async def _must_know(connection: AsyncConnection, campaign_ids: Iterable[int]) -> None:
    campaigns = tables.campaigns.c
    for campaign_id in sorted(set(campaign_ids)):
        if await connection.scalar(select(campaigns.id).where(campaigns.id == campaign_id)) is None:
            raise NotFound(f"there is no campaign {campaign_id}")


def _rule_values(one: RuleVersion) -> dict[str, Any]:
    return {
        "revision": one.revision,
        "code": one.rule.code,
        "version": one.version,
        "body": rule_body(one.rule),
        "by": one.by,
        "at": one.at,
    }


def _rule_version(row: Any) -> RuleVersion:
    rule = rule_of(row.body, where=f"keyword_rules.{row.revision}")
    return RuleVersion(revision=row.revision, version=row.version, rule=rule, by=row.by, at=row.at)


def _card_version(row: Any) -> CardVersion:
    card = card_of(row.body, where=f"score_cards.{row.id}")
    return CardVersion(id=row.id, version=row.version, card=card, by=row.by, at=row.at)
