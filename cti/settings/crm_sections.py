"""What can be set of CRMs that calls are written to: the tables `[crm]` and `[[crm.targets]]`."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator, model_validator

from cti.crm.targets import Target
from cti.model.calls import Outcome
from cti.model.crm import Rate
from cti.model.crm_pulls import PullRules
from cti.settings.base import Section, each_once
from cti.settings.crm_pull_sections import CrmPullSettings

TargetName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=40)]


class CrmTargetSettings(Section):
    """One account of one CRM."""

    name: TargetName = Field(
        description="Our name for it; unique, and kept: what stands there is remembered by it."
    )
    adapter: str = Field(
        "rest",
        min_length=1,
        description="Which adapter speaks to it: `odoo`, `bottle`, `hubspot`, `bitrix24`, `fxiaoke`, or `rest` for "
        "any CRM, by its mapping file.",
    )
    url: str = Field(
        pattern=r"^https?://[^\s]+$", description="Address of the CRM, `https://crm.example.com`."
    )
    secret: SecretStr = Field(
        SecretStr(""), description="Its key; better in the environment than in the file."
    )
    mapping: Path = Field(
        description="File that says our fields in its words; `config/crm/` has some to begin with."
    )
    outcomes: tuple[Outcome, ...] = Field(
        (), description="Calls with these outcomes are written; empty: all. For example without `no_answer`."
    )
    settle_seconds: float = Field(
        10.0, ge=0, le=3600, description="Changes of a call that follow each other within this are one write."
    )
    transcript: bool = Field(False, description="Write the transcript, too.")
    recording: bool = Field(
        True, description="Write the link to the recording, where `crm.recording_url` is set."
    )
    follow_ups: bool = Field(
        False,
        description="Write callbacks and contacts' next follow-ups as follow-ups of the record, where the adapter can.",
    )
    look_up: bool = Field(
        True,
        description="Ask it, where the adapter can, which records have the number of a call that names none; the rep "
        "is offered them.",
    )
    in_flight: int | None = Field(
        None,
        ge=1,
        le=64,
        description="Most requests under way at one time; empty: what the CRM is known to bear.",
    )
    per_second: float | None = Field(
        None,
        gt=0,
        description="Most requests per second of the account; empty: what the CRM is known to bear.",
    )
    burst: int | None = Field(None, ge=1, description="Requests at once after a silence.")
    per_day: int | None = Field(None, ge=1, description="Most requests of the account in a day (UTC).")

    reconcile_minutes: float = Field(
        60.0,
        ge=0,
        le=7 * 24 * 60,
        description="How often calls and what stands in the CRM are held together; 0: on order alone.",
    )
    reconcile_hours: float = Field(
        26.0, gt=0, le=24 * 366, description="Calls of the last so many hours are looked at each time."
    )
    reconcile_stand_back_seconds: float = Field(
        900.0,
        ge=0,
        le=24 * 3600,
        description="So long in all a reconciliation stands back while calls wait to be written; 0: not at all.",
    )

    def rate(self, *, known: Rate) -> Rate:
        """Return the rate it is given; what is not set is as known of the CRM."""
        return Rate(
            per_second=self.per_second or known.per_second,
            burst=self.burst or known.burst,
            per_day=self.per_day or known.per_day,
        )


class CrmSettings(Section):
    """CRMs that calls are written to. None: our own contacts are the record."""

    recording_url: str = Field(
        "",
        pattern=r"^(https?://[^\s]*\{call_id\}[^\s]*)?$",
        description="Where people hear a recording, with `{call_id}`; empty: no link is written.",
    )
    process: bool = Field(
        True, description="`cti run` keeps `python -m crm_sync` beside itself; else it is run by others."
    )
    targets: tuple[CrmTargetSettings, ...] = ()
    pulls: tuple[CrmPullSettings, ...] = ()

    @model_validator(mode="after")
    def _known(self) -> "CrmSettings":
        each_once("pulls: the name", [pull.name for pull in self.pulls])
        targets = [target.name for target in self.targets]
        for pull in self.pulls:
            if pull.target not in targets:
                known = ", ".join(targets) or "none"
                raise ValueError(
                    f"pulls: {pull.name}: there is no target {pull.target!r}; there are: {known}"
                )
        return self

    def pull_rules(self) -> tuple[PullRules, ...]:
        """Return what the service must know of pulls."""
        return tuple(pull.rules() for pull in self.pulls)

    @field_validator("targets")
    @classmethod
    def _unique(cls, targets: tuple[CrmTargetSettings, ...]) -> tuple[CrmTargetSettings, ...]:
        each_once("the name", [target.name for target in targets])
        return targets

    def rules(self) -> tuple[Target, ...]:
        """Return what the service itself must know of them."""
        return tuple(
            Target(
                name=target.name,
                outcomes=frozenset(one.value for one in target.outcomes) if target.outcomes else None,
                settle=timedelta(seconds=target.settle_seconds),
                recording_url=self.recording_url if target.recording else "",
                transcript=target.transcript,
                look_up=target.look_up,
            )
            for target in self.targets
        )
