"""What a lab is made of: ports that fit, configuration that is filled in, an Asterisk that is new enough."""

import tomllib
from pathlib import Path

import pytest

from cti.settings import NodeSettings
from lab.__main__ import snippet
from lab.configuration import SHIPPED, TEMPLATES, render
from lab.errors import LabError
from lab.installation import ASTERISK, SOUNDS, is_new_enough
from lab.settings import LabSettings


def settings(**changes: int) -> LabSettings:
    return LabSettings(folder=Path("/lab"), **changes)


def test_no_port_is_given_twice() -> None:
    lab = settings()
    single = [
        lab.pbx_ami_port,
        lab.carrier_ami_port,
        lab.pbx_sip_port,
        lab.carrier_sip_port,
        lab.lab_sip_port,
    ]
    ports = [*single, lab.spare_port, *lab.pbx_rtp, *lab.carrier_rtp]
    assert len(ports) == len(set(ports))
    assert max(ports) < lab.base_port + 2 * lab.rtp_ports
    assert min(ports) > lab.base_port, "the first port is the claim"


@pytest.mark.parametrize(
    "wrong", [{"base_port": 20_500}, {"rtp_ports": 1500}, {"base_port": 64_000}, {"base_port": 0}]
)
def test_ports_that_do_not_fit_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(LabError):
        settings(**wrong)


def test_every_phone_has_a_password() -> None:
    agents = settings(phones=120).agents()
    assert (agents[0], agents[119]) == (("a001", "secret-a001"), ("a120", "secret-a120"))


def test_templates_are_filled_in_and_asterisks_own_variables_stay() -> None:
    assert render("port = @PORT@ ${EXTEN:-4}@x", {"PORT": 5}) == "port = 5 ${EXTEN:-4}@x"
    with pytest.raises(KeyError):
        render("@UNKNOWN@", {})


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("Asterisk 22.7.0", True),
        ("Asterisk 22.10.1+dfsg", True),
        ("Asterisk 23.1.0", True),
        ("Asterisk 24.0.0", True),
        ("Asterisk 23.0.0", False),
        ("Asterisk 22.6.1", False),
        ("Asterisk 20.18.0", False),
        ("", False),
    ],
)
def test_only_versions_that_tell_the_sip_code_are_new_enough(version: str, expected: bool) -> None:
    assert is_new_enough(version) is expected


def test_the_script_makes_what_the_lab_looks_for() -> None:
    script = (SHIPPED.parents[1] / "scripts" / "lab-tools").read_text()
    assert f"$cache/{ASTERISK}\n" in script
    assert f"$cache/{SOUNDS}\n" in script
    played = (TEMPLATES / "carrier" / "extensions.conf").read_text()
    for sound in (
        "talk",
        "said-",
        "fax-answer",
        "sit",
        "unallocated",
        "all-busy",
        "tone-600",
        "pause",
        "quiet",
    ):
        assert sound in played
        assert sound in script


def test_the_snippet_is_a_node_of_the_services_settings() -> None:
    node = tomllib.loads(snippet(Path("/lab"), settings()))["nodes"][0]
    assert NodeSettings(**node).port == settings().pbx_ami_port
