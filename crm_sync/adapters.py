"""Which adapter a target has. A new adapter is a line here."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from crm_sync.account import Account
from crm_sync.bitrix24.adapter import open_bitrix24
from crm_sync.bottle.adapter import open_bottle
from crm_sync.fxiaoke.adapter import open_fxiaoke
from crm_sync.hubspot.adapter import open_hubspot
from crm_sync.odoo.adapter import open_odoo
from crm_sync.port import Crm
from crm_sync.rest.adapter import open_rest
from cti.clock import Clock
from cti.errors import SettingsError

Open = Callable[..., AbstractAsyncContextManager[Crm]]
"""Given the account, the adapter's own table of the mapping file, and `clock`; opens it. Raises SettingsError."""

ADAPTERS: Final[Mapping[str, Open]] = {
    "bitrix24": open_bitrix24,
    "bottle": open_bottle,
    "fxiaoke": open_fxiaoke,
    "hubspot": open_hubspot,
    "odoo": open_odoo,
    "rest": open_rest,
}


def opened(
    adapter: str, account: Account, tree: Mapping[str, Any], *, clock: Clock
) -> AbstractAsyncContextManager[Crm]:
    """Return the adapter, to be entered. Its own table of the mapping file is named as it is. Raises SettingsError."""
    if adapter not in ADAPTERS:
        raise SettingsError(
            f"crm.targets: {account.target}: there is no adapter {adapter!r}; there are: {', '.join(sorted(ADAPTERS))}"
        )
    return ADAPTERS[adapter](account, tree, clock=clock)
