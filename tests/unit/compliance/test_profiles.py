"""Profiles: what ships, what is refused, what a campaign may change and how that is told."""

from pathlib import Path
from typing import Any

import pytest

from cti.compliance.law import Rulebook
from cti.compliance.profiles import SHIPPED, Profiles, load_profiles, read_profile
from cti.errors import BadInput, SettingsError
from cti.model.campaign_rules import ComplianceRules


@pytest.fixture(scope="module")
def shipped() -> Profiles:
    return load_profiles(SHIPPED)


def rules(profile: str = "us", **overrides: Any) -> ComplianceRules:
    return ComplianceRules(profile=profile, overrides=overrides)


def book(shipped: Profiles, profile: str = "us", **overrides: Any) -> Rulebook:
    return shipped.rulebook(rules(profile, **overrides))


def test_four_profiles_ship_and_all_can_be_used(shipped: Profiles) -> None:
    assert [profile.name for profile in shipped.all()] == ["cn", "none", "uk", "us"]
    for profile in shipped.all():
        assert shipped.rulebook(ComplianceRules(profile=profile.name)).base.name == profile.name


@pytest.mark.parametrize(
    ("number", "name", "closes"),
    [
        pytest.param("+12125551234", "us", "08:00-21:00", id="New York"),
        pytest.param("+13055551234", "us+FL", "08:00-20:00", id="Florida"),
        pytest.param("+12065551234", "us+WA", "08:00-20:00", id="Washington"),
    ],
)
def test_an_area_adds_to_the_country(shipped: Profiles, number: str, name: str, closes: str) -> None:
    law = book(shipped).law(number)

    assert law.name == name
    assert law.calendar.week is not None
    assert [str(span) for span in law.calendar.week[0]] == [closes]


def test_an_area_never_loosens_what_the_campaign_made_stricter(shipped: Profiles) -> None:
    law = book(shipped, hours={"every_day": ["10:00-18:00"]}).law("+13055551234")

    assert law.calendar.week is not None
    assert [str(span) for span in law.calendar.week[0]] == ["10:00-18:00"]


def written(folder: Path, text: str) -> Path:
    file = folder / "house.toml"
    file.write_text('title = "House"\n' + text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            "attempts_per_dya = 2",
            "attempts_per_dya: there is no such key; did you mean attempts_per_day?",
            id="key",
        ),
        pytest.param(
            "[hours]\nmonday = []\nsundy = []",
            "hours.sundy: there is no such key; did you mean sunday?",
            id="key of a table",
        ),
        pytest.param(
            "[[windows]]\ncalls = 1\nsecond = 5",
            "windows[0].second: there is no such key; did you mean seconds?",
            id="key of a list",
        ),
        pytest.param(
            'unknown_zone = "Europe/Berlim"', "unknown_zone: 'Europe/Berlim' is no time zone", id="zone"
        ),
        pytest.param(
            "attempts_per_day = 0", "attempts_per_day: Input should be greater than or equal to 1", id="zero"
        ),
        pytest.param(
            "attempts_per_day = true",
            "attempts_per_day: Input should be a valid integer",
            id="a switch for a number",
        ),
        pytest.param(
            'ring_seconds = "15"', "ring_seconds: Input should be a valid number", id="text for a number"
        ),
        pytest.param('consent = "yes"', "consent: Input should be 'needed' or 'not_needed'", id="word"),
        pytest.param(
            '[hours]\nevery_day = ["21:00-08:00"]',
            "hours.every_day: '21:00-08:00' ends before it begins",
            id="over midnight",
        ),
        pytest.param('[hours]\nevery_day = ["08:00-08:00"]', "'08:00-08:00' has no length", id="no length"),
        pytest.param('[hours]\nevery_day = ["8-21"]', "'8-21' is no span of a day", id="no span"),
        pytest.param('[hours]\nevery_day = ["08:00-24:30"]', "a day ends at 24:00", id="after midnight"),
        pytest.param(
            '[hours]\nevery_day = ["08:00-12:00", "11:00-13:00"]',
            "11:00-13:00 begins before 08:00-12:00 has ended",
            id="overlap",
        ),
        pytest.param("[hours]\nevery_day = []", "hours: no day has any hours", id="no hours at all"),
        pytest.param('[hours]\nmonday = ["08:00-12:00"]', "hours: tuesday is missing", id="half a week"),
        pytest.param(
            "[[windows]]\ncalls = 0\nseconds = 60",
            "windows[0].calls: Input should be greater",
            id="none in a window",
        ),
        pytest.param(
            "[[windows]]\ncalls = 5\nseconds = 60\n[[windows]]\ncalls = 3\nseconds = 3600",
            "windows: 5 in 1 min can never be reached: 3 in 1 h is reached before",
            id="window behind a window",
        ),
        pytest.param(
            "attempts_per_day = 5\nattempts_total = 3",
            "attempts_per_day: 5 can never be reached: attempts_total is 3",
            id="a day above all",
        ),
        pytest.param(
            '[holidays]\nobserve = true\ncountry = "Berlin"',
            "holidays: no holidays are known of a country 'Berlin'",
            id="country",
        ),
        pytest.param(
            '[holidays]\nobserve = true\ncountry = "US"\nsubdivision = "ZZ"',
            "no holidays are known of 'ZZ' in US",
            id="state",
        ),
        pytest.param(
            '[holidays]\ncountry = "US"',
            "country can never apply: observe is false",
            id="country without holidays",
        ),
        pytest.param(
            "[holidays]\ndates = [20261224]", "holidays.dates[0]: a date is written 2026-12-24", id="date"
        ),
        pytest.param('[[areas]]\nname = "X"\nprefixes = ["+1"]', "the area X sets no limit", id="empty area"),
        pytest.param(
            '[[areas]]\nname = "X"\nprefixes = ["305"]\nattempts_per_day = 1',
            "areas[0].prefixes[0]: String should match",
            id="prefix",
        ),
        pytest.param(
            '[hours]\nevery_day = ["08:00-10:00"]\n'
            '[[areas]]\nname = "X"\nprefixes = ["+1"]\nhours = { every_day = ["10:00-12:00"] }',
            "areas: X: its hours and the profile's never meet",
            id="hours that never meet",
        ),
    ],
)
def test_what_is_wrong_is_told_with_file_and_key(tmp_path: Path, text: str, said: str) -> None:
    file = written(tmp_path, text)

    with pytest.raises(SettingsError) as refused:
        read_profile(file)

    assert str(refused.value).startswith(str(file))
    assert said in str(refused.value)


def test_a_profile_without_a_title_and_a_file_that_is_no_toml_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("attempts_total = 1")
    (tmp_path / "b.toml").write_text("title = ")

    with pytest.raises(SettingsError, match=r"a\.toml: title: missing"):
        read_profile(tmp_path / "a.toml")
    with pytest.raises(SettingsError, match=r"b\.toml: this is not TOML"):
        read_profile(tmp_path / "b.toml")


def test_a_folder_that_is_not_there_is_told_by_its_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"compliance\.profiles: there is no folder"):
        load_profiles(SHIPPED, tmp_path / "nowhere")


def test_an_installation_adds_profiles_and_replaces_shipped_ones(tmp_path: Path) -> None:
    written(tmp_path, "attempts_total = 1")
    (tmp_path / "us.toml").write_text('title = "Ours"')

    profiles = load_profiles(SHIPPED, tmp_path)

    assert profiles.get("us").keys.title == "Ours"
    assert profiles.get("house").keys.attempts_total == 1


def test_an_unknown_profile_is_refused_with_what_there_is(shipped: Profiles) -> None:
    with pytest.raises(
        BadInput, match=r"rules\.compliance\.profile: there is no profile 'usa'; did you mean us"
    ):
        shipped.rulebook(ComplianceRules(profile="usa"))


def test_a_wrong_override_is_refused_with_its_key(shipped: Profiles) -> None:
    with pytest.raises(BadInput, match=r"rules\.compliance\.overrides\.atempts_total: there is no such key"):
        book(shipped, atempts_total=3)
    with pytest.raises(BadInput, match=r"rules\.compliance\.overrides\.hours\.every_day: '21:00-20:00' ends"):
        book(shipped, hours={"every_day": ["21:00-20:00"]})


def test_a_day_is_changed_without_naming_the_others(shipped: Profiles) -> None:
    week = book(shipped, "uk", hours={"sunday": []}).base.calendar.week

    assert week is not None
    assert [bool(day) for day in week] == [True] * 6 + [False]


def test_every_day_takes_the_place_of_a_named_week(shipped: Profiles) -> None:
    week = book(shipped, "uk", hours={"every_day": ["09:00-18:00"]}).base.calendar.week

    assert week is not None
    assert {str(span) for day in week for span in day} == {"09:00-18:00"}


@pytest.mark.parametrize(
    ("profile", "overrides"),
    [
        pytest.param("us", {"hours": {"every_day": ["09:00-20:00"]}}, id="shorter hours"),
        pytest.param("us", {"attempts_per_day": 2}, id="a new limit"),
        pytest.param("us", {"consent": "needed"}, id="consent"),
        pytest.param("us", {"unknown_zone": "refuse"}, id="no unknown zones"),
        pytest.param("cn", {"windows": [{"calls": 1, "seconds": 86400}]}, id="one a day"),
        pytest.param("us", {"ring_seconds": 20}, id="longer ringing"),
        pytest.param("us", {}, id="nothing"),
    ],
)
def test_what_is_stricter_is_no_warning(shipped: Profiles, profile: str, overrides: dict[str, Any]) -> None:
    assert shipped.loosened(rules(profile, **overrides)) == []


@pytest.mark.parametrize(
    ("profile", "overrides", "key"),
    [
        pytest.param("us", {"hours": {"every_day": ["08:00-22:00"]}}, "hours", id="longer hours"),
        pytest.param("us", {"hours": None}, "hours", id="no hours"),
        pytest.param("cn", {"consent": "not_needed"}, "consent", id="no consent"),
        pytest.param("cn", {"windows": [{"calls": 10, "seconds": 86400}]}, "windows", id="a window less"),
        pytest.param(
            "uk", {"pause_after_drop_seconds": 3600}, "pause_after_drop_seconds", id="shorter pause"
        ),
        pytest.param("uk", {"registers": False}, "registers", id="registers off"),
        pytest.param("us", {"drop_target": 0.05}, "drop_target", id="more drops"),
        pytest.param("us", {"caller_id_required": False}, "caller_id_required", id="no number shown"),
        pytest.param("us", {"unknown_zone": "America/New_York"}, "unknown_zone", id="a guess"),
        pytest.param("us", {"areas": []}, "areas: FL", id="no areas"),
    ],
)
def test_what_is_looser_is_allowed_and_told(
    shipped: Profiles, profile: str, overrides: dict[str, Any], key: str
) -> None:
    changed = rules(profile, **overrides)

    assert shipped.rulebook(changed)
    assert any(words.startswith(key) for words in shipped.loosened(changed))
