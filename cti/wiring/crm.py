"""Puts the service's side of the CRMs together: which work calls leave, the feed, the desk, the process beside us."""

import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cti.bus import EventBus
from cti.child import Child
from cti.clock import Clock
from cti.crm.asker import Asker
from cti.crm.desk import CrmDesk
from cti.crm.feed import TableFeed
from cti.crm.follow_ups import CallbackFollowers, ContactFollowers
from cti.crm.gate import CrmGate, InnerGate
from cti.crm.pull_desk import PullDesk
from cti.crm.reconcile_desk import ReconcileDesk
from cti.crm.reconciling import TableReconciling
from cti.crm.record_desk import OpenCalls, RecordDesk
from cti.crm.targets import CallFollowers
from cti.crm.texts import texts_by
from cti.model.access import Grant, Role, digest_of
from cti.service import Service
from cti.settings import Settings
from cti.settings.client import TOKEN_VARIABLE, URL_VARIABLE, service_url
from cti.storage.database import Database
from cti.wiring.crm_pulls import follow_ups_of, intake_of, look_ups_of

COMMAND: Final = (sys.executable, "-m", "crm_sync", "--child")
WOKEN_SECONDS: Final = 5.0
"""A process that asks us for numbers is woken when there is one; this is for what was missed."""


class CrmRoom:
    """The parts, wired. Without targets there are no services, and no work is written."""

    def __init__(
        self,
        *,
        settings: Settings,
        config: Path | None,
        database: Database,
        clock: Clock,
        bus: EventBus,
        open_calls: OpenCalls,
        command: Sequence[str] = COMMAND,
    ) -> None:
        """`config`: the settings file, for the process; `command` begins it."""
        targets = settings.crm.rules()
        self.followers = CallFollowers(targets)
        following = [target.name for target in settings.crm.targets if target.follow_ups]
        self.callback_followers = CallbackFollowers(following)
        self.contact_followers = ContactFollowers(following)
        self.pulls = PullDesk(
            intake=intake_of(settings, database, clock=clock),
            follow_ups=follow_ups_of(settings, database, clock=clock),
            store=database.pulls,
            clock=clock,
        )
        names = [target.name for target in targets]
        self.look_ups = look_ups_of(
            settings,
            database,
            clock=clock,
            poll_seconds=WOKEN_SECONDS,
            on_answer=lambda: self.asker.answered(),
        )
        self.asker = Asker(
            store=database.look_ups,
            targets=[target.name for target in targets if target.look_up],
            all_targets=names,
            clock=clock,
            on_ask=self.look_ups.asked,
            on_end=self.look_ups.close,
        )
        self.records = RecordDesk(
            calls=database.calls,
            links=database.crm,
            open_calls=open_calls,
            targets=names,
            followers=self.followers,
            bus=bus,
            clock=clock,
        )
        self._pull_rules, self._pull_store = settings.crm.pull_rules(), database.pulls
        feed = TableFeed(
            works=database.work,
            store=database.crm,
            targets=targets,
            clock=clock,
            texts=texts_by(database.transcripts.current),
        )
        runs = TableReconciling(
            works=database.work,
            store=database.crm,
            runs=database.reconciliations,
            feed=feed,
            targets=targets,
            clock=clock,
        )
        token = secrets.token_urlsafe(32)
        wanted = bool(targets) and settings.crm.process
        file = () if config is None else ("--config", str(config))
        child = Child(
            name="the process that writes to CRMs",
            command=[*command, *file],
            environ={URL_VARIABLE: service_url(settings), TOKEN_VARIABLE: token},
            clock=clock,
        )
        self.grants: tuple[Grant, ...] = (_grant(token),) if wanted else ()
        """What lets our own process in; the token lives as long as this one."""
        asking: tuple[Service, ...] = (self.asker,) if targets else ()
        self.services: tuple[Service, ...] = (*asking, *((child,) if wanted else ()))
        self.desk = CrmDesk(
            works=database.work,
            store=database.crm,
            feed=feed,
            targets=targets,
            adapters={target.name: target.adapter for target in settings.crm.targets},
            clock=clock,
            process=lambda: child.alive if wanted else None,
            reconciliations=ReconcileDesk(
                runs=database.reconciliations,
                feed=runs,
                targets=names,
                clock=clock,
            ),
        )

    def gate(self, inner: InnerGate) -> CrmGate:
        """Return the gate of law and custom with the CRMs' last word behind it: for choosing whom to dial."""
        return CrmGate(gate=inner, store=self._pull_store, pulls=self._pull_rules)


def _grant(token: str) -> Grant:
    name = "the process beside the service that writes to CRMs"
    return Grant(name=name, sha256=digest_of(token), role=Role.SYNC)
