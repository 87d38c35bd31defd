"""What can be set of the HTTP API: where it listens, and whom it lets in (the tables `[api]` and `[[api.tokens]]`)."""

from typing import Self
from zoneinfo import available_timezones

from pydantic import Field, SecretStr, field_validator, model_validator

from cti.model.access import Grant, Role, digest_of
from cti.settings.base import Name, Port, Section


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
        digest = self.sha256.lower() if self.sha256 else digest_of(_revealed(self.token))
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


def _revealed(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
