"""Which ends of calls are their trunk's fault."""

from typing import Any

import pytest

from cti.model.calls import CallState, EndReason, Outcome
from cti.model.lines import failed_technically, fails_over
from tests.builders import a_call, later

ENDED = {
    "state": CallState.ENDED,
    "outcome": Outcome.FAILED,
    "end_reason": EndReason.HUNG_UP,
    "ended_at": later(1),
}


@pytest.mark.parametrize(
    ("facts", "technical"),
    [
        pytest.param({"sip_code": 503, "cause": 34}, True, id="503"),
        pytest.param({"sip_code": 500, "cause": 38}, True, id="500"),
        pytest.param({"sip_code": 407, "cause": 21}, True, id="the carrier wants a password"),
        pytest.param(
            {"sip_code": None, "cause": 34}, True, id="congestion, from a version without SIP codes"
        ),
        pytest.param({"end_reason": EndReason.REFUSED}, True, id="Asterisk could make no channel"),
        pytest.param({"sip_code": 404, "cause": 1}, False, id="no such number"),
        pytest.param({"sip_code": 404, "cause": 34}, False, id="the SIP code says more than the cause"),
        pytest.param({"sip_code": 603, "cause": 21}, False, id="declined"),
        pytest.param({"sip_code": 503, "ringing_at": later(0.5)}, False, id="it rang first"),
        pytest.param({"sip_code": 503, "outcome": Outcome.NO_ANSWER}, False, id="not failed"),
        pytest.param({"end_reason": EndReason.NOT_SENT}, False, id="never sent"),
        pytest.param({"end_reason": EndReason.NODE_LOST, "cause": 34}, False, id="Asterisk died"),
    ],
)
def test_what_is_the_trunk_s_fault(facts: dict[str, Any], technical: bool) -> None:
    call = a_call(**ENDED | facts)
    assert failed_technically(call) is technical
    assert not fails_over(call)
    assert fails_over(a_call(**ENDED | facts, next_trunk="other")) is technical
