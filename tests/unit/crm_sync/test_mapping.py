"""Our fields to theirs."""

import tomllib
from typing import Any

import pytest

from crm_sync.mapping import Mapping, mapping_of
from crm_sync.push import fingerprint
from cti.errors import BadInput, SettingsError
from cti.model.crm import Link, RecordRef, record_ref
from tests.builders import NOW
from tests.contract.crm.houses import a_log

LINK = Link(target="odoo", call_id="a")


def read(text: str) -> Mapping:
    return mapping_of(tomllib.loads(text), target="odoo", where="odoo.toml")


def fields(text: str, **log: Any) -> dict[str, Any]:
    return dict(read(text).write(a_log(**log), LINK).fields)


def test_texts_values_and_words_are_mapped() -> None:
    made = fields(
        """
        [fields]
        name = "Call to {contact}[[ ({disposition})]]"
        minutes = { from = "talk_seconds", as = "minutes" }
        seconds = "{talk_seconds}"
        when = "{placed_at}"
        state = { from = "outcome", map = { connected = "Held", "*" = "Not Held" } }
        source = 7
        active = true
        kind = { value = "call" }
        short = { template = "{contact} and more", cut = 5 }
        tries = "{try_number}"
        """
    )

    assert made == {
        "name": "Call to Li Wei",
        "minutes": 0.7,
        "seconds": 42.0,
        "when": NOW.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "state": "Held",
        "source": 7,
        "active": True,
        "kind": "call",
        "short": "Li We",
        "tries": 1,
    }


def test_what_is_empty_is_left_out_or_sent_as_null_or_has_a_default() -> None:
    text = """
    [fields]
    a = "{note}"
    b = { from = "note", empty = "null" }
    c = { from = "note", default = "none" }
    d = { from = "note", map = { x = "y" } }
    """
    assert fields(text) == {"b": None, "c": "none"}


def test_a_word_without_a_map_entry_takes_the_rest_or_nothing() -> None:
    text = '[fields]\nstate = { from = "outcome", map = { connected = "Held" } }'
    assert fields(text, outcome="busy") == {}


def test_dispositions_have_names_there() -> None:
    text = '[dispositions]\nsold = "Won"\n"*" = "Other"\n[fields]\nd = "{disposition_name}"'
    assert fields(text, disposition="sold") == {"d": "Won"}
    assert fields(text, disposition="later") == {"d": "Other"}
    assert fields(text) == {}
    assert fields('[fields]\nd = "{disposition_name}"', disposition="x") == {"d": "x"}


def test_users_are_known_by_login_or_extension() -> None:
    by_login = '[users]\nmap = { anna = "anna@example.com" }\n[fields]\nu = "{user}"'
    by_extension = '[users]\nby = "extension"\ndefault = "1"\nmap = { a001 = "17" }\n[fields]\nu = "{user}"'
    assert read(by_login).write(a_log(), LINK).user == "anna@example.com"
    assert fields(by_extension) == {"u": "17"}
    assert fields(by_extension, extension="a009", agent="x") == {"u": "1"}
    assert fields(by_login, agent=None) == {}


def test_a_call_goes_on_the_record_that_the_list_named_and_on_the_deal() -> None:
    text = '[records]\nkind = "lead"\ndeal_kind = "deal"\n[fields]\np = "{home}"\nk = "{home_kind}"\nd = "{deal}"'
    write = read(text).write(a_log(crm_ref="7", crm_deal="9"), LINK)

    assert (write.home, write.deal) == (RecordRef("lead", "7"), RecordRef("deal", "9"))
    assert write.fields == {"p": "7", "k": "lead", "d": "9"}
    other = read(text).write(a_log(crm_ref="bottle/lead:7", crm_contact="odoo/contact:8"), LINK)
    assert other.home == RecordRef("contact", "8")


def test_a_call_without_a_record_is_refused_where_one_is_asked_for() -> None:
    with pytest.raises(BadInput, match="has no record in this CRM"):
        read("[records]\nrequired = true").write(a_log(), LINK)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("42", RecordRef("lead", "42")),
        ("crm.lead:42", RecordRef("crm.lead", "42")),
        ("odoo/crm.lead:42", RecordRef("crm.lead", "42")),
        ("bottle/lead:42", None),
        ("0031x00000AbCdE", RecordRef("lead", "0031x00000AbCdE")),
        ("7b2b2c3e-0000-4000-8000-000000000001", RecordRef("lead", "7b2b2c3e-0000-4000-8000-000000000001")),
        ("", None),
        (None, None),
    ],
)
def test_a_reference_is_read(text: str | None, expected: RecordRef | None) -> None:
    assert record_ref(text, target="odoo", kind="lead") == expected


@pytest.mark.parametrize("text", ["a b", "x:y:z", "../../etc", "\n", "odoo/"])
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="is no reference"):
        record_ref(text, target="odoo")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[fields]\nname = "{nobody}"', "odoo.toml: fields.name: there is no value 'nobody'"),
        ('[fields]\nname = { from = "note", frm = 1 }', "odoo.toml: fields.name"),
        ('[fields]\nname = { from = "note", value = 1 }', "give exactly one of from, template and value"),
        ('[fields]\nname = { from = "note", as = "shout" }', "as goes with from"),
        ('[fields]\nname = { from = "a b" }', "odoo.toml: fields.name: {a b} is no value"),
        ('[users]\nby = "name"', "odoo.toml: users.by: Input should be"),
        ('[users]\nmap = { anna = "" }', "users.map: a user there is empty"),
        ("[recrds]\nkind = 1", "odoo.toml: recrds: there is no such key"),
        ('[records]\nhome = ["crm_lead"]', "odoo.toml: records.home[0]: Input should be"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_key(text: str, told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(text)
    assert told in str(refused.value)


def test_a_print_tells_writes_apart_by_what_is_sent() -> None:
    mapping = read('[fields]\nname = "{contact}"\nnote = "{note}"')
    log = a_log()
    same = mapping.write(log, LINK), mapping.write(a_log(call_id=log.call_id, talk_seconds=1.0), LINK)
    other = mapping.write(a_log(note="x"), LINK)

    assert fingerprint(same[0]) == fingerprint(same[1])
    assert fingerprint(other) != fingerprint(same[0])
