"""Reading a list in a process of its own: the same rows as in the service, and nothing left behind."""

import asyncio
from contextlib import suppress
from pathlib import Path

import openpyxl
import pytest

from cti.contacts.reader import HowToRead
from cti.contacts.stage_process import SMALL, staged
from cti.contacts.staging import bites, stage
from cti.errors import BadInput
from cti.model.imports import HowFar, ReadFile


def a_list(folder: Path, rows: int) -> Path:
    """Write a list with a wrong number, a double and a broken line now and then."""
    path = folder / "list.csv"
    lines = ["name,number"]
    for n in range(rows):
        number = "xyz" if n % 50 == 7 else f"030 2312{n - n % 90 // 89:05d}"
        lines.append(f'"Person {n},{number}' if n % 500 == 77 else f"Person {n},{number}")
    path.write_text("\n".join(lines))
    return path


async def read_aside(source: Path, target: Path, how: HowToRead) -> list[HowFar | ReadFile]:
    return [step async for step in staged(source, target, how)]


def running_for(target: Path) -> bool:
    """Whether a process works on this file, the reader itself or one that checks rows for it."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if str(target).encode() in (folder / "cmdline").read_bytes():
                return True
    return False


async def test_a_process_reads_what_the_service_would_read(tmp_path: Path) -> None:
    source, how = a_list(tmp_path, 5000), HowToRead(region="DE")
    assert source.stat().st_size > SMALL

    *_, here = stage(source, tmp_path / "here", how)
    *far, aside = await read_aside(source, tmp_path / "aside", how)

    assert aside == here
    assert (tmp_path / "aside").read_bytes() == (tmp_path / "here").read_bytes()
    assert all(isinstance(step, HowFar) and 0 <= step.bytes <= source.stat().st_size for step in far)


async def test_a_workbook_is_read_aside_whatever_its_size(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    workbook.active.append(["手机号", "客户"])
    workbook.active.append([13800138000, "王芳"])
    workbook.save(tmp_path / "list.xlsx")

    *_, read = await read_aside(tmp_path / "list.xlsx", tmp_path / "staged", HowToRead(region="CN"))

    assert isinstance(read, ReadFile)
    assert (read.encoding, read.rows) == ("xlsx", 1)
    (bite,) = bites(tmp_path / "staged")
    assert bite.rows[0].contact.numbers[0].e164 == "+8613800138000"


async def test_what_the_process_refuses_is_refused_here(tmp_path: Path) -> None:
    source = tmp_path / "list.csv"
    source.write_text("a,b\n" + "1,2\n" * 20_000)
    with pytest.raises(BadInput, match="no column for the number; found: 'a', 'b'"):
        await read_aside(source, tmp_path / "staged", HowToRead())


async def test_nothing_is_left_running_when_the_caller_goes_away(tmp_path: Path) -> None:
    source, target = a_list(tmp_path, 60_000), tmp_path / "staged"
    reading = staged(source, target, HowToRead(region="DE"))
    assert isinstance(await anext(reading), HowFar)
    assert running_for(target)

    await reading.aclose()

    while running_for(target):
        await asyncio.sleep(0.02)
