"""The mappings of `config/crm`, as houses of the contract suite use them."""

import tomllib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from crm_sync.account import Account
from crm_sync.adapters import opened
from crm_sync.mapping import Mapping as CrmMapping
from crm_sync.mapping import MappingFile, mapping_of
from crm_sync.port import CallWrite, Crm
from cti.clock import Clock, SystemClock
from cti.model.crm import CallLog, Link

SHIPPED = Path(__file__).parents[3] / "config" / "crm"


def shipped(name: str) -> tuple[CrmMapping, dict[str, Any]]:
    """Return a shipped mapping, and the adapter's own table in it."""
    tree = tomllib.loads((SHIPPED / f"{name}.toml").read_text(encoding="utf-8"))
    known = {one: tree.pop(one) for one in MappingFile.model_fields if one in tree}
    assert set(tree) == {name}, f"{name}.toml has a table of somebody else"
    return mapping_of(known, target=name, where=f"{name}.toml"), tree[name]


@asynccontextmanager
async def open_shipped(
    name: str,
    http: TestServer,
    *,
    secret: str,
    path: str = "/",
    clock: Clock | None = None,
    more: Mapping[str, Any] | None = None,
) -> AsyncIterator[Crm]:
    """Open the adapter as the shipped mapping says; `more`: of its own table."""
    _, own = shipped(name)
    account = Account(name, str(http.make_url(path)), SecretStr(secret), f"{name}.toml")
    table = {"timeout_seconds": 5.0, "unsure_seconds": 0.0} | own | dict(more or {})
    async with opened(name, account, table, clock=clock or SystemClock()) as crm:
        yield crm


def write_of(mapping: CrmMapping, log: CallLog, ref: str, given: Mapping[str, Any]) -> CallWrite:
    """Return the write of a call as the mapping makes it, on this record."""
    link = Link(target=mapping.target, call_id=log.call_id)
    return replace(mapping.write(replace(log, crm_ref=log.crm_ref or ref), link), **given)
