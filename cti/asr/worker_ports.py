"""What a worker needs: work, the sound it is about, and somebody who writes it down."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from cti.model.transcripts import Segment, Span, Speaker, Transcript
from cti.model.work import Work


class Feed(Protocol):
    """Where work comes from and results go. All methods raise CtiError when it cannot be reached: try again later."""

    async def take(self, limit: int) -> list[Work]:
        """Lease up to `limit` recordings; may wait some seconds for one, and returns none when there is none."""
        ...

    async def keep(self, works: Sequence[Work]) -> set[int]:
        """Keep the leases; return the ids of those that are no longer ours, whose runs are to be ended."""
        ...

    async def begin(self, work: Work, fingerprint: str) -> bool:
        """Say that a run begins. False: there is such a transcript already, or the work is no longer ours."""
        ...

    async def done(self, work: Work, transcript: Transcript) -> int | None:
        """Store the transcript and finish the work; return its version, None when it was refused as not ours.

        Idempotent: the same again, after an answer that was lost, changes nothing.
        """
        ...

    async def failed(self, work: Work, error: str, *, for_good: bool) -> None:
        """Say that a run failed: it is due again later, or, `for_good` or after too many runs, a dead letter."""
        ...

    async def give_back(self, work: Work) -> None:
        """Give it back as if it had never been run: the worker ends."""
        ...

    async def live_calls(self) -> int | None:
        """Return how many calls are up; None: not known."""
        ...


class Sounds(Protocol):
    """Where recordings are."""

    def fetched(self, call_id: str) -> AbstractAsyncContextManager[Path]:
        """Give the recording as a file for as long as the block lasts.

        Raises GiveUp when there is none and will be none, CtiError when it cannot be had now.
        """
        ...


class Heard(Protocol):
    """What a scribe wrote down of a recording; see `cti.model.transcripts.Transcript`."""

    @property
    def seconds(self) -> float: ...
    @property
    def segments(self) -> tuple[Segment, ...]: ...
    @property
    def voices(self) -> Mapping[Speaker, tuple[Span, ...]]: ...
    @property
    def problem(self) -> str | None: ...


class Ear(Protocol):
    """One thread's part of a scribe; keeps what is dear to make from one recording to the next."""

    def __call__(self, path: Path, still: Callable[[float], Callable[[], None]]) -> Heard:
        """Write down a recording; blocks.

        `still` is told the recording's length in seconds and returns what is to be called between two stretches of
        sound; that waits while the worker pauses, and ends the run by raising. Raises BadInput for sound that can
        never be transcribed, EngineError.
        """
        ...


class Scribe(Protocol):
    """A loaded model with all that makes a recording text. Threads share it."""

    @property
    def engine(self) -> str: ...
    @property
    def model(self) -> str:
        """Name of its profile."""
        ...

    @property
    def language(self) -> str: ...
    @property
    def fingerprint(self) -> str:
        """Of engine, model files and settings."""
        ...

    def ear(self) -> Ear:
        """Make the calling thread's part."""
        ...


class Scribes(Protocol):
    """The models of the settings; each is loaded when it is first wanted."""

    def scribe(self, *, model: str, language: str) -> Scribe:
        """Return the one of that name, else the first of that language, else (both empty) the first; blocks.

        Raises GiveUp when the settings name none such, EngineError when it cannot be loaded.
        """
        ...
