"""A real exchange for the tests: `lab` is shared by the whole run, `fresh_lab` is one of the test's own (to be killed).

The shared one lives in the session's event loop; tests may use its AMI, its console and phones from any loop, but only
`fresh_lab`'s nodes may be stopped, killed and started.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from lab import Lab, LabSettings, NotPrepared
from lab.installation import find_installation
from tests.integration.postgres import postgres_server

__all__ = ["postgres_server"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if {"asterisk"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.lab)


@pytest.fixture(scope="session")
def asterisk() -> None:
    """An Asterisk can be had: else the tests on it are skipped here, and fail where CI says that nothing may be."""
    try:
        find_installation()
    except NotPrepared as missing:
        if os.environ.get("CI", "").lower() in ("", "0", "false"):
            pytest.skip(f"NO ASTERISK, NOT TESTED: {missing}")
        pytest.fail(str(missing))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def lab(asterisk: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    async with Lab.open(LabSettings.free(tmp_path_factory.mktemp("lab"))) as shared:
        yield shared


@pytest_asyncio.fixture
async def fresh_lab(asterisk: None, tmp_path: Path) -> AsyncIterator[Lab]:
    async with Lab.open(
        LabSettings.free(tmp_path / "lab", rtp_ports=1000, rtp_timeout=3, qualify_seconds=1)
    ) as own:
        yield own
