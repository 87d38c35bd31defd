"""Webhooks and links that dial in the settings."""

from pathlib import Path

from tests.unit.settings.files import read, wrong


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
