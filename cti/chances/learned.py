"""Answers the engine: how likely is a person's answer, for each of the next contacts, as learned."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from cti.chances.facts import attempts_of, facts_of_callees
from cti.chances.model import ChanceModel, model_of
from cti.chances.ports import ChanceStore
from cti.errors import BadInput
from cti.model.answer_chances import Callee, ChanceFit
from cti.model.contacts import Candidate

log = logging.getLogger(__name__)

HISTORY: Final = timedelta(days=90)
"""Attempts that ended before are forgotten, in fitting and in foretelling alike."""
STALE: Final = timedelta(days=7)
"""A model that was not fitted anew for so long is not used: people's habits, and lists, change."""
FRESH: Final = timedelta(minutes=5)
"""For so long a chance is told again without a look at the database: hours move slowly, and a try makes it another."""
MOST_KEPT: Final = 100_000

_Key = tuple[int, int, int]
"""Entry, number, tries so far."""


class LearnedChances:
    """The models in use. One for the process; the learner hands it each new fit."""

    def __init__(self, *, store: ChanceStore) -> None:
        self._store = store
        self._models: dict[int, tuple[datetime, ChanceModel] | None] = {}
        """By campaign; None: there is none to use."""
        self._told: dict[_Key, tuple[datetime, float]] = {}

    def take(self, fit: ChanceFit) -> None:
        """Use this fit from now on, or none, as it says."""
        self._told.clear()
        try:
            usable = fit.used and fit.model is not None
            self._models[fit.campaign_id] = (fit.fitted_at, model_of(fit.model or {})) if usable else None
        except BadInput as error:
            log.warning("answer chances of campaign %d are not used: %s", fit.campaign_id, error)
            self._models[fit.campaign_id] = None

    async def chances(self, candidates: Sequence[Candidate], now: datetime) -> list[float | None]:
        """Return a chance for each candidate if he is dialed now, in their order; None: none was learned.

        Raises StorageError. One question for each campaign among them (usually one).
        """
        told: dict[int, float | None] = {}
        for campaign_id in {one.campaign_id for one in candidates}:
            theirs = [one for one in candidates if one.campaign_id == campaign_id]
            told |= await self._of_campaign(campaign_id, theirs, now)
        return [told.get(one.entry_id) for one in candidates]

    async def _of_campaign(
        self, campaign_id: int, candidates: Sequence[Candidate], now: datetime
    ) -> dict[int, float | None]:
        model = await self._model(campaign_id, now)
        if model is None:
            return {}
        known = {
            key: chance for key in map(_key, candidates) if (chance := self._fresh(key, now)) is not None
        }
        unknown = [one for one in candidates if _key(one) not in known]
        if unknown:
            asked = await self._asked(campaign_id, unknown, model, now)
            new = dict(zip(map(_key, unknown), asked, strict=True))
            self._keep(new, now)
            known |= new
        return {one.entry_id: known[_key(one)] for one in candidates}

    def _fresh(self, key: _Key, now: datetime) -> float | None:
        told = self._told.get(key)
        return told[1] if told is not None and now - told[0] < FRESH else None

    def _keep(self, chances: Mapping[_Key, float], now: datetime) -> None:
        if len(self._told) + len(chances) > MOST_KEPT:
            self._told.clear()
        self._told |= {key: (now, chance) for key, chance in chances.items()}

    async def _asked(
        self, campaign_id: int, candidates: Sequence[Candidate], model: ChanceModel, now: datetime
    ) -> list[float]:
        contacts = [one.contact_id for one in candidates]
        past = await self._store.past_of(
            campaign_id, contacts, [one.number_id for one in candidates], since=now - HISTORY
        )
        callees = [past.callees.get(one.number_id, Callee("", one.zone)) for one in candidates]
        facts = facts_of_callees(contacts, callees, attempts_of(past.attempts), now.timestamp())
        told: list[float] = model.chances(facts).tolist()
        return told

    async def _model(self, campaign_id: int, now: datetime) -> ChanceModel | None:
        if campaign_id not in self._models:
            fit = await self._store.newest_fit(campaign_id)
            if fit is None:
                self._models[campaign_id] = None
            else:
                self.take(fit)
        known = self._models[campaign_id]
        return known[1] if known is not None and now - known[0] < STALE else None


def _key(candidate: Candidate) -> _Key:
    return candidate.entry_id, candidate.number_id, candidate.tries
