"""`cti pool`, `cti assign`, `cti agent set|leave`."""

import json

from tests.builders import NOW, some_contacts
from tests.unit.cli.conftest import Terminal


def fill(terminal: Terminal, count: int = 4) -> list[int]:
    terminal.meanwhile(
        terminal.site.store.campaigns.add_list(
            campaign_id=1, name="first", source="x", contacts=some_contacts(count), at=NOW
        )
    )
    return sorted(terminal.site.store.tables.contacts)


def test_an_agent_claims_gives_back_and_looks_at_the_history(terminal: Terminal) -> None:
    one, *_ = fill(terminal)
    assert "4 fresh, 0 given back" in terminal.said("pool", "show")
    assert "2 of 2 claimed" in terminal.type("pool", "claim", "2", as_="anna").output
    assert "is in the pool" in terminal.type("pool", "return", str(one), "--reason", "x", as_="anna").output
    assert "agent: say for whom" in terminal.said("pool", "claim", "1", code=1)
    terminal.said("pool", "transfer", str(one), "bob")
    told = json.loads(terminal.said("pool", "history", str(one), "--json"))
    assert [move["kind"] for move in told] == ["claimed", "returned", "assigned"]


def test_a_plan_is_told_and_then_carried_out(terminal: Terminal) -> None:
    fill(terminal)
    assert "4 of 4 contacts would be given" in terminal.said("assign", "--campaign", "autumn", "--dry-run")
    said = terminal.said("assign", "--campaign", "autumn", "--to", "anna", "--most", "3")
    assert "3 of 3 contacts are given" in said
    said = terminal.said("assign", "--campaign", "autumn", "--to", "bob", "--attribute", "zone", code=1)
    assert "not given: 1 (no_skill)" in said


def test_settings_and_leaving(terminal: Terminal) -> None:
    fill(terminal)
    said = terminal.said("agent", "set", "anna", "--skill", "german", "--weight", "2", "--max-owned", "2")
    assert "german" in said
    terminal.said("agent", "set", "anna", "--no-skills", "--no-max")
    terminal.said("pool", "claim", "3", "--agent", "anna")
    assert "3 of 3 contacts would be given" in terminal.said(
        "agent", "leave", "anna", "--to", "bob", "--dry-run"
    )
    assert "3 of 3 contacts are given" in terminal.said("agent", "leave", "anna", "--to", "bob")
    assert "works here" not in terminal.said("agent", "set", "anna", "--back")
