"""A quarter of an hour of predictive dialing with twenty reps, beside a quarter of an hour of progressive."""

from pathlib import Path
from typing import Final

import pytest

from tests.integration.proof import tell
from tests.integration.shift import drops_allowed, worked

pytestmark = [pytest.mark.soak, pytest.mark.lab, pytest.mark.timeout(3000)]

SECONDS: Final = 900.0


async def test_a_quarter_of_an_hour_of_predictive_dialing(asterisk: None, tmp_path: Path) -> None:
    shifts = {
        mode: await worked(tmp_path / mode, mode=mode, seconds=SECONDS, start_seconds=60.0)
        for mode in ("progressive", "predictive")
    }
    tell("soak: a quarter of an hour", **{mode: shift.record() for mode, shift in shifts.items()})
    predictive = shifts["predictive"]
    assert predictive.counts["dropped"] <= drops_allowed(predictive.answered_by_person)
    assert predictive.utilisation > shifts["progressive"].utilisation
    assert predictive.ledger["dropped"] == predictive.counts["dropped"]
