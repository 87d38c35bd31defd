"""Settings: what is accepted, and how what is wrong is told."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from cti.errors import SettingsError
from cti.model.access import Role
from cti.settings import Settings, load
from cti.settings.client import Access, access
from cti.settings.listing import all_keys
from tests.unit.settings.files import NODE, read, wrong

EXAMPLE = Path(__file__).parents[3] / "config" / "cti.example.toml"
SHOWN_ONLY = {"crm.targets", "crm.pulls"}
"""Tables that stand in the example as a comment: nobody has them who did not ask for them."""


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
