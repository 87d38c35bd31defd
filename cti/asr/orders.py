"""Work of transcription as it travels: its payload, and the row itself between processes. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cti.errors import BadInput, GiveUp
from cti.model.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One recording to be transcribed."""

    call_id: str
    language: str = ""
    """Empty: the first model's."""
    model: str = ""
    """Name of a model profile; empty: the language's first one."""


def order_of(work: Work) -> Order:
    """Read the payload: `call_id, language, model`. Raises GiveUp."""
    call_id = work.payload.get("call_id")
    if not isinstance(call_id, str) or not call_id:
        raise GiveUp(f"the order to transcribe names no call: {dict(work.payload)!r:.200}")
    wish = {key: work.payload.get(key, "") for key in ("language", "model")}
    if wrong := [key for key, value in wish.items() if not isinstance(value, str)]:
        raise GiveUp(f"the order to transcribe call {call_id} is wrong: {wrong[0]} is no text")
    return Order(call_id=call_id, **wish)


def work_record(work: Work) -> dict[str, Any]:
    """Return leased work as JSON values."""
    return {
        "id": work.id,
        "kind": work.kind,
        "key": work.key,
        "version": work.version,
        "payload": dict(work.payload),
        "attempts": work.attempts,
        "lease": work.lease,
        "leased_until": work.leased_until.isoformat(),
        "error": work.error,
    }


def work_of(record: Mapping[str, Any]) -> Work:
    """Read it again. Raises BadInput."""
    try:
        work = Work(**{**record, "leased_until": datetime.fromisoformat(record["leased_until"])})
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"this is no leased work: {error}") from error
    if not (isinstance(work.id, int) and isinstance(work.lease, str) and isinstance(work.payload, dict)):
        raise BadInput("this is no leased work: id, lease or payload has the wrong type")
    return work
