"""The whole chain: phones speak known sentences, Asterisk records, Vosk writes them down, the search finds them."""

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from lab import Lab
from tests.integration.customers import Person
from tests.integration.floor_lab import FloorLab, open_floor, until
from tests.integration.known_speech import Sentence, Voice, voice_of
from tests.integration.proof import proved
from tests.integration.transcription_site import need_model

CUSTOMERS: Final = (
    ("cannot-complete-as-dialed", "check-number-dial-again", "info-about-last-call", "vm-passchanged"),
    ("vm-nobodyavail", "number-not-answering", "vm-savefolder", "vm-msgforwarded"),
    ("conf-invalid", "feature-not-avail-line", "dir-nomatch", "privacy-prompt"),
    ("confbridge-locked", "vm-tempremoved", "please-try-call-later", "ss-noservice"),
)
"""What each of the persons says, by Asterisk's prompts."""
REPS: Final = ("queue-youarenext", "pls-hold-while-try", "vm-dialout")
FOUND_SHARE: Final = 0.8
"""Of the sentences, by any three words in a row: the model writes one word in ten wrong."""
TIMED_SHARE: Final = 0.5
"""Of the sentences, by their first three words, of which alone we know when they are said."""
MEDIAN_SECONDS: Final = 0.15
TRANSCRIBED_WITHIN: Final = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A sentence in a recording, as we know it."""

    call_id: str
    speaker: str
    at: float
    sentence: Sentence


async def test_what_phones_say_is_found_at_its_second_and_on_its_speaker(
    fresh_lab: Lab, tmp_path: Path
) -> None:
    english = await asyncio.to_thread(need_model)
    reps, voices = voice_of(REPS), [voice_of(prompts) for prompts in CUSTOMERS]
    async with open_floor(
        fresh_lab,
        tmp_path / "cti",
        agents=2,
        rules={"transcription": {"enabled": True, "language": "en"}},
        models=english,
    ) as floor:
        talk = max(voice.seconds for voice in [reps, *voices]) + 0.5
        numbers = await floor.dial([Person(voice=voice.sound, talks=talk) for voice in voices])
        talking = asyncio.create_task(_let_reps_talk(floor, reps, len(numbers)))
        await floor.finished(within=120)
        spoke = await talking
        calls = await floor.calls()
        said = [
            one
            for number, voice in zip(numbers, voices, strict=True)
            for one in _sentences(calls[number], voice, reps, spoke)
        ]
        await _transcribed(floor, [call["id"] for call in calls.values()])
        found = [(one, await _hit(floor, one)) for one in said]
        await proved(floor)

    right = [(one, hit) for one, (hit, _) in found if hit is not None]
    errors = sorted(abs(hit["at"] - one.at) for one, (hit, at_begin) in found if hit is not None and at_begin)
    p90 = errors[int(0.9 * len(errors))] if errors else None
    told = {"sentences": len(said), "found": len(right), "timed": len(errors), "p90_s": p90}
    print(json.dumps(told | {"p50_s": statistics.median(errors)}), file=sys.stderr)
    missed = [one.sentence.text for one, (hit, _) in found if hit is None]
    assert len(right) >= FOUND_SHARE * len(said), missed
    assert len(errors) >= TIMED_SHARE * len(said), told
    assert all((hit["speaker"], hit["call_id"]) == (one.speaker, one.call_id) for one, hit in right)
    assert statistics.median(errors) <= MEDIAN_SECONDS, errors


async def _let_reps_talk(floor: FloorLab, voice: Voice, calls: int) -> Mapping[str, float]:
    """Let each rep begin to speak as soon as he has somebody; return by call at which second of the day he did."""
    spoke: dict[str, float] = {}
    while len(spoke) < calls:
        for login, agent in (await floor.agents()).items():
            call_id = agent["call_id"]
            if agent["state"] == "on_call" and call_id and call_id not in spoke:
                floor.phone(login).speak(voice.sound)
                spoke[call_id] = time.time()
            if agent["state"] == "wrap_up" and call_id:
                await floor.daemon.put(f"calls/{call_id}/disposition", {"disposition": "sale"})
        await asyncio.sleep(0.02)
    return spoke


def _sentences(
    call: Mapping[str, Any], customer: Voice, rep: Voice, spoke: Mapping[str, float]
) -> Sequence[Said]:
    """Return when each sentence is heard in a call's recording, which begins with the answer."""
    answered = datetime.fromisoformat(call["answered_at"]).timestamp()
    begins = {"customer": (customer, 0.0), "agent": (rep, spoke[call["id"]] - answered)}
    return [
        Said(call_id=call["id"], speaker=speaker, at=begin + one.at, sentence=one)
        for speaker, (voice, begin) in begins.items()
        for one in voice.sentences
    ]


async def _transcribed(floor: FloorLab, call_ids: Sequence[str]) -> None:
    async def standing() -> Mapping[str, Any]:
        return await floor.daemon.get("transcription")

    def is_done(told: Mapping[str, Any]) -> bool:
        return not told["waiting"] and not told["running"] and told["done_last_hour"] >= len(call_ids)

    told = await until(standing, is_done, "all is transcribed", within=TRANSCRIBED_WITHIN)
    assert not told["dead"], told["dead_letters"]


async def _hit(floor: FloorLab, one: Said) -> tuple[Mapping[str, Any] | None, bool]:
    """Return what the search finds for three words of a sentence, and whether they are its first ones."""
    for number, phrase in enumerate(one.sentence.phrases):
        found = await floor.daemon.get("search", q=f'"{phrase}"', call=one.call_id)
        if found["hits"]:
            return min(found["hits"], key=lambda hit: abs(hit["at"] - one.at)), number == 0
    return None, False
