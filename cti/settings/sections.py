"""What can be set. A key's description here is its page in the reference; secrets are never printed."""

import hashlib
import types
from pathlib import Path
from typing import Any, Literal, Self, Union, get_args, get_origin
from zoneinfo import available_timezones

import phonenumbers
from pydantic import Field, SecretStr, field_validator, model_validator

from cti.errors import SettingsError
from cti.model.access import Grant, Role
from cti.model.contacts import Campaign
from cti.model.lines import Trunk
from cti.settings.asr_sections import AsrSettings
from cti.settings.base import Name, Port, Section
from cti.settings.crm_sections import CrmSettings
from cti.settings.hooks_sections import DialLinkSettings, WebhookSettings
from cti.settings.quality_sections import QualitySettings
from cti.settings.recording_sections import RecordingSettings
from cti.settings.worker_sections import RedisSettings


class DatabaseSettings(Section):
    """Where facts are kept."""

    url: SecretStr = Field(
        SecretStr("sqlite:///var/waihu.db"),
        description="`sqlite:///FILE`, or `postgresql://USER:PASSWORD@HOST/NAME`.",
    )

    @field_validator("url")
    @classmethod
    def _known_database(cls, url: SecretStr) -> SecretStr:
        schemes = ("sqlite:///", "sqlite+aiosqlite:///", "postgresql://", "postgresql+asyncpg://")
        if not url.get_secret_value().startswith(schemes):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        return url


class TrunkSettings(Section):
    """One way out of a node."""

    endpoint: str = Field(
        pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$",
        max_length=64,
        description="PJSIP endpoint; unique on its node.",
    )
    channels: int | None = Field(
        None, ge=1, description="Most calls by it at one time; empty: only the node's limit."
    )
    calls_per_second: float | None = Field(
        None, gt=0, description="Most new calls by it per second; empty: only the node's limit."
    )
    priority: int = Field(
        0, description="The smaller first, where a campaign leaves the order to the node (`*`)."
    )
    failure_share: float = Field(
        0.5, gt=0, le=1, description="Share of technical failures at which its breaker opens."
    )
    rest_seconds: float = Field(
        30.0,
        ge=1,
        le=3600,
        description="How long an open breaker lets nothing out before it tries one call; doubled each time it fails.",
    )


class NodeSettings(Section):
    """One Asterisk node."""

    name: Name = Field(description="Our name for it; unique, and kept: calls are stored under it.")
    host: str = Field("127.0.0.1", min_length=1, description="Where its manager interface (AMI) listens.")
    port: Port = Field(5038, description="AMI port.")
    user: Name = Field("cti", description="AMI account, from `manager_cti.conf`.")
    secret: SecretStr = Field(description="Its secret.")
    recordings: Path | None = Field(
        None, description="The node's `monitor/cti` folder as seen from here; empty: nothing can be recorded."
    )
    cel: Path | None = Field(
        None,
        description="The node's `cel-custom` folder as seen from here; empty: no reconciliation with it.",
    )
    cel_file: str = Field(
        "cti.csv", pattern=r"^[^/\x00]+$", description="Name of the CEL file in that folder."
    )
    trunk: str = Field(
        "",
        pattern=r"^([A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*)?$",
        description="PJSIP endpoint for calls of campaigns that name none; empty: the trunk of the smallest priority.",
    )
    max_lines: int = Field(100, ge=1, description="Most customer calls on this node at one time.")
    calls_per_second: float = Field(20.0, gt=0, description="Most Originates per second to this node.")
    trunks: tuple[TrunkSettings, ...] = ()

    @model_validator(mode="after")
    def _each_trunk_once(self) -> Self:
        names = [trunk.endpoint for trunk in self.trunks]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"trunks: the endpoint {twice[0]!r} stands twice")
        return self

    def all_trunks(self) -> tuple[Trunk, ...]:
        """Return its trunks, the smallest priority first; `trunk` among them, without limits when it has no table."""
        given = [Trunk(node=self.name, **trunk.model_dump()) for trunk in self.trunks]
        if self.trunk and self.trunk not in {trunk.endpoint for trunk in given}:
            given.append(Trunk(node=self.name, endpoint=self.trunk))
        return tuple(sorted(given, key=lambda trunk: (trunk.priority, trunk.endpoint)))

    def default_trunk(self) -> str:
        """Return by which endpoint campaigns leave that name none; empty when there is none at all."""
        return self.trunk or next((trunk.endpoint for trunk in self.all_trunks()), "")

    @field_validator("recordings", "cel", mode="before")
    @classmethod
    def _empty_is_none(cls, folder: object) -> object:
        return None if folder == "" else folder


class ImportSettings(Section):
    """Lists while they are imported."""

    folder: Path = Field(
        Path("var/imports"), description="Where files lie until they are imported; nobody else may read it."
    )


class TokenSettings(Section):
    """Somebody who may use the API. Exactly one of `token` and `sha256`."""

    name: str = Field(min_length=1, description="Who it is; unique; told in logs.")
    token: SecretStr | None = Field(
        None, min_length=16, description="The token itself, at least 16 characters."
    )
    sha256: str | None = Field(
        None,
        pattern="^[0-9a-fA-F]{64}$",
        description="Or its SHA-256 in hex, so that the file holds no secret.",
    )
    role: Role = Field(
        description="`admin`, `lead`, `qa`, `agent`, `worker` (a process that transcribes), or `sync` (one that writes"
        " to CRMs)."
    )
    agent: Name | None = Field(None, description="Login of the agent; needed with the role `agent`.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.token is None) == (self.sha256 is None):
            raise ValueError("give exactly one of token and sha256")
        if (self.role is Role.AGENT) != (self.agent is not None):
            raise ValueError("agent is to be given with the role agent, and only with it")
        return self

    def grant(self) -> Grant:
        """Return what the API keeps of it."""
        digest = (
            self.sha256.lower() if self.sha256 else hashlib.sha256(_revealed(self.token).encode()).hexdigest()
        )
        return Grant(name=self.name, sha256=digest, role=self.role, agent=self.agent)


class ApiSettings(Section):
    """The HTTP API."""

    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on.")
    port: Port = Field(8090, description="Port to listen on.")
    tokens: tuple[TokenSettings, ...] = Field((), description="Who may use it.")
    zone: str = Field(
        "UTC",
        description="IANA time zone in which words like `today` are read of whoever does not name one.",
    )

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        if zone not in available_timezones():
            raise ValueError("must be an IANA time zone, for example Europe/Berlin")
        return zone


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

    profiles: Path | None = Field(
        None,
        description="Folder with profiles of this installation's own (`NAME.toml`); one named as a shipped one"
        " replaces it.",
    )

    @field_validator("profiles", mode="before")
    @classmethod
    def _empty_is_none(cls, folder: object) -> object:
        return None if folder == "" else folder


class LoggingSettings(Section):
    """What is written to standard error."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="The least level shown.")


class Settings(Section):
    """All settings."""

    database: DatabaseSettings = DatabaseSettings()
    nodes: tuple[NodeSettings, ...] = ()
    recording: RecordingSettings = RecordingSettings()
    asr: AsrSettings = AsrSettings()
    redis: RedisSettings = RedisSettings()
    imports: ImportSettings = ImportSettings()
    api: ApiSettings = ApiSettings()
    dialer: DialerSettings = DialerSettings()
    agents: AgentsSettings = AgentsSettings()
    callbacks: CallbackSettings = CallbackSettings()
    quality: QualitySettings = QualitySettings()
    compliance: ComplianceSettings = ComplianceSettings()
    crm: CrmSettings = CrmSettings()
    webhooks: WebhookSettings = WebhookSettings()
    dial_links: DialLinkSettings = DialLinkSettings()
    logging: LoggingSettings = LoggingSettings()

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        for key, names in (
            ("nodes", [node.name for node in self.nodes]),
            ("api.tokens", [token.name for token in self.api.tokens]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{key}: the name {twice[0]!r} stands twice")
        return self

    def node(self, name: str) -> NodeSettings:
        """Return one node's settings. Raises SettingsError."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise SettingsError(
            f"there is no node {name!r}; there are: {', '.join(n.name for n in self.nodes) or 'none'}"
        )

    def templates(self) -> dict[str, Campaign]:
        """Return by node what a new campaign has when it does not say otherwise; id and name are blank."""
        return {
            node.name: Campaign(
                id=0,
                name="",
                node=node.name,
                trunk=node.default_trunk(),
                ring_seconds=self.dialer.ring_seconds,
                grace_seconds=self.dialer.grace_seconds,
                message=self.dialer.message,
                caller_id=self.dialer.caller_id,
                max_lines=node.max_lines,
            )
            for node in self.nodes
        }

    def grants(self) -> tuple[Grant, ...]:
        """Return what the API lets in."""
        return tuple(token.grant() for token in self.api.tokens)


def section_of(annotation: Any) -> type[Section] | None:
    """Return the table model a field holds (alone, optional, or in a tuple), None for a plain value."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    if get_origin(annotation) in (tuple, Union, types.UnionType):
        return next((found for part in get_args(annotation) if (found := section_of(part))), None)
    return None


def _revealed(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
