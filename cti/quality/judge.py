"""Judges calls by their transcripts: keyword rules and talk figures. Run twice it does the same once."""

import asyncio
from collections.abc import Callable, Sequence

from cti.bus import EventBus
from cti.clock import Clock
from cti.errors import GiveUp
from cti.model.events import CallFlagged
from cti.model.judgements import Changed, JudgedCall, Judgement
from cti.model.keyword_rules import RuleVerdict, Severity
from cti.model.talk_figures import TalkFigures
from cti.model.transcripts import Transcript
from cti.model.work import JUDGE_QUALITY, NewWork, Work
from cti.quality.ports import JudgementStore, Transcripts
from cti.quality.rule_desk import Rulebook
from cti.quality.talk import talk_figures


def judge_work(call_id: str) -> NewWork:
    """Return the work that judges a call; whoever stores a transcript writes it in the same transaction."""
    return NewWork(kind=JUDGE_QUALITY, key=call_id, payload={"call_id": call_id})


class Judge:
    """Judges one call at a time."""

    def __init__(
        self,
        *,
        store: JudgementStore,
        transcripts: Transcripts,
        book: Callable[[], Rulebook],
        bus: EventBus,
        clock: Clock,
    ) -> None:
        self._store = store
        self._transcripts = transcripts
        self._book = book
        self._bus = bus
        self._clock = clock

    async def handle(self, work: Work) -> None:
        """Judge the call that the work is about: the handler of `quality.judge`."""
        await self.judge(work.key, alert=True)

    async def judge(self, call_id: str, *, alert: bool) -> Changed | None:
        """Judge a call and keep it; return what is other than before, None when it has no transcript.

        `alert`: tell of rules that are newly broken and whose severity is alert. Raises GiveUp when there is no call.
        """
        call = await self._store.call(call_id)
        if call is None:
            raise GiveUp(f"there is no call {call_id}")
        transcript = await self._transcripts.current(call_id)
        if transcript is None:
            await self._store.forget([call_id])
            return None
        book = self._book()
        # some hundred milliseconds of a call of hours: calls that are up must not wait for it
        figures, verdicts = await asyncio.to_thread(_looked_at, transcript, book, call)
        judgement = Judgement(
            call=call,
            transcript_version=transcript.version,
            language=transcript.language,
            revision=book.revision,
            figures=figures,
            verdicts=tuple(verdicts),
            judged_at=self._clock.now(),
        )
        changed = await self._store.save(judgement)
        if alert:
            self._tell(call, judgement, changed, book)
        return changed

    def _tell(self, call: JudgedCall, judgement: Judgement, changed: Changed, book: Rulebook) -> None:
        titles = {one.rule.code: one.rule.title for one in book.rules}
        for verdict in judgement.broken:
            if verdict.severity is Severity.ALERT and verdict.code in changed.new:
                self._bus.publish(
                    CallFlagged(
                        call_id=call.call_id,
                        agent_id=call.agent_id,
                        campaign_id=call.campaign_id,
                        rule=verdict.code,
                        title=titles.get(verdict.code, ""),
                        verdict=verdict,
                        at=judgement.judged_at,
                    )
                )


def _looked_at(
    transcript: Transcript, book: Rulebook, call: JudgedCall
) -> tuple[TalkFigures, Sequence[RuleVerdict]]:
    return talk_figures(transcript), book.matcher.verdicts(transcript, campaign_id=call.campaign_id)
