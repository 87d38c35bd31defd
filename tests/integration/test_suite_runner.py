"""The runner of the suite with real processes: two small parts, one beside the other."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

RUNNER = """
import asyncio, sys
from scripts.suite.__main__ import run_all
from scripts.suite.parts import Part

where = ("-q", "--rootdir", ".", "-c", "/dev/null", ".")
parts = [Part(name=name, marks=name, patient=name == "slow", options=where) for name in ("quick", "slow")]
sys.exit(asyncio.run(run_all(parts)))
"""

SMALL = """
import os, pytest

@pytest.mark.quick
def test_well(): ...

@pytest.mark.quick
@pytest.mark.skip("not today")
def test_skipped(): ...

@pytest.mark.slow
def test_priority():
    assert os.nice(0) == 19
"""

FAILING = """
@pytest.mark.slow
def test_wrong():
    print("said by the test")
    assert 1 == 2
"""

KILLED = """
@pytest.mark.slow
def test_killed():
    os.kill(os.getpid(), 9)
"""

WAITING = """
import time
from pathlib import Path
import pytest

@pytest.fixture
def up(request):
    file = Path(__file__).parent / request.function.__name__
    yield file.with_suffix(".up")
    file.with_suffix(".down").touch()

@pytest.mark.quick
def test_quick(up):
    up.touch()  # not in the fixture: interrupted between its word and its yield it would take nothing down
    time.sleep(600)

@pytest.mark.slow
def test_slow(up):
    up.touch()
    time.sleep(600)
"""


async def begin(folder: Path, tests: str) -> Process:
    (folder / "test_small.py").write_text(tests)
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", RUNNER),
        cwd=folder,
        env={key: value for key, value in os.environ.items() if key != "PYTEST_ADDOPTS"}
        | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.SIG_DFL
        ),  # also where these tests are deaf to it
    )


async def end(process: Process) -> tuple[int | None, list[str]]:
    out, _ = await process.communicate()
    return process.returncode, out.decode().splitlines()


async def test_both_parts_run_and_are_summed_up(tmp_path: Path) -> None:
    status, lines = await end(await begin(tmp_path, SMALL))

    assert status == 0, lines
    assert "sum   2 passed, 1 skipped" in lines
    assert "skipped 1: not today" in lines
    assert any(line.startswith("quick | test_small.py .s") for line in lines)


async def test_a_failure_of_one_part_is_the_status_and_is_told_whole(tmp_path: Path) -> None:
    status, lines = await end(await begin(tmp_path, SMALL + FAILING))

    assert status == 1
    assert "said by the test" in lines
    assert "FAILED test_small.py::test_wrong: assert 1 == 2" in lines
    assert lines[-1] == "again: make test ARGS=test_small.py::test_wrong"


async def test_a_part_that_is_killed_is_no_success(tmp_path: Path) -> None:
    status, lines = await end(await begin(tmp_path, SMALL + KILLED))

    assert status == 137
    assert any(line.startswith("slow  ended with status 137 and no summary") for line in lines)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_ctrl_c_ends_both_and_each_takes_down_what_it_began(
    tmp_path: Path, number: signal.Signals
) -> None:
    process = await begin(tmp_path, WAITING)
    while len(list(tmp_path.glob("*.up"))) < 2:
        assert process.returncode is None
        await asyncio.sleep(0.05)
    process.send_signal(number)
    status, lines = await end(process)

    assert status == 2, lines
    assert sorted(path.name for path in tmp_path.glob("*.down")) == ["test_quick.down", "test_slow.down"]


async def test_when_nobody_reads_any_more_both_end(tmp_path: Path) -> None:
    process = await begin(tmp_path, WAITING)
    process.stdout._transport.close()  # type: ignore[union-attr]

    assert await process.wait() in (2, 130)


async def test_a_second_ctrl_c_does_not_wait(tmp_path: Path) -> None:
    stubborn = WAITING.replace("    file.with", "    time.sleep(600)\n    file.with")
    process = await begin(tmp_path, stubborn)
    while len(list(tmp_path.glob("*.up"))) < 2:
        assert process.returncode is None
        await asyncio.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.stdout
    while b"taken down" not in await process.stdout.readline():
        pass
    process.send_signal(signal.SIGINT)
    status, _ = await end(process)

    assert status == 137
