"""Puts the service's side of the CRMs together: which work calls leave, the feed, the desk, the process beside us."""

import hashlib
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cti.child import Child
from cti.clock import Clock
from cti.crm.desk import CrmDesk
from cti.crm.feed import TableFeed
from cti.crm.reconcile_desk import ReconcileDesk
from cti.crm.reconciling import TableReconciling
from cti.crm.targets import CallFollowers
from cti.crm.texts import texts_by
from cti.model.access import Grant, Role
from cti.service import Service
from cti.settings import Settings
from cti.settings.client import TOKEN_VARIABLE, URL_VARIABLE, service_url
from cti.storage.database import Database

COMMAND: Final = (sys.executable, "-m", "crm_sync", "--child")


class CrmRoom:
    """The parts, wired. Without targets there are no services, and no work is written."""

    def __init__(
        self,
        *,
        settings: Settings,
        config: Path | None,
        database: Database,
        clock: Clock,
        command: Sequence[str] = COMMAND,
    ) -> None:
        """`config`: the settings file, for the process; `command` begins it."""
        targets = settings.crm.rules()
        self.followers = CallFollowers(targets)
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
        self.services: tuple[Service, ...] = (child,) if wanted else ()
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
                targets=[target.name for target in targets],
                clock=clock,
            ),
        )


def _grant(token: str) -> Grant:
    digest = hashlib.sha256(token.encode()).hexdigest()
    return Grant(name="the process beside the service that writes to CRMs", sha256=digest, role=Role.SYNC)
