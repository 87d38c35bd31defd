"""Where models and speech lie for tests and benchmarks; models are fetched when they are missing."""

import os
from pathlib import Path
from typing import Final

from cti.asr.catalogue import known_model
from cti.asr.fetching import fetch
from cti.asr.profile import ModelProfile
from lab.installation import cache_folder

CHECKOUT: Final = Path(__file__).parents[1]
MODELS: Final = cache_folder() / "models"
"""In the lab's cache, so that each checkout need not fetch them anew."""
CACHE: Final = MODELS / ".made"


def fetched(name: str) -> ModelProfile:
    """Return a known model's profile; it is fetched into the lab's cache once. Raises EngineError."""
    known = known_model(name)
    if not (MODELS / name).is_dir():
        fetch(known, MODELS)
    return known.profile(MODELS / name)


def speech_folder() -> Path | None:
    """Return the folder with speech files: WAIHU_SPEECH, else `shared/data/speech` beside or above the checkout."""
    if own := os.environ.get("WAIHU_SPEECH"):
        return Path(own)
    places = (parent / "shared" / "data" / "speech" for parent in CHECKOUT.parents)
    return next((place for place in places if place.is_dir()), None)
