"""`cti list recycle`, `cti why`, `cti callbacks`."""

from cti.model.contacts import EntryState
from tests.builders import NOW, some_contacts
from tests.unit.cli.conftest import Terminal


def filled(terminal: Terminal) -> None:
    terminal.meanwhile(
        terminal.site.store.campaigns.add_list(
            campaign_id=1, name="l", source="", contacts=some_contacts(2), at=NOW
        )
    )


def test_a_list_is_recycled_after_a_look(terminal: Terminal) -> None:
    filled(terminal)
    tables = terminal.site.store.tables
    for entry in tables.entries.values():
        entry.state, entry.last_outcome = EntryState.DONE, "busy"
    words = ("list", "recycle", str(next(iter(tables.lists))), "--outcome", "busy")

    assert "nothing was changed" in terminal.said(*words, "--dry-run")
    assert "2 contacts are pending again" in terminal.said(*words)


def test_why_is_told_of_a_number_and_of_a_campaign(terminal: Terminal) -> None:
    filled(terminal)

    assert "no agent of the campaign is logged in" in terminal.said(
        "why", some_contacts(1)[0].numbers[0].e164
    )
    terminal.said("agent", "login", "anna")
    assert "in line" in terminal.said("why", "--campaign", "autumn")
    assert '"groups"' in terminal.said("why", "--campaign", "autumn", "--json")
    assert "name exactly one" in terminal.said("why", code=2)


def test_a_callback_is_planned_moved_given_and_settled(terminal: Terminal) -> None:
    filled(terminal)
    contact = str(next(iter(terminal.site.store.tables.contacts)))
    where = ("--contact", contact, "--campaign", "autumn", "--zone", "Asia/Shanghai")

    planned = terminal.said("callbacks", "add", "2026-12-01T15:30", *where)
    number = planned.split()[1]

    assert "2026-12-01 15:30 Asia/Shanghai (here " in planned
    assert "2026-12-02 09:00" in terminal.said("callbacks", "move", number, "2026-12-02T09:00")
    terminal.said("callbacks", "give", number, "anna")
    assert "anna" in terminal.said("callbacks", "list")
    assert "is done" in terminal.said("callbacks", "done", number)
    assert "changed" in terminal.said("callbacks", "show", number)
    assert "done already" in terminal.said("callbacks", "cancel", number, code=1)
