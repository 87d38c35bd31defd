"""Puts recordings together: collected, kept, paused, deleted, heard. Starts nothing."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cti.bus import EventBus
from cti.clock import Clock
from cti.dialer.campaign_desk import CampaignDesk
from cti.model.campaign_rules import RecordingRules
from cti.model.queries import RecordingFacts
from cti.model.recordings import RecordedCall
from cti.model.telling import Tell, tell_nobody
from cti.model.work import (
    COLLECT_RECORDING,
    COMPRESS_RECORDING,
    ROTATE_RECORDING,
    UPLOAD_RECORDING,
    NewWork,
)
from cti.recording.archive import Archive
from cti.recording.collector import RecordingCollector
from cti.recording.desk import RecordingDesk
from cti.recording.keeper import RecordingKeeper
from cti.recording.locks import CallLocks
from cti.recording.pauses import OpenCalls, PauseDesk
from cti.recording.ports import RecordingLines
from cti.recording.retention import RetentionKeeper
from cti.recording.space import SpaceWatch
from cti.recording.works import compress_work, works_after
from cti.service import Service
from cti.settings import NodeSettings
from cti.settings.recording_sections import RecordingSettings
from cti.storage.database import Database
from cti.work.runner import Handler

Transcribe = Callable[[RecordedCall, RecordingFacts], Sequence[NewWork]]
"""The work that transcribes a recording; none where its call is not to be transcribed."""


class Recordings:
    """The parts of recording, wired."""

    def __init__(
        self,
        *,
        settings: RecordingSettings,
        database: Database,
        bus: EventBus,
        clock: Clock,
        nodes: Mapping[str, NodeSettings],
        campaigns: CampaignDesk,
        lines: RecordingLines,
        open_calls: OpenCalls,
        on_work: Callable[[], None],
        transcribe: Transcribe = lambda _call, _facts: (),
        also: Transcribe = lambda _call, _facts: (),
        tell: Tell = tell_nobody,
        on_hooks: Callable[[], None] = lambda: None,
    ) -> None:
        store = database.recordings
        raw_folders: dict[str, Path] = {
            name: node.recordings for name, node in nodes.items() if node.recordings
        }
        self._settings, self._campaigns, self._transcribe = settings, campaigns, transcribe
        self._also = also
        self._raw_folders = raw_folders
        self.archive = Archive.open(settings.plan())
        locks, classes = CallLocks(), settings.retention_classes()
        self.space = SpaceWatch(
            bus=bus,
            clock=clock,
            folder=settings.folder,
            raw_folders=raw_folders,
            least_free_bytes=settings.least_free_bytes,
        )
        collector = RecordingCollector(
            store=store,
            archive=self.archive,
            bus=bus,
            clock=clock,
            raw_folders=raw_folders,
            template=self._template,
            retention=self._retention,
            following=self._following,
            disk_full=self.space.disk_full,
            keep_raw=settings.keep_raw,
            tell=tell,
            on_work=on_hooks,
        )
        keeper = RecordingKeeper(
            store=store,
            archive=self.archive,
            clock=clock,
            locks=locks,
            spool=settings.folder / ".spool",
            compress=settings.form(),
            disk_full=self.space.disk_full,
        )
        self.handlers: Mapping[str, Handler] = {
            COLLECT_RECORDING: collector.collect,
            COMPRESS_RECORDING: keeper.compress,
            UPLOAD_RECORDING: keeper.upload,
            ROTATE_RECORDING: keeper.rotate,
        }
        self.pauses = PauseDesk(store=store, lines=lines, open_calls=open_calls, bus=bus, clock=clock)
        self.desk = RecordingDesk(
            store=store,
            archive=self.archive,
            clock=clock,
            classes=classes,
            default=settings.retention,
            on_work=on_work,
        )
        self.services: tuple[Service, ...] = (
            self.space,
            self.pauses,
            RetentionKeeper(
                store=store,
                archive=self.archive,
                clock=clock,
                locks=locks,
                classes=classes,
                default=settings.retention,
            ),
        )

    def may_record(self, node: str) -> bool:
        """Whether a call that is placed now on this node is to be recorded: its folder is seen, and there is room."""
        return node in self._raw_folders and self.space.may_record(node)

    def _template(self, call: RecordedCall) -> str:
        return self._rules(call).template or self._settings.template

    def _retention(self, call: RecordedCall) -> str:
        return self._rules(call).retention or self._settings.retention

    def _rules(self, call: RecordedCall) -> RecordingRules:
        return self._campaigns.rules(call.campaign_id or 0).recording

    def _following(self, call: RecordedCall, facts: RecordingFacts) -> Sequence[NewWork]:
        """Transcribe first, where that is wanted; who stores the transcript orders the compression."""
        elsewhere = (
            *works_after(call.call_id, facts, last_place=self.archive.last_place),
            *self._also(call, facts),
        )
        if orders := self._transcribe(call, facts):
            return (*orders, *elsewhere)
        if self._settings.form() is None:
            return elsewhere
        # what is smaller is moved afterwards
        return (compress_work(call.call_id), *self._also(call, facts))
