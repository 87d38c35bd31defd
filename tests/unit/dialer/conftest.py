"""Fixtures of the dialer's tests."""

import pytest

from tests.unit.dialer.floor import Floor


@pytest.fixture
async def floor() -> Floor:
    return Floor()
