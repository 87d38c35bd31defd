"""What can be set of dialing: what campaigns have by default, agents' phones, callbacks, the gate."""

from typing import Literal

import phonenumbers
from pydantic import Field, field_validator

from cti.settings.base import MaybeFolder, Section


class DialerSettings(Section):
    """What a campaign has when it does not say otherwise."""

    ring_seconds: float = Field(
        30.0, ge=5, le=180, description="How long to let it ring (US: at least 15 s)."
    )
    grace_seconds: float = Field(
        2.0, gt=0, le=30, description="How long an answered person may wait for an agent."
    )
    message: str = Field(
        "cti-sorry",
        pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_/-]*$",
        description="Sound played to a person nobody fetched.",
    )
    region: str = Field("", description="Country (ISO 3166, two letters) of numbers written without one.")
    caller_id: str = Field(
        "", pattern=r"^(\+[1-9][0-9]{6,14})?$", description="Number shown, E.164; empty: the trunk's."
    )

    reasons_kept_days: float = Field(
        90.0, gt=0, le=3650, description="How long it is kept why a contact was dialed or not, in days."
    )

    @field_validator("region")
    @classmethod
    def _known_region(cls, region: str) -> str:
        if region and region not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError("must be empty or a country in two capital letters, for example CN, DE, US")
        return region


class AgentsSettings(Section):
    """How agents' phones are used."""

    mode: Literal["kept_leg"] = Field(
        "kept_leg", description="`kept_leg`: the phone is called once, at login."
    )
    answer_seconds: float = Field(20.0, gt=0, le=120, description="How long a phone may ring at login.")
    reconnect_seconds: float = Field(
        5.0, ge=0, le=300, description="How long a phone may be unreachable before its agent is logged out."
    )


class CallbackSettings(Section):
    """When callbacks are told, and when they become the team's."""

    remind_minutes: float = Field(
        10.0, ge=0, le=1440, description="So long before a callback is due it is reminded of, in minutes."
    )
    release_minutes: float = Field(
        15.0,
        ge=0,
        le=10_080,
        description="So long after it fell due an agent's callback is anybody's while he is logged out, in minutes.",
    )
    clash_minutes: float = Field(
        10.0,
        ge=0,
        le=1440,
        description="Two callbacks of one agent nearer than this are told as a clash, in minutes.",
    )


class ComplianceSettings(Section):
    """What the compliance gate goes by."""

    profiles: MaybeFolder = Field(
        None,
        description="Folder with profiles of this installation's own (`NAME.toml`); one named as a shipped one"
        " replaces it.",
    )
