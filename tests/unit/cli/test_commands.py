"""What commands ask for and how they show the answer."""

import json
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from cti.cli.main import cti
from cti.errors import NodeDown
from cti.model.call_record import CALL_FIELDS
from cti.model.calls import CallState, Outcome
from cti.model.contacts import CampaignState
from cti.model.reconciliation import Difference
from tests.builders import a_call, later
from tests.fakes.site import TOKENS
from tests.unit.cli.conftest import Terminal


def call_id(number: int) -> str:
    return f"{number:032x}"


def stored(terminal: Terminal, *numbers: int) -> None:
    for number in numbers:
        call = a_call(id=call_id(number), placed_at=later(number), campaign_id=1, agent_id=terminal.site.anna)
        terminal.meanwhile(terminal.site.store.calls.place([(call, None)]))


def test_agents_are_made_and_moved(terminal: Terminal) -> None:
    assert terminal.said("agent", "add", "cid", "a003", "--campaign", "autumn") == "agent cid is made\n"
    assert terminal.said("agent", "login", "cid") == "agent cid is ready\n"
    assert terminal.said("agent", "pause", "cid", "--reason", "lunch") == "agent cid is paused\n"
    assert terminal.said("agent", "ready", "cid") == "agent cid is ready\n"
    assert terminal.said("agent", "logout", "cid") == "agent cid is logged_out\n"
    assert terminal.said("agent", "assign", "cid") == "agent cid works on no campaign\n"


def test_a_list_is_plain_columns_when_nobody_watches(terminal: Terminal) -> None:
    lines = terminal.said("agent", "list").splitlines()
    assert lines[0].split()[:3] == ["login", "name", "state"]
    assert [line.split()[0] for line in lines[1:]] == ["anna", "bob"]
    assert not any("\x1b" in line or "│" in line for line in lines)


def test_a_list_comes_as_json_or_csv(terminal: Terminal) -> None:
    agents = json.loads(terminal.said("agent", "list", "--json"))
    assert [agent["login"] for agent in agents] == ["anna", "bob"]
    assert terminal.said("agent", "list", "--csv").splitlines()[0].startswith("login,name,state")


def test_a_campaign_is_made_filled_started_and_shown(terminal: Terminal, tmp_path: Path) -> None:
    assert "campaign winter is made" in terminal.said(
        "campaign", "add", "winter", "--ring-seconds", "20", "--no-record"
    )
    file = tmp_path / "first.csv"
    file.write_text("name,number\nAda,+493023125001\nBob,xyz\n")
    output = terminal.said("campaign", "import", "winter", str(file))
    assert "3     bad_number  number: not a phone number: 'xyz'" in output
    assert "1 contacts taken, 1 rows refused" in output
    assert terminal.said("campaign", "start", "winter") == "campaign winter is running\n"
    shown = json.loads(terminal.said("campaign", "show", "winter", "--json"))
    assert (shown[0]["total"], shown[0]["pending"], shown[0]["state"]) == (1, 1, "running")
    assert "winter" in terminal.said("campaign", "list")


def test_an_import_of_which_nothing_was_taken_ends_with_1(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text("name,number\nBob,xyz\n")
    assert "0 contacts taken" in terminal.said("campaign", "import", "autumn", str(file), code=1)


def test_a_file_that_is_no_list_is_refused_in_one_line(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(b"\xff\xfea\x00")
    output = terminal.said("campaign", "import", "autumn", str(file), code=1)
    assert "no column for the number; found: 'a'" in output
    assert len(output.splitlines()) == 1


def test_watching_ends_when_the_campaign_is_finished(terminal: Terminal) -> None:
    terminal.meanwhile(terminal.site.store.campaigns.set_state(1, CampaignState.FINISHED))
    assert terminal.said("campaign", "show", "autumn", "--watch").startswith(
        "name=autumn state=finished total=0"
    )


def test_calls_are_listed_filtered_and_cut_to_columns(terminal: Terminal) -> None:
    stored(terminal, 1, 2, 3)
    lines = terminal.said("calls", "--columns", "id,agent", "--limit", "2").splitlines()
    assert [line.split() for line in lines] == [["id", "agent"], [call_id(3), "anna"], [call_id(2), "anna"]]
    assert terminal.said("calls", "--outcome", "busy", "--json") == "[]\n"
    assert (
        len(
            terminal.said("calls", "--csv", "--since", "2026-11-23T09:00:02Z", "--columns", "id").splitlines()
        )
        == 3
    )
    everything = json.loads(terminal.said("calls", "--columns", "all", "--json"))
    assert list(everything[0]) == [field.name for field in CALL_FIELDS]


def test_csv_has_line_ends_that_other_programs_in_a_pipe_expect(terminal: Terminal) -> None:
    stored(terminal, 1)
    assert terminal.said("calls", "--csv", "--columns", "id,agent") == f"id,agent\n{call_id(1)},anna\n"
    assert "\r" not in terminal.said("agent", "list", "--csv")


@pytest.mark.parametrize("call", ["../agents", call_id(1) + "\r", "", "x/y"])
def test_an_id_that_is_none_finds_no_call(terminal: Terminal, call: str) -> None:
    assert terminal.said("disposition", call, "sold", code=1).count("\n") == 1


def test_more_calls_than_a_page_holds_are_listed(terminal: Terminal) -> None:
    stored(terminal, *range(1, 1102))
    assert len(json.loads(terminal.said("calls", "--json", "--limit", "1100", "--columns", "id"))) == 1100


def test_a_verdict_is_kept(terminal: Terminal) -> None:
    stored(terminal, 1)
    terminal.said("disposition", call_id(1), "sold", "--note", "calls back")
    assert terminal.site.store.tables.verdicts[call_id(1)].note == "calls back"
    assert "there is no call" in terminal.said("disposition", call_id(2), "sold", code=1)


def test_reports_come_as_table_json_and_csv(terminal: Terminal) -> None:
    assert terminal.said("report", "calls", "--by", "hour").splitlines()[0].split() == [
        "agent",
        "placed",
        "rate",
    ]
    assert json.loads(terminal.said("report", "agents", "--json"))[0]["placed"] == 3
    assert terminal.said("report", "agents", "--csv", "--since", "2026-11-01").splitlines()[2] == "'=2+3,0,"
    assert [kind.value for kind, _, _ in terminal.site.reports.asked] == [
        "calls_by_hour",
        "agent_time",
        "agent_time",
    ]


def test_reconciliation_ends_with_0_only_when_all_agrees(terminal: Terminal) -> None:
    assert terminal.said("reconcile") == "2 channels compared, 0 differences\n"
    terminal.site.reconciler.differences = (
        Difference(
            node="pbx",
            channel_id="c",
            call_id=None,
            subject="cause",
            ours="16",
            theirs="17",
            message="differs",
        ),
    )
    assert "cause    16    17" in terminal.said("reconcile", "--since", "today", code=1)
    assert json.loads(terminal.said("reconcile", "--json", code=1))["ok"] is False


def test_what_the_service_refuses_is_one_line(terminal: Terminal) -> None:
    terminal.site.agents.fails = NodeDown("pbx is not connected")
    assert terminal.said("agent", "login", "anna", code=1) == "cti: pbx is not connected\n"


def test_a_token_that_is_not_known_is_one_line(terminal: Terminal) -> None:
    result = terminal.type("agent", "list", as_="nobody")
    assert (result.exit_code, result.output) == (1, "cti: this token is not known\n")
    result = terminal.type("events", as_="nobody")
    assert (result.exit_code, result.output.count("\n")) == (1, 1)


def test_a_service_that_is_not_there_is_one_line_and_ends_with_4() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    for command in (["agent", "list"], ["events"], ["calls", "--csv"]):
        result = CliRunner().invoke(cti, [*command, "--url", url, "--token", "x"])
        assert (result.exit_code, result.output.count("\n")) == (4, 1), result.output
        assert url in result.output


def test_address_and_token_come_from_the_settings_file(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "cti.toml"
    file.write_text(
        f'[api]\nport = {terminal.site.client.port}\n[[api.tokens]]\nname = "me"\nrole = "admin"\n'
        f'token = "{TOKENS["admin"]}"\n'
    )
    result = CliRunner().invoke(cti, ["agent", "list", "--config", str(file)])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("command", [["run"], ["check"], ["agent", "list"]])
def test_wrong_settings_are_told_with_file_and_key_and_end_with_3(command: list[str], tmp_path: Path) -> None:
    file = tmp_path / "cti.toml"
    file.write_text("[api]\nprot = 1\n")
    result = CliRunner().invoke(cti, [*command, "--config", str(file)])
    assert result.exit_code == 3
    assert f"cti: {file}: api.prot: there is no such key; did you mean port?" in result.output


def test_text_that_commands_a_terminal_is_made_harmless(terminal: Terminal) -> None:
    stored(terminal, 1)
    ended = a_call(
        id=call_id(1),
        placed_at=later(1),
        state=CallState.ENDED,
        outcome=Outcome.FAILED,
        ended_at=later(2),
        cause_text="\x1b[31mred\nline",
    )
    terminal.meanwhile(terminal.site.store.calls.save([replace(ended, campaign_id=1)]))
    assert terminal.said("calls", "--columns", "cause_text").splitlines()[1] == " [31mred line"


@pytest.mark.parametrize("since", ["yesterday", "2026-13-01", "5x", ""])
def test_a_time_that_is_none_is_a_usage_error(terminal: Terminal, since: str) -> None:
    assert "is no time" in terminal.said("calls", "--since", since, code=2)
