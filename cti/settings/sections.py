"""What can be set. A key's description here is its page in the reference; secrets are never printed."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from cti.errors import SettingsError
from cti.model.access import Grant
from cti.model.contacts import Campaign
from cti.settings.api_sections import ApiSettings
from cti.settings.asr_sections import AsrSettings
from cti.settings.base import Section, each_once
from cti.settings.crm_sections import CrmSettings
from cti.settings.dialer_sections import AgentsSettings, CallbackSettings, ComplianceSettings, DialerSettings
from cti.settings.hooks_sections import DialLinkSettings, WebhookSettings
from cti.settings.node_sections import NodeSettings
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


class ImportSettings(Section):
    """Lists while they are imported."""

    folder: Path = Field(
        Path("var/imports"), description="Where files lie until they are imported; nobody else may read it."
    )


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
        each_once("nodes: the name", [node.name for node in self.nodes])
        each_once("api.tokens: the name", [token.name for token in self.api.tokens])
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
