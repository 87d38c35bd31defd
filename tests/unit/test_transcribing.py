"""What a worker's process makes of its settings."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from cti import transcribing
from cti.asr.pressure import Limits
from cti.errors import StorageError
from cti.model.campaign_rules import CampaignRules, TranscriptionRules
from cti.model.contacts import Campaign
from cti.settings import load
from cti.transcribing import WRONG_SETTINGS_STATUS, CampaignRulesNow, begin, limits_of, main
from tests.builders import a_campaign
from tests.fakes.memory_store import MemoryStore
from tests.fakes.transcription import FakeScribes


def a_file(folder: Path, text: str) -> Path:
    path = folder / "cti.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[asr]\nfeed = "table"', "asr.feed: is table, but database.url is SQLite"),
        ('[asr]\nsounds = "archive"', "asr.sounds: is archive"),
        ('[asr]\nfeed = "redis"', "redis.url is empty"),
        ("[asr]\nworkers = -1", "asr.workers"),
        ('[redis]\nurl = "http://x"', "must be empty or begin with redis://"),
        ("", "no token"),
    ],
)
def test_settings_that_cannot_be_end_the_worker_with_one_line(
    tmp_path: Path, text: str, told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcribing.os, "nice", lambda by: by)
    monkeypatch.delenv("WAIHU_TOKEN", raising=False)
    config = a_file(tmp_path, f'[database]\nurl = "sqlite:///{tmp_path}/x.db"\n{text}')
    assert begin(config=config, scribes=lambda settings: FakeScribes({})) == WRONG_SETTINGS_STATUS
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1
    assert not (tmp_path / "x.db").exists()


def test_a_worker_without_a_model_takes_no_work_and_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcribing.os, "nice", lambda by: by)
    monkeypatch.setenv("WAIHU_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("WAIHU_TOKEN", "token")
    assert begin(config=a_file(tmp_path, f'[asr]\nfolder = "{tmp_path}/none"')) == 1
    assert "the settings name no speech model" in capsys.readouterr().err


def test_the_limits_are_those_of_the_settings(tmp_path: Path) -> None:
    settings = load(a_file(tmp_path, "[asr]\ncores = 0.5\npause_above_calls = 0\npause_above_load = 3"), {})
    assert limits_of(settings) == Limits(cores=0.5, stalled=0.5, load_per_core=3.0, live_calls=0)


def test_the_command_explains_itself() -> None:
    said = CliRunner().invoke(main, ["--help"])
    assert said.exit_code == 0
    assert "WAIHU_TOKEN" in said.output


async def test_the_rules_of_campaigns_are_read_anew_and_stand_while_the_database_is_away() -> None:
    store = MemoryStore()
    rules = CampaignRulesNow(store)  # type: ignore[arg-type]
    assert rules.of(1) == CampaignRules()
    wished = CampaignRules(transcription=TranscriptionRules(enabled=True))
    campaign = await store.campaigns.add_campaign(a_campaign(rules=wished))
    await rules.step()
    assert rules.of(campaign.id) == wished

    async def away() -> list[Campaign]:
        raise StorageError("away", temporary=True)

    store.campaigns.campaigns = away  # type: ignore[method-assign]
    await rules.step()
    assert rules.of(campaign.id) == wished
    with pytest.raises(StorageError):
        await rules.read()
