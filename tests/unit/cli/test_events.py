"""`cti events` as a program of its own, ended by a signal, as a person would."""

import json
import os
import signal
import subprocess
import sys

from cti.model.calls import CallState
from cti.model.events import CallMoved
from tests.builders import NOW, a_call
from tests.fakes.site import TOKENS
from tests.unit.cli.conftest import Terminal
from tests.waiting import PATIENCE_SECONDS


def heard() -> None:
    """Let SIGINT be heard: whoever is started in the background of a shell inherits that it is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_events_are_shown_as_they_happen_and_ctrl_c_ends_quietly(terminal: Terminal) -> None:
    environ = {**os.environ, "WAIHU_URL": terminal.url, "WAIHU_TOKEN": TOKENS["lead"]}
    command = [sys.executable, "-m", "cti", "events", "--json", "--types", "call.*"]
    with subprocess.Popen(
        command,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heard,
    ) as process:
        assert process.stdout
        assert process.stderr
        hello = json.loads(process.stdout.readline())
        assert hello["type"] == "hello"
        moved = CallMoved(before=CallState.RINGING, call=a_call(state=CallState.ANSWERED), at=NOW)
        terminal.loop.call_soon_threadsafe(terminal.site.bus.publish, moved)
        assert json.loads(process.stdout.readline())["type"] == "call.answered"
        process.send_signal(signal.SIGINT)
        assert "Traceback" not in process.stderr.read()
        assert process.wait(PATIENCE_SECONDS) == 130
