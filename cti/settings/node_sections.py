"""What can be set of Asterisk nodes and their trunks: the tables `[[nodes]]` and `[[nodes.trunks]]`."""

from typing import Self

from pydantic import Field, SecretStr, model_validator

from cti.model.lines import Trunk
from cti.settings.base import MaybeFolder, Name, Port, Section, each_once


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
    recordings: MaybeFolder = Field(
        None, description="The node's `monitor/cti` folder as seen from here; empty: nothing can be recorded."
    )
    cel: MaybeFolder = Field(
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
        each_once("trunks: the endpoint", [trunk.endpoint for trunk in self.trunks])
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
