"""What the API needs of compliance: profiles, the do-not-call list, consent."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from cti.compliance.consents import Consent
from cti.compliance.do_not_call import FileReading, RegisterImport
from cti.compliance.facts import ConsentStanding, Listed
from cti.compliance.law import Law
from cti.compliance.listings import Listing, ListingStep, Register
from cti.compliance.preview import Place, Preview
from cti.compliance.profiles import Profile
from cti.model.contacts import Campaign
from cti.model.findings import Finding
from cti.model.verdicts import SkipReason, Verdict


class Compliance(Protocol):
    """Profiles, previews and reasons. Raises BadInput naming the key of the rules that is wrong, StorageError."""

    def profiles(self) -> Sequence[Profile]:
        """List the profiles by name."""
        ...

    def findings(self, campaign: Campaign) -> Sequence[Finding]:
        """Return how a campaign stands to its profile, and what it makes less strict."""
        ...

    async def preview(
        self, campaign: Campaign, *, at: datetime, list_id: int | None, start: Place, at_most: int
    ) -> Preview:
        """Look at so many contacts of the campaign as if they were asked for at that time."""
        ...

    async def why(
        self, campaign: Campaign, number: str, at: datetime
    ) -> tuple[str, Sequence[int], Law, Mapping[SkipReason, Verdict]]:
        """Return a number as E.164, the contacts that have it, the law for it, and each check's answer."""
        ...


class DoNotCall(Protocol):
    """The own do-not-call list and registers. Raises BadInput naming the number or line, NotFound, Conflict."""

    async def add(
        self, numbers: Sequence[str], *, campaign_id: int, reason: str, until: datetime | None, by: str
    ) -> int:
        """List numbers or beginnings, all or none. Returns how many were not listed before."""
        ...

    async def add_file(
        self,
        chunks: AsyncIterator[bytes],
        *,
        campaign_id: int,
        reason: str,
        until: datetime | None,
        by: str,
    ) -> FileReading:
        """List the numbers of a file."""
        ...

    async def remove(self, number: str, *, campaign_id: int, reason: str, by: str) -> str:
        """Take an entry out and return its key."""
        ...

    async def listings(
        self, *, beginning: str, campaign_id: int | None, after: tuple[str, int], limit: int
    ) -> Sequence[Listing]:
        """List entries by number and campaign."""
        ...

    async def check(
        self, number: str, *, campaign_id: int
    ) -> tuple[str, Sequence[Listed], Sequence[ListingStep]]:
        """Return the number as E.164, all that it falls under now, and its history."""
        ...

    async def registers(self) -> Sequence[Register]:
        """List the registers that count."""
        ...

    async def import_register(
        self,
        chunks: AsyncIterator[bytes],
        *,
        name: str,
        source: str,
        as_of: date | None,
        may_shrink: bool,
        by: str,
    ) -> RegisterImport:
        """Fill a register from a file and let it take the place of the one of its name."""
        ...

    async def end_register(self, name: str) -> None:
        """Let a register count no more."""
        ...


class Consents(Protocol):
    """What people said to being called. Raises BadInput, NotFound."""

    async def record(
        self,
        *,
        contact_id: int | None,
        number: str | None,
        standing: ConsentStanding,
        at: datetime | None,
        source: str,
        evidence: str,
        by: str,
    ) -> Sequence[Consent]:
        """Write down what was said; a line for each contact."""
        ...

    async def history(self, *, contact_id: int | None, number: str | None) -> Sequence[Consent]:
        """List what was said, oldest first."""
        ...
