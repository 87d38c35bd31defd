"""Adapters on accounts of real CRMs, where the environment names some; else skipped.

Each writes one call on the record that is given, changes it, writes it again as if the answer had been lost, reads it
back, and deletes it. Use an account for tests.

| variable | what |
| --- | --- |
| WAIHU_LIVE_HUBSPOT_TOKEN, WAIHU_LIVE_HUBSPOT_RECORD | access token of a private app; `contact:123` |
| WAIHU_LIVE_BITRIX24_URL, WAIHU_LIVE_BITRIX24_CODE, WAIHU_LIVE_BITRIX24_RECORD | `https://NAME.bitrix24.com/rest/1`; \
code of the webhook; `lead:7` |
| WAIHU_LIVE_FXIAOKE_APP_ID, WAIHU_LIVE_FXIAOKE_SECRET, WAIHU_LIVE_FXIAOKE_USER, WAIHU_LIVE_FXIAOKE_RECORD | \
`FSAID_...`; `appSecret:permanentCode`; `FSUID_...`; `LeadsObj:...` |
| WAIHU_LIVE_NUMBER | the number that the call is said to have gone to |
"""

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from crm_sync.account import Account
from crm_sync.adapters import opened
from cti.clock import SystemClock
from cti.model.crm import RecordRef
from tests.contract.crm.shipped import shipped
from tests.live.acting import a_call_of, acted_out, write_of

PAUSE_SECONDS = 3.0


def given(*names: str) -> list[str]:
    """Return what the environment says; skip where it says nothing."""
    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        pytest.skip(f"no account to try it on: {', '.join(missing)} is not set")
    return [os.environ[name] for name in names]


async def act(
    name: str,
    *,
    url: str,
    secret: str,
    record: str,
    table: Mapping[str, Any],
    delete: Callable[[RecordRef], Awaitable[None]],
) -> None:
    mapping, own = shipped(name)
    account = Account(name, url, SecretStr(secret), f"{name}.toml")
    clock = SystemClock()
    number = os.environ.get("WAIHU_LIVE_NUMBER", "+4930901820")
    log = a_call_of(clock.now(), ref=record, number=number)
    async with opened(name, account, {**own, **table}, clock=clock) as crm:
        checked = await crm.check()
        assert checked.who
        first = write_of(mapping, log)
        changed = write_of(mapping, replace(log, note="changed by a test, to be deleted"))
        await acted_out(crm, first, changed, delete, pause_seconds=PAUSE_SECONDS)


async def asked(method: str, url: str, **more: Any) -> Any:
    async with aiohttp.ClientSession() as session, session.request(method, url, **more) as answer:
        assert answer.status < 300, f"{answer.status} {(await answer.text())[:200]}"
        return await answer.json() if answer.status != 204 else None


async def test_hubspot() -> None:
    token, record = given("WAIHU_LIVE_HUBSPOT_TOKEN", "WAIHU_LIVE_HUBSPOT_RECORD")
    url = os.environ.get("WAIHU_LIVE_HUBSPOT_URL", "https://api.hubapi.com")

    async def delete(remote: RecordRef) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        await asked("DELETE", f"{url}/crm/v3/objects/calls/{remote.id}", headers=headers)

    await act("hubspot", url=url, secret=token, record=record, table={}, delete=delete)


async def test_bitrix24() -> None:
    url, code, record = given(
        "WAIHU_LIVE_BITRIX24_URL", "WAIHU_LIVE_BITRIX24_CODE", "WAIHU_LIVE_BITRIX24_RECORD"
    )

    async def delete(remote: RecordRef) -> None:
        await asked("POST", f"{url}/{code}/crm.activity.delete.json", json={"id": remote.id})

    await act("bitrix24", url=url, secret=code, record=record, table={}, delete=delete)


async def test_fxiaoke() -> None:
    app, secret, user, record = given(
        "WAIHU_LIVE_FXIAOKE_APP_ID",
        "WAIHU_LIVE_FXIAOKE_SECRET",
        "WAIHU_LIVE_FXIAOKE_USER",
        "WAIHU_LIVE_FXIAOKE_RECORD",
    )
    url = os.environ.get("WAIHU_LIVE_FXIAOKE_URL", "https://open.fxiaoke.com")

    async def delete(remote: RecordRef) -> None:
        app_secret, _, permanent = secret.partition(":")
        keys = {"appId": app, "appSecret": app_secret, "permanentCode": permanent}
        token = await asked("POST", f"{url}/cgi/corpAccessToken/get/V2", json=keys)
        body = {
            "corpAccessToken": token["corpAccessToken"],
            "corpId": token["corpId"],
            "currentOpenUserId": user,
            "data": {"dataObjectApiName": remote.kind, "object_data_id": remote.id},
        }
        said = await asked("POST", f"{url}/cgi/crm/custom/v2/data/invalid", json=body)
        assert said["errorCode"] == 0, said

    table = {"app_id": app, "user": user}
    await act("fxiaoke", url=url, secret=secret, record=record, table=table, delete=delete)
