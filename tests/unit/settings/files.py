"""Settings as they are read from a file of a test."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from cti.errors import SettingsError
from cti.settings import Settings, load

NODE = '[[nodes]]\nname = "pbx"\nsecret = "hush"\n'


def read(tmp_path: Path, text: str, environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of a file with this text."""
    file = tmp_path / "cti.toml"
    file.write_text(text)
    return load(file, environ or {})


def wrong(tmp_path: Path, text: str, environ: Mapping[str, str] | None = None) -> str:
    """Return how it is told what is wrong with this text."""
    with pytest.raises(SettingsError) as error:
        read(tmp_path, text, environ)
    return str(error.value)
