"""What can be set of lists that are pulled from CRMs: the tables `[[crm.pulls]]`."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from cti.model.crm_pulls import PullRules
from cti.settings.base import Section

PullName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=40)]


class CrmPullSettings(Section):
    """Records of one source of a CRM, into the list of one campaign."""

    name: PullName = Field(
        description="Our name for it, and the list's; unique, and kept: how far it has come is remembered by it."
    )
    target: str = Field(min_length=1, description="Name of the `[[crm.targets]]` that it reads from.")
    source: str = Field(min_length=1, description="A source that the target's mapping file names.")
    campaign: str = Field(min_length=1, description="Name of the campaign whose list it fills.")
    every_seconds: float = Field(
        60.0, ge=1, le=86_400, description="How often it is asked what changed, once all is read."
    )
    page: int = Field(100, ge=1, le=1000, description="Records of one request.")
    region: str = Field(
        "",
        pattern=r"^([A-Z]{2})?$",
        description="Country (two letters) of numbers written without one, where the record does not say it.",
    )
    priority: int = Field(0, ge=-1000, le=1000, description="In the queue.")
    owners: Literal["set", "ignore"] = Field(
        "set", description="`set`: the CRM's owner becomes the contact's, when he is an agent here."
    )
    callbacks: bool = Field(True, description="The CRM's next follow-up becomes a callback.")
    dry_run: bool = Field(False, description="Only count what would be taken; nothing is written.")
    recheck_minutes: float = Field(
        0.0,
        ge=0,
        le=10_080,
        description="Records that were read longer ago are read again before they are dialed; 0: they are not.",
    )
    when_away: Literal["dial", "hold"] = Field(
        "dial", description="Whether those are dialed while the CRM cannot be read."
    )
    check_deleted_hours: float = Field(
        24.0, ge=0, le=720, description="How often it is looked for records that were deleted; 0: never."
    )

    gone_percent: float = Field(
        20.0,
        ge=0,
        le=100,
        description="When more of the records asked for together are gone, none is taken for deleted: a right may be "
        "missing. 100: they always are.",
    )

    def rules(self) -> PullRules:
        """Return it as the service knows it."""
        return PullRules(
            name=self.name,
            target=self.target,
            source=self.source,
            campaign=self.campaign,
            every=timedelta(seconds=self.every_seconds),
            page=self.page,
            region=self.region,
            priority=self.priority,
            owners=self.owners == "set",
            callbacks=self.callbacks,
            dry_run=self.dry_run,
            recheck=timedelta(minutes=self.recheck_minutes) if self.recheck_minutes else None,
            hold=self.when_away == "hold",
            check_deleted=timedelta(hours=self.check_deleted_hours) if self.check_deleted_hours else None,
            gone_share=self.gone_percent / 100,
        )
