"""`cti webhook` and `cti dial`."""

import json

from tests.builders import NOW, some_contacts
from tests.unit.cli.conftest import Terminal

URL = "https://crm.example/hook"


def said(terminal: Terminal, *words: str, code: int = 0) -> str:
    result = terminal.type("webhook", *words, as_="admin")
    assert result.exit_code == code, result.output
    return result.output


def test_a_webhook_is_made_listed_changed_and_removed(terminal: Terminal) -> None:
    made = said(terminal, "add", "crm", URL, "--event", "call.*", "--campaign", "autumn")
    assert made.splitlines()[1].startswith("whsec_")
    [row] = json.loads(said(terminal, "list", "--json"))
    assert (row["name"], row["events"], row["campaign_ids"], row["state"]) == ("crm", ["call.*"], [1], "on")
    assert said(terminal, "set", "crm", "--off") == "webhook crm is set, and off\n"
    assert said(terminal, "set", "crm", "--on", "--all-campaigns") == "webhook crm is set, and on\n"
    assert "nothing is to be changed" in said(terminal, "set", "crm", code=1)
    assert "the old secret signs, too, until 2026-11-24" in said(terminal, "rotate", "crm")
    assert said(terminal, "test", "crm") == "crm took it, with status 204\n"
    assert said(terminal, "remove", "crm") == "webhook crm is removed\n"
    assert "there is no webhook" in said(terminal, "test", "crm", code=1)


def test_deliveries_are_shown_and_replayed(terminal: Terminal) -> None:
    said(terminal, "add", "crm", URL, "--event", "*")
    assert json.loads(said(terminal, "deliveries", "crm", "--state", "failed", "--json")) == []
    assert said(terminal, "replay", "crm", "--since", "2h") == "0 events are sent to crm again\n"
    assert "either an event's id or --since" in said(terminal, "replay", "crm", code=1)
    assert "the log knows no event" in said(terminal, "replay", "crm", "0" * 32, code=1)


def test_a_tel_link_calls_and_a_link_is_made(terminal: Terminal) -> None:
    store = terminal.site.store
    adding = store.campaigns.add_list(campaign_id=1, name="l", source="", contacts=some_contacts(1), at=NOW)
    terminal.meanwhile(adding)
    [contact] = store.tables.contacts.values()
    number = contact.numbers[0].e164
    called = terminal.type("dial", f"tel:{number}", "--record", "lead/1", as_="anna")
    assert called.exit_code == 0, called.output
    assert "is being called" in called.output
    assert terminal.site.by_hand.calls[0].crm_ref == "lead/1"
    made = terminal.type("dial", "--record", "lead/1", "--link", as_="anna")
    assert made.output.splitlines()[0].startswith("/dial/")
    assert "nobody is named" in terminal.said("dial", code=1)
