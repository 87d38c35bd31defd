"""Brings an interaction of BottleCRM up to date, and leaves what a person did to it."""

from collections.abc import Mapping
from typing import Any

from crm_sync.bottle.asking import BottleAsker
from crm_sync.bottle.records import SUBJECT_LENGTH, uuid_of, written_of
from crm_sync.fingerprint import changed_there
from crm_sync.port import CallWrite
from crm_sync.requests import at_path
from cti.model.crm import RecordRef


async def update(
    asker: BottleAsker, remote: RecordRef, write: CallWrite, body: Mapping[str, Any]
) -> tuple[frozenset[str], int]:
    """Send what is ours to change of this body; return what a person changed there, and how many requests were looks.

    One interaction cannot be asked for by itself. A change answers with all of it, also one of nothing: so what
    nobody can have changed is sent first. Raises CrmError.
    """
    path = f"/api/interactions/{uuid_of(remote)}/"
    sent = {name: value for name, value in body.items() if not write.leave or name in write.sent()}
    doubtful = {name: value for name, value in sent.items() if name in write.last}
    sure = {name: value for name, value in sent.items() if name not in doubtful}
    row = await asker.ask("PATCH", path, body=sure)
    if not doubtful:
        return frozenset(), 0
    left = changed_there(write, texts_of(row, subject=str(write.fields.get("subject") or "")))
    if rest := {name: value for name, value in doubtful.items() if name not in left}:
        await asker.ask("PATCH", path, body=rest)
    return left, 1


def texts_of(row: Any, *, subject: str = "") -> Mapping[str, Any]:
    """Return the fields of an interaction that can be held against what was written: not those that were cut, nor a
    subject of ours that goes into one line first."""
    one = written_of(row)
    if one is None:  # a person took the mark out of the subject
        return {name: at_path(row, name) for name in ("subject", "body")}
    whole = len(str(at_path(row, "subject"))) < SUBJECT_LENGTH and subject == " ".join(subject.split())
    return {name: value for name, value in one.fields.items() if whole or name != "subject"}
