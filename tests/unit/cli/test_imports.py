"""`cti campaign import` and `cti import`."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Terminal

FILE = "手机,备注\n030 23125001,a\n030 23125002,b\nxyz,c\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "spring.csv"
    path.write_text(FILE)
    return path


def test_a_list_is_tried_out_imported_looked_at_and_undone(terminal: Terminal, file: Path) -> None:
    tried = terminal.said("campaign", "import", "autumn", str(file), "--map", "备注=field:note", "--dry-run")
    assert "2 contacts would be taken, 1 rows refused" in tried
    assert "+493023125001  note a" in tried
    assert terminal.site.store.tables.contacts == {}

    assert "2 contacts taken, 1 rows refused" in terminal.said("campaign", "import", "autumn", str(file))
    done, dry = json.loads(terminal.said("import", "list", "--campaign", "autumn", "--json"))
    assert (done["name"], done["source"], done["added"], done["by"]) == ("spring", "spring.csv", 2, "lead")

    (shown,) = json.loads(terminal.said("import", "show", str(done["id"]), "--json"))
    assert (shown["state"], shown["percent"], shown["refused_by_code"]) == ("done", 100.0, {"bad_number": 1})
    refused = terminal.said("import", "show", str(done["id"]), "--refused", "--csv")
    assert refused.splitlines() == ["line,code,reason", "4,bad_number,手机: not a phone number: 'xyz'"]

    assert "2 contacts and 2 entries removed" in terminal.said("import", "undo", str(done["id"]))
    assert "undone" in terminal.said("import", "undo", str(done["id"]), code=1)
    assert "dry run" in terminal.said("import", "undo", str(dry["id"]), code=1)


def test_all_refused_rows_are_fetched_page_by_page(terminal: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("number\n+493023125001\n" + "x\n" * 1500)
    output = terminal.said("campaign", "import", "autumn", str(path))
    assert "1500 rows refused (1450 of them not shown)" in output
    (one,) = json.loads(terminal.said("import", "list", "--json"))
    assert len(json.loads(terminal.said("import", "show", str(one["id"]), "--refused", "--json"))) == 1500


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--map", "nonsense"], 2, "is not HEADER=MEANING"),
        (["--map", "a=b"], 1, "'a' cannot mean 'b'"),
        (["--map", "a=name"], 1, "there is no column 'a'; found: '手机', '备注'"),
        (["--region", "ZZ"], 1, "region: must be a country"),
        (["--rule", "perhaps"], 2, "perhaps"),
        (["--encoding", "martian"], 1, "encoding: 'martian' is not one of"),
        (["--format", "xlsx"], 1, "no XLSX workbook"),
    ],
)
def test_a_wrong_option_is_told_and_nothing_is_taken(
    terminal: Terminal, file: Path, options: list[str], code: int, message: str
) -> None:
    assert message in terminal.said("campaign", "import", "autumn", str(file), *options, code=code)
    assert terminal.site.store.tables.contacts == {}


def test_known_contacts_are_merged_when_asked_for(terminal: Terminal, file: Path) -> None:
    terminal.said("campaign", "import", "autumn", str(file))
    options = ["--name", "again", "--rule", "merge", "--scope", "everywhere"]
    output = terminal.said("campaign", "import", "autumn", str(file), *options)
    assert "2 contacts taken, 2 merged, 1 rows refused" in output
