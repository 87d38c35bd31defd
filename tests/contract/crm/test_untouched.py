"""Calls that nobody touched agree with what stands there, by the mappings that are shipped."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from crm_sync.fingerprint import fingerprint
from crm_sync.reconcile import Looking, by_call, findings_of
from cti.model.crm import Link
from cti.model.crm_reconciliation import OurCall
from tests.builders import NOW
from tests.contract.crm.bitrix24_house import bitrix24_house
from tests.contract.crm.fxiaoke_house import fxiaoke_house
from tests.contract.crm.houses import a_log
from tests.contract.crm.hubspot_house import hubspot_house
from tests.contract.crm.shipped import shipped


@pytest.mark.parametrize(
    ("name", "house"), [("bitrix24", bitrix24_house), ("fxiaoke", fxiaoke_house), ("hubspot", hubspot_house)]
)
async def test_a_call_that_nobody_touched_differs_in_nothing(
    name: str, house: Callable[[], AbstractAsyncContextManager[Any]]
) -> None:
    """It rang for a while, so that its talk is shorter than the whole."""
    mapping, _ = shipped(name)
    async with house() as there:
        log = a_log(ended_at=NOW + timedelta(seconds=90), total_seconds=90.0, talk_seconds=42.0)
        write = there.write(log)
        (result,) = await there.crm.push([write])
        home = f"{write.home.kind}:{write.home.id}"
        log = replace(log, crm_ref=home)
        link = Link(target=name, call_id=log.call_id, remote=result.remote, version=1, pushed_at=NOW)
        link = replace(link, fingerprint=fingerprint(mapping.write(log, link)))
        ours = [OurCall(log=log, link=link)]

        found = findings_of(
            ours,
            by_call(await there.crm.read_back([log.call_id])),
            Looking(now=NOW + timedelta(days=1), mapping=mapping),
        )

    assert [one.finding.detail for one in found] == []
