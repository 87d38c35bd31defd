"""The node contract's page, the files for Asterisk and the code say the same."""

import re
from pathlib import Path

import pytest

from cti.node.cel_rows import COLUMNS
from cti.node.questions import CONTEXTS, MODULES, WRITE_RIGHTS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/reference/node-contract.md").read_text()
FILES = ROOT / "config/asterisk"
DIALPLAN = (FILES / "extensions_cti.conf").read_text()
MANAGER = (FILES / "manager_cti.conf").read_text()


def rights(kind: str) -> set[str]:
    [line] = re.findall(rf"^{kind} = (.+)$", MANAGER, re.MULTILINE)
    return set(line.split(","))


@pytest.mark.parametrize("file", sorted(path.name for path in FILES.glob("*.conf")))
def test_every_file_for_asterisk_is_on_the_page(file: str) -> None:
    assert f"| `{file}` |" in PAGE


def test_every_variable_of_the_dialplan_is_on_the_page_and_no_other() -> None:
    in_dialplan = set(re.findall(r"\$\{(CTI_\w+)\}", DIALPLAN))
    assert set(re.findall(r"^\| `(CTI_\w+)` \|", PAGE, re.MULTILINE)) == in_dialplan


def test_every_event_of_the_dialplan_is_on_the_page_and_no_other() -> None:
    in_dialplan = set(re.findall(r",UserEvent\((\w+)", DIALPLAN))
    assert set(re.findall(r"^\| `(Cti\w+)` \|", PAGE, re.MULTILINE)) == in_dialplan


def test_the_contexts_are_those_of_the_dialplan() -> None:
    assert set(re.findall(r"^\[([\w-]+)\]", DIALPLAN, re.MULTILINE)) == set(CONTEXTS)
    assert all(f"| `{context}`, `{extension}` |" in PAGE for context, extension in CONTEXTS.items())


def test_the_rights_that_are_proved_are_those_that_are_asked_for() -> None:
    assert rights("write") == set(WRITE_RIGHTS)
    assert rights("read") | rights("write") <= set(re.findall(r"^\| `([a-z]+)` \|", PAGE, re.MULTILINE))


def test_the_columns_are_written_in_the_order_they_are_read() -> None:
    line = (FILES / "cel_custom.conf").read_text().splitlines()[-1]
    written = [name.lower() for name in re.findall(r"CSV_QUOTE\(\$\{(?:CHANNEL\()?(\w+)", line)]
    assert tuple(written) == COLUMNS
    assert [name for name in re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) if name in COLUMNS] == written


def test_every_module_is_on_the_page() -> None:
    assert all(f"`{module}`" in PAGE for module in MODULES)
