"""What the API needs of reports."""

from datetime import datetime
from typing import Protocol

from cti.model.reconciliation import Reconciliation
from cti.model.tables import ReportKind, Table


class Reporter(Protocol):
    """Figures from facts."""

    async def report(self, kind: ReportKind, *, since: datetime, until: datetime) -> Table:
        """Count calls placed, or time spent, in the span: since inclusive, until exclusive."""
        ...


class Reconciler(Protocol):
    """Compares our calls with Asterisk's own records."""

    async def run(self, since: datetime) -> Reconciliation:
        """Look at all calls placed since then that have ended."""
        ...
