"""`TranscriptSearch` in memory: looks at every utterance."""

from collections.abc import Iterator
from dataclasses import dataclass

from cti.model.calls import Call
from cti.model.searches import After, Found, Hit, MarkKind, SearchFilter, SearchOrder, SearchScope
from cti.model.transcripts import Segment, Transcript
from cti.search.hits import RANKED, any_of, judged, marks_of, moment_of, rank
from cti.search.matching import call_holds
from cti.search.ports import Asked
from cti.search.query import Query
from cti.search.segment_ids import first_id
from cti.search.units import units_of
from tests.fakes.memory_tables import MemoryTables


@dataclass(frozen=True, slots=True)
class _Said:
    id: int
    segment: Segment
    transcript: Transcript
    call: Call


class MemorySearch:
    """Reads the transcripts of the other twin."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()

    async def find(self, asked: Asked) -> Found:
        shown = any_of(asked.query) if asked.scope is SearchScope.CALL else asked.query
        every = [one for one in self._said(asked) if judged(shown, one.segment.shown)]
        place = 0
        if asked.order is SearchOrder.RANK:
            every = sorted(every[:RANKED], key=lambda one: (_rank(shown, one), one.id), reverse=True)
            place = asked.after.place if asked.after else 0
            every = every[place:]
        elif asked.after:
            every = [one for one in every if one.id < asked.after.segment_id]
        hits = tuple(self._hit(shown, one) for one in every[: asked.limit])
        if len(every) <= asked.limit:
            return Found(hits=hits, next=None)
        ranked = asked.order is SearchOrder.RANK
        after = After(place=place + asked.limit) if ranked else After(segment_id=hits[-1].segment_id)
        return Found(hits=hits, next=after)

    def _said(self, asked: Asked) -> Iterator[_Said]:
        newest: dict[str, int] = {}
        for key, one in self._tables.transcripts.items():
            known = newest.get(one.call_id)
            if known is None or one.version > self._tables.transcripts[known].version:
                newest[one.call_id] = key
        for key in sorted(newest.values(), reverse=True):
            transcript = self._tables.transcripts[key]
            call = self._tables.calls[transcript.call_id]
            said = [
                _Said(first_id(key) + place, segment, transcript, call)
                for place, segment in enumerate(transcript.segments)
                if asked.narrow.speaker in (None, segment.speaker)
            ]
            if not self._of_call(asked.narrow, transcript, call):
                continue
            whole = asked.scope is SearchScope.CALL
            if whole and not call_holds(asked.query, [units_of(one.segment.shown) for one in said]):
                continue
            least = asked.narrow.min_confidence
            for one in reversed(said):
                confidence = one.segment.confidence
                if least is None or (confidence is not None and confidence >= least):
                    yield one

    def _of_call(self, narrow: SearchFilter, transcript: Transcript, call: Call) -> bool:
        verdict = self._tables.verdicts.get(call.id)
        agents = {call.agent_id, *(join.agent_id for join in call.joins)}
        return all(
            (
                narrow.agent_id is None or narrow.agent_id in agents,
                narrow.campaign_id in (None, call.campaign_id),
                narrow.list_id in (None, call.list_id),
                narrow.since is None or call.placed_at >= narrow.since,
                narrow.until is None or call.placed_at < narrow.until,
                narrow.call_id in (None, call.id),
                narrow.disposition in (None, verdict.disposition if verdict else None),
                narrow.min_seconds is None or transcript.seconds >= narrow.min_seconds,
                narrow.max_seconds is None or transcript.seconds <= narrow.max_seconds,
                narrow.rule is None or (call.id, MarkKind.RULE, narrow.rule) in self._tables.call_marks,
                self._scored(narrow, call),
            )
        )

    def _scored(self, narrow: SearchFilter, call: Call) -> bool:
        if narrow.min_score is None and narrow.max_score is None:
            return True
        least, most = narrow.min_score, narrow.max_score
        return any(
            value is not None and (least is None or value >= least) and (most is None or value <= most)
            for (call_id, kind, _), value in self._tables.call_marks.items()
            if (call_id, kind) == (call.id, MarkKind.SCORE)
        )

    def _hit(self, shown: Query, one: _Said) -> Hit:
        judgement = judged(shown, one.segment.shown)
        assert judgement is not None
        units, places = judgement
        campaign = self._tables.campaigns.get(one.call.campaign_id or 0)
        agent = self._tables.agents.get(one.call.agent_id or 0)
        verdict = self._tables.verdicts.get(one.call.id)
        confidence = one.segment.confidence
        words = [(word.text, word.start * 1000, word.end * 1000) for word in one.segment.words]
        return Hit(
            segment_id=one.id,
            call_id=one.call.id,
            version=one.transcript.version,
            placed_at=one.call.placed_at,
            campaign=campaign.name if campaign else None,
            agent=agent.login if agent else None,
            list_id=one.call.list_id,
            disposition=verdict.disposition if verdict else None,
            speaker=one.segment.speaker,
            start=one.segment.start,
            end=one.segment.end,
            at=round(moment_of(one.segment.shown, words, units, places[0][0])) / 1000,
            text=one.segment.shown,
            marks=marks_of(units, places),
            confidence=None if confidence is None else round(confidence, 3),
        )


def _rank(shown: Query, one: _Said) -> tuple[int, float]:
    judgement = judged(shown, one.segment.shown)
    assert judgement is not None
    return rank(shown, *judgement)
