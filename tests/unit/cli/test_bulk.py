"""`cti contacts bulk`, `list`, `actions`, `undo`, and `cti views`."""

import json

from tests.builders import NOW, some_contacts
from tests.unit.cli.conftest import Terminal


def test_many_contacts_are_changed(terminal: Terminal) -> None:
    store = terminal.site.store
    terminal.meanwhile(
        store.campaigns.add_list(campaign_id=1, name="first", source="", contacts=some_contacts(3), at=NOW)
    )
    tried = terminal.said(
        "contacts", "bulk", "tag", "--tag", "vip", "--where", "name contains 1", "--dry-run"
    )
    assert tried == "1 found, 1 would change\n"
    begun = terminal.said("contacts", "bulk", "tag", "--tag", "vip", "--id", str(min(store.tables.contacts)))
    assert begun.endswith("(tag) is begun on 1 contacts\n")
    (action,) = json.loads(terminal.said("contacts", "actions", "--json"))
    assert (action["action"], action["state"]) == ("tag", "running")
    assert "still running" in terminal.said("contacts", "undo", str(action["id"]), code=1)
    assert "say which contacts" in terminal.said("contacts", "bulk", "stop", code=2)
    made = terminal.said("contacts", "list", "autumn", "again", "--where", "name contains 1", "--dry-run")
    assert made == "1 found, 0 would change; left: 1 in_campaign_already\n"


def test_views_are_kept_and_shown(terminal: Terminal) -> None:
    output = terminal.said("views", "add", "Hot", "--where", "score at_least 5", "--sort", "-score")
    assert output.startswith("view Hot is kept, id ")
    view_id = output.split()[-1]
    rows = json.loads(terminal.said("views", "list", "--json"))
    assert {row["id"]: row["count"] for row in rows}[view_id] == 0
    terminal.said("views", "show", view_id)
    assert terminal.said("views", "remove", view_id) == f"view {view_id} is removed\n"
