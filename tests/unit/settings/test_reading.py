"""Settings: what is accepted, and how what is wrong is told."""

import base64
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cti.errors import SettingsError
from cti.model.access import Role
from cti.model.lines import Trunk
from cti.recording.plan import S3Place
from cti.settings import Settings, load
from cti.settings.client import Access, access
from cti.settings.listing import all_keys

EXAMPLE = Path(__file__).parents[3] / "config" / "cti.example.toml"
SHOWN_ONLY = {"crm.targets", "crm.pulls"}
"""Tables that stand in the example as a comment: nobody has them who did not ask for them."""
NODE = '[[nodes]]\nname = "pbx"\nsecret = "hush"\n'


def read(tmp_path: Path, text: str, environ: Mapping[str, str] | None = None) -> Settings:
    file = tmp_path / "cti.toml"
    file.write_text(text)
    return load(file, environ or {})


def wrong(tmp_path: Path, text: str, environ: Mapping[str, str] | None = None) -> str:
    with pytest.raises(SettingsError) as error:
        read(tmp_path, text, environ)
    return str(error.value)


def test_the_example_loads() -> None:
    settings = load(EXAMPLE, {})
    assert settings.node("pbx").trunk == "carrier"
    assert [grant.role for grant in settings.grants()] == [Role.ADMIN, Role.AGENT]


OFF = ("recording.s3",)
"""Tables that stand in the example as comments, because to have them means something."""


def opened() -> str:
    """Return the example with the defaults that are commented out written as keys; without tables that are off."""
    names = {key.name for key in all_keys()}
    text = EXAMPLE.read_text()
    for table in OFF:
        begin = text.index(f"# [{table}]")
        text = text[:begin] + text[text.index("\n\n", begin) :]
    lines = [line.removeprefix("# ") for line in text.splitlines()]
    return "\n".join(line for line in lines if line.startswith("[") or line.split(" = ")[0] in names)


def test_the_example_names_every_key_in_its_table_and_its_default() -> None:
    tree = tomllib.loads(opened())
    written = set(EXAMPLE.read_text().splitlines())
    for key in all_keys():
        if key.table in OFF:
            assert any(line.startswith(f"# {key.name} = ") for line in written), key.name
            continue
        table: Any = tree
        for step in key.table.split("."):
            table = (table[0] if isinstance(table, list) else table)[step]
        tables = table if key.many else [table]
        assert any(key.name in one for one in tables), f"{key.table}.{key.name} is missing"
        if key.table in SHOWN_ONLY:
            assert any(line.startswith(f"# {key.name} = ") for line in written), key.name
        elif not any(line.startswith(f"{key.name} = ") for line in written):
            assert f"# {key.name} = {key.default}" in written


def test_the_example_with_all_defaults_written_out_means_the_same() -> None:
    tree = tomllib.loads(opened())
    for table in SHOWN_ONLY:
        section, name = table.split(".")
        del tree[section][name]
    assert Settings.model_validate(tree) == load(EXAMPLE, {})


def test_without_a_file_and_environment_there_are_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load(environ={})
    assert settings.database.url.get_secret_value() == "sqlite:///var/waihu.db"
    assert settings.nodes == ()


def test_the_default_file_is_read_when_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "cti.toml").write_text("[api]\nport = 1234\n")
    assert load(environ={}).api.port == 1234


def test_the_file_may_be_named_by_the_environment(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text("[api]\nport = 1234\n")
    assert load(environ={"WAIHU_CONFIG": str(tmp_path / "x.toml")}).api.port == 1234


def test_the_environment_overrides_the_file_also_within_lists(tmp_path: Path) -> None:
    environ = {
        "WAIHU_API__PORT": "9999",
        "WAIHU_NODES__0__SECRET": "other",
        "WAIHU_NODES__1__NAME": "second",
        "WAIHU_NODES__1__SECRET": "s",
        "WAIHU_RECORDING__KEEP_RAW": "true",
        "WAIHU_LAB_CACHE": "not ours",
        "PATH": "/bin",
    }
    settings = read(tmp_path, NODE, environ)
    assert (settings.api.port, settings.recording.keep_raw) == (9999, True)
    assert [node.name for node in settings.nodes] == ["pbx", "second"]
    assert settings.nodes[0].secret.get_secret_value() == "other"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "[api]\nprot = 1",
            "api.prot: there is no such key; did you mean port? allowed are: host, port, tokens",
        ),
        ("[databse]\n", "databse: there is no such key; did you mean database?"),
        (NODE + 'trunkx = "x"', "nodes[0].trunkx: there is no such key; did you mean trunk?"),
        ("[api]\nport = 99999", "api.port: Input should be less than or equal to 65535"),
        ('[api]\nport = "x"', "api.port: Input should be a valid integer"),
        ("[api]\ntokens = 1", "api.tokens: must be a list of tables"),
        ("api = 1", "api: must be a table"),
        ('[[nodes]]\nname = "x"', "nodes[0].secret: missing"),
        ('[[nodes]]\nname = "a b"\nsecret = "x"', "nodes[0].name: String should match pattern"),
        (NODE + NODE, "nodes: the name 'pbx' stands twice"),
        ('[logging]\nlevel = "loud"', "logging.level: Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ('[agents]\nmode = "queue"', "agents.mode: Input should be 'kept_leg'"),
        ('[database]\nurl = "mysql://x"', "database.url: must begin with sqlite:/// or postgresql://"),
        ('[dialer]\nregion = "Germany"', "dialer.region: must be empty or a country in two capital letters"),
        ('[dialer]\nmessage = "a,Hangup"', "dialer.message: String should match pattern"),
        ("[dialer]\nring_seconds = nan", "dialer.ring_seconds: Input should be"),
        (
            '[[api.tokens]]\nname = "x"\nrole = "king"\ntoken = "1234567890123456"',
            "'admin', 'lead', 'qa', 'agent', 'worker' or 'sync'",
        ),
        ('[[api.tokens]]\nname = "x"\nrole = "admin"\ntoken = "short"', "api.tokens[0].token: is too short"),
        ('[[api.tokens]]\nname = "x"\nrole = "admin"', "give exactly one of token and sha256"),
        (
            f'[[api.tokens]]\nname = "x"\nrole = "agent"\ntoken = "{"x" * 16}"',
            "agent is to be given with the role",
        ),
        ("[api\n", "this is not TOML"),
    ],
)
def test_what_is_wrong_is_told_with_file_key_and_what_is_allowed(
    tmp_path: Path, text: str, told: str
) -> None:
    message = wrong(tmp_path, text)
    assert str(tmp_path / "cti.toml") in message
    assert told in message


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("WAIHU_API__PORT", "x", "WAIHU_API__PORT: api.port: Input should be a valid integer"),
        ("WAIHU_API__PROT", "1", "WAIHU_API__PROT: api.prot: there is no such key; did you mean port?"),
        ("WAIHU_API_PORT", "1", "did you mean WAIHU_API__PORT?"),
        ("WAIHU_NODES__1__NAME", "x", "lists are numbered from 0 without gaps"),
        ("WAIHU_API__PORT__X", "1", "WAIHU_API__PORT__X: names no setting"),
        ("WAIHU_NODES__0", "1", "WAIHU_NODES__0: names no setting"),
        ("WAIHU___", "1", "there is no such key"),
    ],
)
def test_what_is_wrong_in_the_environment_is_told_with_the_variable(
    tmp_path: Path, variable: str, value: str, told: str
) -> None:
    assert told in wrong(tmp_path, "[api]\nport = 1\n", {variable: value})


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    assert len(wrong(tmp_path, '[api]\nprot = 1\nhost = ""\n').splitlines()) == 2


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"gone\.toml: cannot be read: No such file"):
        load(tmp_path / "gone.toml", {})
    (tmp_path / "x.toml").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match=r"x\.toml: not UTF-8 at byte 0"):
        load(tmp_path / "x.toml", {})


def test_no_secret_is_shown_by_settings_or_by_what_is_wrong_with_them(tmp_path: Path) -> None:
    text = (
        NODE
        + f'[database]\nurl = "postgresql://u:hush@h/n"\n[[api.tokens]]\nname="x"\nrole="admin"\ntoken="{"hush" * 4}"'
    )
    assert "hush" not in repr(read(tmp_path, text))
    assert "hush" not in wrong(tmp_path, text.replace("postgresql", "oracle"))
    assert "hush" not in wrong(tmp_path, text + '\nsha256 = "hush"')


def test_a_token_is_kept_as_its_digest_only(tmp_path: Path) -> None:
    token = "correct horse battery"
    (grant,) = read(tmp_path, f'[[api.tokens]]\nname = "x"\nrole = "lead"\ntoken = "{token}"').grants()
    assert token not in repr(grant)
    assert len(grant.sha256) == 64


def test_a_new_campaign_takes_its_defaults_from_dialer_and_node(tmp_path: Path) -> None:
    settings = read(
        tmp_path, NODE + 'trunk = "out"\nmax_lines = 7\n[dialer]\nring_seconds = 22\ncaller_id = "+493012345"'
    )
    campaign = settings.templates()["pbx"]
    assert (campaign.trunk, campaign.max_lines, campaign.ring_seconds) == ("out", 7, 22)
    assert campaign.caller_id == "+493012345"


def test_the_command_line_finds_address_and_token(tmp_path: Path) -> None:
    file = tmp_path / "cti.toml"
    file.write_text(
        f'[api]\nhost = "0.0.0.0"\nport = 5\n[[api.tokens]]\nname="x"\nrole="admin"\ntoken="{"t" * 16}"'
    )
    assert access(config=file, environ={}) == Access(url="http://127.0.0.1:5", token="t" * 16)
    environ = {"WAIHU_URL": "http://x/", "WAIHU_TOKEN": "y"}
    assert access(config=file, environ=environ) == Access(url="http://x", token="y")
    assert access(url="http://z", token="q", environ=environ) == Access(url="http://z", token="q")


def test_without_a_token_the_command_line_says_where_to_put_one(tmp_path: Path) -> None:
    file = tmp_path / "cti.toml"
    file.write_text("")
    with pytest.raises(SettingsError, match="WAIHU_TOKEN"):
        access(config=file, environ={})


def test_the_command_lines_own_variables_are_not_taken_for_settings(tmp_path: Path) -> None:
    assert read(tmp_path, "", {"WAIHU_URL": "x", "WAIHU_TOKEN": "y", "WAIHU_CONFIG": "z"}) == Settings()


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


KEY = "2026a:" + base64.b64encode(bytes(32)).decode()


def test_the_key_of_recordings_stands_in_the_environment_and_is_never_shown(tmp_path: Path) -> None:
    settings = read(tmp_path, "", {"WAIHU_RECORDING_KEY": KEY})
    assert settings.recording.plan().keys == KEY
    assert KEY[8:] not in repr(settings) + repr(settings.recording.plan())


@pytest.mark.parametrize(
    ("text", "environ", "problem"),
    [
        ("", {"WAIHU_RECORDING_KEY": "2026a:secret"}, "the key 2026a is not base64"),
        ("", {"WAIHU_RECORDING_KEY": "2026a:c2VjcmV0"}, "the key 2026a has 6 bytes; it needs 32"),
        ('[recording]\ntemplate = "{date}"', {}, "the last part must hold {call_id}"),
        ('[recording]\ntemplate = "../{call_id}"', {}, "begin with a dot"),
        ('[recording]\nretention = "x"', {}, "there is no class 'x'"),
        ('[recording]\ncompress = "mp3"', {}, "'none', 'flac' or 'opus'"),
        ('[[recording.classes]]\nname = "a"\ndays = 0', {}, "recording.classes[0].days"),
        ('[recording.s3]\nbucket = "B"', {}, "recording.s3.bucket"),
        ('[recording.s3]\nbucket = "abc"\nprefix = "../x"', {}, "recording.s3.prefix"),
    ],
)
def test_wrong_settings_of_recordings_are_named(
    tmp_path: Path, text: str, environ: dict[str, str], problem: str
) -> None:
    told = wrong(tmp_path, text, environ)
    assert problem in told
    assert "c2VjcmV0" not in told


def test_recordings_may_be_moved_to_any_s3_store(tmp_path: Path) -> None:
    text = '[recording.s3]\nbucket = "abc"\nendpoint = "http://s3.local:9000/"\nprefix = "a/b"'
    place = read(tmp_path, text, {"WAIHU_RECORDING__S3__REGION": "eu-1"}).recording.plan().s3
    assert place == S3Place(bucket="abc", endpoint="http://s3.local:9000", region="eu-1", prefix="a/b")


def test_keys_of_links_come_from_the_environment_and_weak_ones_are_refused(tmp_path: Path) -> None:
    settings = read(tmp_path, "", {"WAIHU_DIAL_LINKS__KEYS": f"{'a' * 32},{'b' * 40}"})
    assert [key.get_secret_value() for key in settings.dial_links.keys] == ["a" * 32, "b" * 40]
    assert "aaaa" not in repr(settings)
    said = wrong(tmp_path, "", {"WAIHU_DIAL_LINKS__KEYS": "short-secret"})
    assert "WAIHU_DIAL_LINKS__KEYS: dial_links.keys: each must have at least 32 characters" in said
    assert "short-secret" not in said


def test_networks_that_webhooks_may_reach_are_checked(tmp_path: Path) -> None:
    settings = read(tmp_path, '[webhooks]\nallow = ["10.1.2.0/24", "::1"]\n')
    assert settings.webhooks.allow == ("10.1.2.0/24", "::1")
    said = wrong(tmp_path, '[webhooks]\nallow = ["crm.local"]\n')
    assert "webhooks.allow: 'crm.local' is no network" in said
