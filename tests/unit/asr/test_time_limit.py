"""How long a recording may take."""

from cti.asr.worker import time_limit


def test_a_recording_may_take_as_long_as_it_lasts_and_half_a_minute() -> None:
    assert time_limit(600.0) == 630.0
