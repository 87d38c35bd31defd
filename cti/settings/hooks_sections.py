"""What can be set of webhooks and of links that dial."""

from ipaddress import ip_network

from pydantic import Field, SecretStr, field_validator

from cti.settings.base import Section

SHORTEST_KEY = 32
"""Characters: as many as the output of SHA-256 has bytes (RFC 2104, section 3)."""


class WebhookSettings(Section):
    """How events leave for other programs."""

    allow: tuple[str, ...] = Field(
        (),
        description="Networks or addresses that webhooks may reach although they are not public, for example"
        ' `["10.1.2.0/24", "127.0.0.1"]`; there plain http is allowed, too.',
    )
    plain_http: bool = Field(False, description="Allow plain http to public addresses, too.")
    seconds: float = Field(15.0, ge=1, le=60, description="How long a receiver may take over one delivery.")
    at_once: int = Field(32, ge=1, le=500, description="Most deliveries under way at one time.")
    at_once_each: int = Field(
        8, ge=1, le=100, description="Most deliveries to one receiver under way at one time."
    )
    give_up_hours: float = Field(
        72.0, gt=0, le=720, description="How long a delivery is tried before it has failed, in hours."
    )
    suspend_hours: float = Field(
        24.0,
        gt=0,
        le=720,
        description="How long a webhook may fail without one success before it is suspended, in hours.",
    )
    old_secret_hours: float = Field(
        24.0, ge=0, le=720, description="How long the old secret signs, too, after a rotation, in hours."
    )
    kept_days: float = Field(14.0, gt=0, le=365, description="How long deliveries are kept, in days.")

    @field_validator("allow")
    @classmethod
    def _networks(cls, allow: tuple[str, ...]) -> tuple[str, ...]:
        for one in allow:
            try:
                ip_network(one)
            except ValueError:
                raise ValueError(
                    f"{one!r} is no network; write 10.1.2.0/24, or one address such as 127.0.0.1"
                ) from None
        return allow


class DialLinkSettings(Section):
    """Links by which a CRM's page lets a rep call."""

    keys: tuple[SecretStr, ...] = Field(
        (),
        description="Secrets that sign links, each at least 32 characters; the first signs, all are believed."
        " None: there are no links.",
    )
    address: str = Field(
        "",
        pattern=r"^(https?://[^/?#\s]+)?$",
        description="Where browsers reach the service, for example `https://cti.example.com`; empty: links"
        " are told without it.",
    )
    seconds: float = Field(
        300.0, ge=10, le=86_400, description="How long a link may be used at most, in seconds."
    )

    @field_validator("keys", mode="before")
    @classmethod
    def _from_the_environment(cls, keys: object) -> object:
        return [one for one in keys.split(",") if one] if isinstance(keys, str) else keys

    @field_validator("keys")
    @classmethod
    def _long_enough(cls, keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for one in keys:
            if len(one.get_secret_value()) < SHORTEST_KEY:
                raise ValueError(f"each must have at least {SHORTEST_KEY} characters")
        return keys
