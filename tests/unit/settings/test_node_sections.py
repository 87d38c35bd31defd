"""Nodes and trunks in the settings."""

from pathlib import Path

import pytest

from cti.model.lines import Trunk
from cti.settings.listing import all_keys
from tests.unit.settings.files import NODE, read, wrong

TRUNKS = """
[[nodes.trunks]]
endpoint = "dear"
priority = 2
[[nodes.trunks]]
endpoint = "cheap"
priority = 1
channels = 30
"""


def test_a_trunk_alone_is_short_for_one_without_limits(tmp_path: Path) -> None:
    [node] = read(tmp_path, NODE + 'trunk = "carrier"\n').nodes
    assert node.all_trunks() == (Trunk(node="pbx", endpoint="carrier"),)
    assert node.default_trunk() == "carrier"
    assert read(tmp_path, NODE).nodes[0].all_trunks() == ()


def test_trunks_come_by_priority_and_the_first_is_the_default(tmp_path: Path) -> None:
    settings = read(tmp_path, NODE + TRUNKS)
    [node] = settings.nodes
    assert [(trunk.endpoint, trunk.channels) for trunk in node.all_trunks()] == [
        ("cheap", 30),
        ("dear", None),
    ]
    assert settings.templates()["pbx"].trunk == "cheap"


def test_the_short_form_beside_tables_says_which_is_the_default(tmp_path: Path) -> None:
    [node] = read(tmp_path, NODE + 'trunk = "dear"\n' + TRUNKS).nodes
    assert len(node.all_trunks()) == 2
    assert node.default_trunk() == "dear"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('endpoint = "a"\n[[nodes.trunks]]\nendpoint = "a"', "the endpoint 'a' stands twice"),
        ('endpoint = "a;b"', "nodes[0].trunks[0].endpoint: String should match pattern"),
        ('endpoint = "a"\nchannels = 0', "nodes[0].trunks[0].channels: Input should be greater"),
        ('endpoint = "a"\nfailure_share = 1.5', "nodes[0].trunks[0].failure_share: Input should be less"),
        ("channels = 3", "nodes[0].trunks[0].endpoint: missing"),
    ],
)
def test_a_wrong_trunk_is_named(tmp_path: Path, text: str, told: str) -> None:
    assert told in wrong(tmp_path, f"{NODE}[[nodes.trunks]]\n{text}\n")


def test_a_trunk_is_overridden_by_a_variable_with_both_numbers(tmp_path: Path) -> None:
    [key] = [key for key in all_keys() if (key.table, key.name) == ("nodes.trunks", "channels")]
    assert key.variable == "WAIHU_NODES__0__TRUNKS__0__CHANNELS"
    settings = read(tmp_path, NODE + TRUNKS, {key.variable: "7"})
    assert settings.nodes[0].trunks[0].channels == 7


def test_an_empty_folder_is_none_wherever_it_stands(tmp_path: Path) -> None:
    text = NODE + 'recordings = ""\ncel = ""\n[compliance]\nprofiles = ""\n'
    settings = read(tmp_path, text)
    assert (settings.nodes[0].recordings, settings.nodes[0].cel, settings.compliance.profiles) == (None,) * 3
    text = text.replace('""', '"there"')
    assert read(tmp_path, text).nodes[0].cel == Path("there")
    assert read(tmp_path, text, {"WAIHU_NODES__0__CEL": ""}).nodes[0].cel is None
