"""`cti dnc`, `cti compliance` and `cti consent`."""

import json
from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner

from cti.cli.main import cti
from cti.model.campaign_rules import CampaignRules, ComplianceRules
from tests.builders import NOW, some_contacts
from tests.unit.cli.conftest import Terminal


def filled(terminal: Terminal, count: int = 3, profile: str = "none") -> None:
    tables = terminal.site.store.tables
    rules = CampaignRules(compliance=ComplianceRules(profile=profile))
    tables.campaigns[1] = replace(tables.campaigns[1], rules=rules)
    adding = terminal.site.store.campaigns.add_list(
        campaign_id=1, name="first", source="", contacts=some_contacts(count), at=NOW
    )
    terminal.meanwhile(adding)


def test_numbers_are_listed_checked_and_taken_out(terminal: Terminal) -> None:
    assert (
        terminal.said("dnc", "add", "+4930901820", "+4931*", "--reason", "asked") == "2 listed, 0 changed\n"
    )
    assert "+4931*" in terminal.said("dnc", "list", "+49")
    assert "do-not-call list" in terminal.said("dnc", "check", "030901820", code=1)
    assert terminal.said("dnc", "remove", "+4930901820", "--reason", "wrong") == "+4930901820 is taken out\n"
    assert terminal.said("dnc", "check", "+4930901820", "--history").startswith("+4930901820 is not listed\n")


def test_a_long_list_is_shown_over_several_pages(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "numbers.txt"
    file.write_text("\n".join(f"+49309{n:07d}" for n in range(1500)))
    terminal.said("dnc", "import", str(file))

    told = json.loads(terminal.said("dnc", "list", "--limit", "1200", "--json"))

    assert [one["number"] for one in told] == [f"+49309{n:07d}" for n in range(1200)]


def test_a_register_is_imported_and_ended(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "tps.txt"
    file.write_text("+4930901820\nnonsense\n+4930901821\n")

    said = terminal.said("dnc", "import", str(file), "--register", "tps", "--as-of", "2026-11-01")

    assert "2 numbers taken, 1 lines refused" in said
    assert "'nonsense' is no number" in said
    assert "tps" in terminal.said("dnc", "registers")
    assert terminal.said("dnc", "end-register", "tps") == "the register tps counts no more\n"


def test_options_that_mean_nothing_together_are_refused(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "tps.txt"
    file.write_text("+4930901820\n")

    assert "--reason means nothing with --register" in terminal.said(
        "dnc", "import", str(file), "--register", "tps", "--reason", "x", code=2
    )
    assert "--as-of means nothing without --register" in terminal.said(
        "dnc", "import", str(file), "--as-of", "2026-11-01", code=2
    )


def test_a_preview_is_shown_by_reason(terminal: Terminal) -> None:
    filled(terminal)
    terminal.said("dnc", "add", "+493090000001")

    said = terminal.said("compliance", "preview", "autumn", "--samples")

    assert [line.split() for line in said.splitlines()[:3]] == [
        ["reason", "contacts", "share"],
        ["may", "be", "dialed", "2", "66.7%"],
        ["do_not_call", "1", "33.3%"],
    ]
    assert "+493090000001 stands in the do-not-call list" in said


def test_why_tells_each_check_and_ends_with_one_when_refused(terminal: Terminal) -> None:
    filled(terminal, 1, "cn")

    said = terminal.said("compliance", "why", "+493090000000", "--campaign", "autumn", code=1)

    assert "+493090000000 may not be dialed" in said
    assert "no consent is recorded (cn: consent)" in said


def test_profiles_are_listed_and_shown(terminal: Terminal) -> None:
    assert "China" in terminal.said("compliance", "profiles")
    assert "08:00-21:00" in terminal.said("compliance", "profiles", "us")
    assert "there is no profile 'xx'" in terminal.said("compliance", "profiles", "xx", code=1)


def test_a_campaign_is_held_against_its_profile(terminal: Terminal) -> None:
    filled(terminal, 1, "us")

    assert "the campaign shows no number" in terminal.said("compliance", "show", "autumn", code=1)


def test_profiles_are_checked_without_a_service(tmp_path: Path) -> None:
    (tmp_path / "good.toml").write_text('title = "Good"')
    (tmp_path / "wrong.toml").write_text('title = "Wrong"\natempts_total = 1')

    result = CliRunner().invoke(cti, ["compliance", "check", str(tmp_path)])

    assert result.exit_code == 1
    assert "good.toml: good (Good)" in result.output
    assert "wrong.toml: atempts_total: there is no such key; did you mean attempts_total?" in result.output
    assert CliRunner().invoke(cti, ["compliance", "check", str(tmp_path / "good.toml")]).exit_code == 0


def test_consent_is_written_down_and_shown(terminal: Terminal) -> None:
    filled(terminal, 1)

    said = terminal.said(
        "consent",
        "record",
        "withdrawn",
        "--number",
        "+493090000000",
        "--source",
        "call",
        "--evidence",
        "no more",
    )

    assert said == "written down for 1 contacts\n"
    assert "no more" in terminal.said("consent", "history", "--number", "+493090000000")
