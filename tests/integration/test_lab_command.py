"""`python -m lab up | status | shell | down`, as a person types it."""

import asyncio
import sys
import tomllib
from pathlib import Path

import pytest

from tests.waiting import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]


async def lab_command(*arguments: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "lab",
        *arguments,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    return process.returncode or 0, output.decode(), errors.decode()


@pytest.mark.usefixtures("asterisk")
async def test_a_lab_is_started_found_asked_and_ended_by_its_folder(tmp_path: Path) -> None:
    here = f"--folder={tmp_path}"
    try:
        code, output, errors = await lab_command("up", here, "--answering=2", "--phones=2")
        assert (code, errors) == (0, "")
        assert "writing the configuration" in output
        node = tomllib.loads(output[output.index("[[nodes]]") :])["nodes"][0]
        assert (node["user"], node["trunk"]) == ("cti", "carrier")
        assert (tmp_path / "pbx" / "log" / "cel-custom").samefile(node["cel"])
        assert (tmp_path / "pbx" / "spool" / "monitor" / "cti").samefile(node["recordings"])
        assert "a002/secret-a002" in output

        assert (await lab_command("status", here))[0] == 0
        code, _, errors = await lab_command("up", here)
        assert code == 1
        assert f"a lab runs already in {tmp_path}" in errors
        _, contacts, _ = await lab_command("shell", here, "pbx", "pjsip", "show", "contacts")
        assert "a002/sip:a002@127.0.0.1" in contacts
    finally:
        code, output, _ = await lab_command("down", here)
    assert (code, output) == (0, "the lab is down\n")
    assert await lab_command("status", here) == (1, f"no lab runs in {tmp_path}\n", "")
    code, _, errors = await lab_command("shell", here)
    assert (code, errors) == (1, f"lab: no lab runs in {tmp_path}\n")


async def test_a_lab_that_can_not_be_had_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAIHU_CACHE", str(tmp_path / "empty"))
    code, _, errors = await lab_command("up", f"--folder={tmp_path / 'lab'}")
    assert code == 1
    assert "run scripts/lab-tools" in errors
