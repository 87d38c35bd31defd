"""Talk figures made from when each voice was heard and from the words. Pure. `docs/glossary.md` defines each figure.

What a voice is was decided by whoever made the transcript; where it names no voices, the words' times stand in.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from cti.model.talk_figures import TalkFigures
from cti.model.transcripts import CHANNELS, Span, Speaker, Transcript, Word
from cti.quality.wording import tokens

BREATH_SECONDS: Final = 0.5
"""Voice that goes on after a pause this short is one utterance."""
TURN_PAUSE_SECONDS: Final = 2.0
"""After a longer pause of both, going on is a new turn."""
BACK_CHANNEL_SECONDS: Final = 0.6
"""An utterance shorter than this that begins over the other's voice takes no turn: mm-hm, 嗯."""
SLACK_SECONDS: Final = 0.2
"""Beginning so shortly before the other has ended is no interruption: voice activity detection ends late."""
LEAST_RATE_SECONDS: Final = 3.0
"""Nothing is said of a speech rate over less talk than this."""

_SMALL: Final = (
    "ah aha alright exactly good great hm hmm huh i is mhm mm oh ok okay really right see sure uh uhm um yeah yep yes "
    "well 啊 哦 噢 嗯 唔 好 对 是 的 行 嘛 呢 네 예 응 음 어 아 그 래 요"
)
SMALL_WORDS: Final = frozenset(_SMALL.split())
"""An utterance of nothing but these that begins over the other's voice takes no turn, however long it is drawn."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A speaker holds the floor; the other at most back-channels."""

    speaker: Speaker
    start: float
    end: float
    interrupts: bool
    """It began while the other spoke."""


def talk_figures(transcript: Transcript) -> TalkFigures:
    """Return the figures of a transcript."""
    seconds = max(transcript.seconds, 0.0)
    heard = {speaker: voice_of(transcript, speaker) for speaker in CHANNELS}
    agent, customer = heard[Speaker.AGENT], heard[Speaker.CUSTOMER]
    agent_talk, customer_talk = _length(agent), _length(customer)
    overtalk = _length(_both(agent, customer))
    quiet = _gaps(_merged([*agent, *customer]), seconds)
    silence = sum(span.seconds for span in quiet)
    turns = turns_of(transcript)
    responses = _responses(turns)
    talk, anybody = agent_talk + customer_talk, agent_talk + customer_talk - overtalk
    return TalkFigures(
        seconds=_round(seconds),
        agent_talk_seconds=_round(agent_talk),
        customer_talk_seconds=_round(customer_talk),
        agent_listen_seconds=_round(customer_talk - overtalk),
        customer_listen_seconds=_round(agent_talk - overtalk),
        talk_ratio=_share(agent_talk, talk),
        longest_agent_monologue=_longest(turns, Speaker.AGENT),
        longest_customer_monologue=_longest(turns, Speaker.CUSTOMER),
        silence_seconds=_round(silence),
        silence_share=_share(silence, seconds),
        longest_silence=_round(max((span.seconds for span in quiet), default=0.0)),
        overtalk_seconds=_round(overtalk),
        overtalk_share=_share(overtalk, anybody),
        interruptions=sum(turn.interrupts for turn in turns if turn.speaker is Speaker.AGENT),
        customer_interruptions=sum(turn.interrupts for turn in turns if turn.speaker is Speaker.CUSTOMER),
        response_seconds=_round(sum(responses) / len(responses)) if responses else None,
        longest_response=_round(max(responses)) if responses else None,
        agent_turns=sum(turn.speaker is Speaker.AGENT for turn in turns),
        customer_turns=sum(turn.speaker is Speaker.CUSTOMER for turn in turns),
        agent_units_per_minute=_rate(_words(transcript, Speaker.AGENT), agent_talk),
        customer_units_per_minute=_rate(_words(transcript, Speaker.CUSTOMER), customer_talk),
    )


def voice_of(transcript: Transcript, speaker: Speaker) -> list[Span]:
    """Return when the speaker was heard: within the recording, by time, none touching another."""
    spans: Iterable[Span] = transcript.voices.get(speaker, ())
    if not any(transcript.voices.values()):
        spans = (Span(start=word.start, end=word.end) for word in _words(transcript, speaker))
    clipped = (
        Span(start=max(span.start, 0.0), end=min(span.end, max(transcript.seconds, 0.0))) for span in spans
    )
    return _merged(clipped)


def turns_of(transcript: Transcript) -> list[Turn]:
    """Return the turns of both speakers, by their beginning."""
    utterances = {
        speaker: _merged(voice_of(transcript, speaker), across=BREATH_SECONDS) for speaker in CHANNELS
    }
    holding: list[tuple[Span, Speaker, bool]] = []
    for speaker, other in ((Speaker.CUSTOMER, Speaker.AGENT), (Speaker.AGENT, Speaker.CUSTOMER)):
        others = Line.of(utterances[other])
        words = sorted(_words(transcript, speaker), key=_middle)
        middles = [_middle(word) for word in words]
        for one in utterances[speaker]:
            over = others.begun_before(one.start)
            if over is None:
                holding.append((one, speaker, False))
            elif not _is_small(one, words[bisect_left(middles, one.start) : bisect_right(middles, one.end)]):
                holding.append((one, speaker, one.start <= over.end - SLACK_SECONDS))
    return _joined(sorted(holding, key=lambda held: (held[0].start, held[1])))


@dataclass(frozen=True, slots=True)
class Line:
    """One speaker's utterances, by time, none touching another."""

    spans: Sequence[Span]
    starts: Sequence[float]

    @classmethod
    def of(cls, spans: Sequence[Span]) -> "Line":
        """Make one of spans in order."""
        return cls(spans, [span.start for span in spans])

    def begun_before(self, moment: float) -> Span | None:
        """Return the utterance that goes on at a moment and began before it."""
        place = bisect_left(self.starts, moment) - 1
        return self.spans[place] if place >= 0 and self.spans[place].end > moment else None


def _joined(holding: Sequence[tuple[Span, Speaker, bool]]) -> list[Turn]:
    turns: list[Turn] = []
    for span, speaker, interrupts in holding:
        last = turns[-1] if turns else None
        if last and last.speaker is speaker and span.start - last.end <= TURN_PAUSE_SECONDS:
            turns[-1] = Turn(speaker, last.start, max(last.end, span.end), last.interrupts)
        else:
            turns.append(Turn(speaker, span.start, span.end, interrupts))
    return turns


def _is_small(utterance: Span, words: Sequence[Word]) -> bool:
    """`words`: those of the utterance."""
    if utterance.seconds < BACK_CHANNEL_SECONDS:
        return True
    said = [token for word in words for token in tokens(word.text)]
    return bool(said) and all(token in SMALL_WORDS for token in said)


def _middle(word: Word) -> float:
    return (word.start + word.end) / 2


def _responses(turns: Sequence[Turn]) -> list[float]:
    return [
        max(0.0, answer.start - said.end)
        for said, answer in pairwise(turns)
        if said.speaker is Speaker.CUSTOMER and answer.speaker is Speaker.AGENT
    ]


def _words(transcript: Transcript, speaker: Speaker) -> list[Word]:
    return [word for one in transcript.segments if one.speaker is speaker for word in one.words]


def _merged(spans: Iterable[Span], *, across: float = 0.0) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start):
        if span.end <= span.start:
            continue
        if merged and span.start - merged[-1].end <= across:
            merged[-1] = Span(start=merged[-1].start, end=max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def _both(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    both, here, there = [], 0, 0
    while here < len(one) and there < len(other):
        start = max(one[here].start, other[there].start)
        end = min(one[here].end, other[there].end)
        if start < end:
            both.append(Span(start=start, end=end))
        if one[here].end < other[there].end:
            here += 1
        else:
            there += 1
    return both


def _gaps(spans: Sequence[Span], seconds: float) -> list[Span]:
    edges = [0.0, *(edge for span in spans for edge in (span.start, span.end)), seconds]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [Span(start=start, end=end) for start, end in pairs if start < end]


def _length(spans: Iterable[Span]) -> float:
    return sum(span.seconds for span in spans)


def _longest(turns: Iterable[Turn], speaker: Speaker) -> float:
    return _round(max((turn.end - turn.start for turn in turns if turn.speaker is speaker), default=0.0))


def _rate(words: Iterable[Word], talk_seconds: float) -> float | None:
    units = sum(len(tokens(word.text)) for word in words)
    return round(units * 60 / talk_seconds, 1) if units and talk_seconds >= LEAST_RATE_SECONDS else None


def _share(part: float, whole: float) -> float | None:
    return round(min(max(part / whole, 0.0), 1.0), 4) if whole > 0 else None


def _round(seconds: float) -> float:
    return round(max(seconds, 0.0), 3)
