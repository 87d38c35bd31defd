"""Where the command line finds the service, and with which token."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cti.errors import SettingsError
from cti.model.access import Role
from cti.settings.reading import load
from cti.settings.sections import Settings

URL_VARIABLE: Final = "WAIHU_URL"
TOKEN_VARIABLE: Final = "WAIHU_TOKEN"  # noqa: S105 (a variable's name)
ANY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (where to call what listens everywhere)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The service's address and what lets in."""

    url: str
    token: str

    def __repr__(self) -> str:
        return f"Access(url={self.url!r})"


def access(
    *,
    url: str | None = None,
    token: str | None = None,
    config: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Access:
    """Return what is given, else WAIHU_URL and WAIHU_TOKEN, else what the settings say. Raises SettingsError."""
    url, token = url or environ.get(URL_VARIABLE), token or environ.get(TOKEN_VARIABLE)
    if url and token:
        return Access(url=url.rstrip("/"), token=token)
    settings = load(config, environ)
    return Access(url=(url or service_url(settings)).rstrip("/"), token=token or _token(settings))


def service_url(settings: Settings) -> str:
    """Return where a service with these settings is asked, from its own machine."""
    host = ANY_ADDRESS.get(settings.api.host, settings.api.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.api.port}"


def _token(settings: Settings) -> str:
    for known in settings.api.tokens:
        if known.role is Role.ADMIN and known.token is not None:
            return known.token.get_secret_value()
    raise SettingsError(
        f"no token: give --token, set {TOKEN_VARIABLE}, or name a settings file (--config) with an admin's token"
    )
