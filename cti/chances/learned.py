"""Answers the engine: how likely is a person's answer, for each of the next contacts, as learned."""

import logging
from collections.abc import Sequence
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


class LearnedChances:
    """The models in use. One for the process; the learner hands it each new fit."""

    def __init__(self, *, store: ChanceStore) -> None:
        self._store = store
        self._models: dict[int, tuple[datetime, ChanceModel] | None] = {}
        """By campaign; None: there is none to use."""

    def take(self, fit: ChanceFit) -> None:
        """Use this fit from now on, or none, as it says."""
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
        contacts = [one.contact_id for one in candidates]
        past = await self._store.past_of(
            campaign_id, contacts, [one.number_id for one in candidates], since=now - HISTORY
        )
        callees = [past.callees.get(one.number_id, Callee("", one.zone)) for one in candidates]
        facts = facts_of_callees(contacts, callees, attempts_of(past.attempts), now.timestamp())
        return dict(zip((one.entry_id for one in candidates), model.chances(facts).tolist(), strict=True))

    async def _model(self, campaign_id: int, now: datetime) -> ChanceModel | None:
        if campaign_id not in self._models:
            fit = await self._store.newest_fit(campaign_id)
            if fit is None:
                self._models[campaign_id] = None
            else:
                self.take(fit)
        known = self._models[campaign_id]
        return known[1] if known is not None and now - known[0] < STALE else None
