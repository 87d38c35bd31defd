"""The score cards as they are now: read, changed to new versions, taken out of use."""

from collections.abc import Callable
from dataclasses import replace

from cti.clock import Clock
from cti.errors import BadInput, Conflict, NotFound
from cti.model.score_cards import CardVersion, ScoreCard
from cti.quality.ports import CardStore


class CardDesk:
    """All score cards. `load` first: it is the only writer, so what it holds is what is stored."""

    def __init__(self, *, store: CardStore, knows_rule: Callable[[str], bool], clock: Clock) -> None:
        self._store = store
        self._knows_rule = knows_rule
        self._clock = clock
        self._versions: list[CardVersion] = []

    async def load(self) -> None:
        """Take the cards from the store."""
        self._versions = list(await self._store.card_versions())

    def cards(self) -> list[CardVersion]:
        """List the newest version of every card, also of those out of use, by code."""
        newest = {one.card.code: one for one in self._versions}
        return [newest[code] for code in sorted(newest)]

    def card(self, code: str, version: int | None = None) -> CardVersion:
        """Return a version of a card, None: the newest. Raises NotFound."""
        for one in reversed(self._versions):
            if one.card.code == code and version in (None, one.version):
                return one
        which = f"version {version} of the score card" if version is not None else "score card"
        raise NotFound(f"there is no {which} {code!r}")

    def by_id(self, card_id: int) -> CardVersion:
        """Return the version that a score refers to. Raises NotFound."""
        for one in self._versions:
            if one.id == card_id:
                return one
        raise NotFound(f"there is no score card of id {card_id}")

    def usable(self, code: str, *, campaign_id: int | None) -> CardVersion:
        """Return the newest version for a call of a campaign. Raises NotFound, Conflict (out of use, of others)."""
        one = self.card(code)
        if not one.card.active:
            raise Conflict(f"the score card {code} is out of use")
        if one.card.campaigns and campaign_id not in one.card.campaigns:
            raise Conflict(f"the score card {code} is for other campaigns than this call's")
        return one

    async def put(self, card: ScoreCard, *, by: str) -> CardVersion:
        """Write a card; as before makes no version. Raises BadInput (no such rule), NotFound (campaign)."""
        for question in card.questions():
            if question.auto and question.auto.rule and not self._knows_rule(question.auto.rule):
                raise BadInput(
                    f"card: the question {question.code!r} asks for a keyword rule {question.auto.rule!r} "
                    "that is not there"
                )
        newest = next((one for one in self.cards() if one.card.code == card.code), None)
        if newest is not None and newest.card == card:
            return newest
        made = await self._store.add_card_version(card, by=by, at=self._clock.now())
        self._versions.append(made)
        return made

    async def retire(self, code: str, *, back: bool, by: str) -> CardVersion:
        """Take a card out of use, or back into it; its scores stay. Raises NotFound."""
        return await self.put(replace(self.card(code).card, active=back), by=by)
