"""BottleCRM's records and ours: calls as interactions, leads and contacts as what can be dialed. Pure."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from crm_sync.mapping import MARK
from crm_sync.port import CallWrite, PulledRecord, RecordRef, Written
from crm_sync.requests import at_path
from cti.errors import BadInput

INTERACTION: Final = "interaction"
TASK: Final = "task"
LEAD: Final = "lead"
CONTACT: Final = "contact"
DEAL: Final = "opportunity"
ACCOUNT: Final = "account"
CASE: Final = "case"
KINDS: Final = (LEAD, CONTACT, ACCOUNT, DEAL, CASE)
"""Records that an interaction can stand on."""
OTHER_NAMES: Final = {"deal": DEAL, "ticket": CASE}
"""As its pages call them."""
FIELDS: Final = frozenset(
    {"direction", "occurred_at", "duration_seconds", "duration_estimated", "outcome", "subject", "body"}
)
"""What may be written of a call. Other fields it would ignore without a word."""
NULLABLE: Final = frozenset({"duration_seconds"})
SUBJECT_LENGTH: Final = 200
BODY_LENGTH: Final = 10_000
CUT: Final = "\n[the rest is cut]"
OVER: Final = {"converted": "won", "closed": "lost"}
"""What a lead's status says of dialing it: the deal took over, or nothing came of it."""

_MARKED: Final = re.compile(r"\s*\[cti:(?P<call_id>[0-9a-f]{32})\]")


def mark_of(call_id: str) -> str:
    """Return how a call is marked in a subject."""
    return MARK.replace("{call_id}", call_id)


def place_of(ref: RecordRef) -> RecordRef:
    """Return the reference as its API writes it. Raises BadInput for another kind, and for an id that is none."""
    kind = ref.kind.lower()
    kind = OTHER_NAMES.get(kind, kind)
    if kind not in KINDS:
        allowed = ", ".join((*KINDS, *OTHER_NAMES))
        raise BadInput(f"{ref}: BottleCRM has no {ref.kind or 'record without a kind'}; there are: {allowed}")
    return RecordRef(kind, uuid_of(ref))


def uuid_of(ref: RecordRef) -> str:
    """Return the id, for a path. Raises BadInput for what is none of BottleCRM's."""
    try:
        return str(UUID(ref.id))
    except ValueError:
        raise BadInput(f"{ref}: {ref.id!r} is no id of BottleCRM; expected is a UUID") from None


def places_of(write: CallWrite, *, log_on: str) -> list[RecordRef]:
    """Return where a call belongs, the record that it is written on first. Raises BadInput when there is none."""
    home = place_of(write.home) if write.home else None
    deal = place_of(write.deal) if write.deal else None
    order = (deal, home) if log_on == "deal" else (home, deal)
    places = [one for one in order if one is not None]
    if not places:
        raise BadInput("BottleCRM takes a call only on a record, and the call has none (crm_ref is empty)")
    return places


def body_of(write: CallWrite) -> dict[str, Any]:
    """Return what is written of a call, without the record. Raises BadInput for a field that is not there."""
    unknown = sorted(write.fields.keys() - FIELDS)
    if unknown:
        raise BadInput(
            f"BottleCRM has no field {unknown[0]!r} of calls; there are: {', '.join(sorted(FIELDS))}"
        )
    log = write.log
    started = log.placed_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    body: dict[str, Any] = {"occurred_at": started, "direction": log.direction} | dict(write.fields)
    for name, value in body.items():
        if value is None and name not in NULLABLE:
            body[name] = ""
        elif isinstance(value, str):
            body[name] = value.replace("\0", "")  # it refuses a text with one
    if isinstance(body.get("duration_seconds"), float):
        body["duration_seconds"] = round(body["duration_seconds"])
    body["subject"] = subject_of(str(body.get("subject", "")), log.call_id)
    body["body"] = cut(str(body.get("body", "")), BODY_LENGTH)
    return body


def subject_of(text: str, call_id: str) -> str:
    """Return a subject that bears the call's mark, whatever the text's length; the mark stands last, once."""
    mark = mark_of(call_id)
    text = " ".join(text.replace(mark, "").split())
    room = SUBJECT_LENGTH - len(mark) - 1
    return f"{text if len(text) <= room else text[: room - 1] + '…'} {mark}".strip()


def cut(text: str, length: int) -> str:
    """Return a text that fits; one that was cut says so."""
    return text if len(text) <= length else text[: length - len(CUT)] + CUT


def ours(row: Any, call_id: str) -> bool:
    """Whether an interaction of its API stands for this call."""
    return (
        at_path(row, "kind") == "call"
        and at_path(row, "origin") == "manual"
        and mark_of(call_id) in str(at_path(row, "subject") or "")
    )


def sorted_out(rows: Sequence[Any]) -> tuple[Any, list[Any]]:
    """Return which of several interactions of one call stays, the oldest, and which are doubles.

    A double was logged by whoever logged the oldest. What another logged is a person's, though it bears our mark.
    """
    first, *others = sorted(rows, key=lambda row: (str(row.get("created_at")), str(row.get("id"))))
    return first, [row for row in others if row.get("logged_by") == first.get("logged_by")]


def written_of(row: Any) -> Written | None:
    """Return an interaction as a call of ours, None when it is none."""
    marked = _MARKED.search(str(at_path(row, "subject") or ""))
    home = at_path(row, "home")
    if marked is None or not ours(row, marked["call_id"]):
        return None
    fields = {name: at_path(row, name) for name in FIELDS}
    fields["subject"] = _MARKED.sub("", fields["subject"])
    if str(fields["body"]).endswith(CUT):
        del fields["body"]  # more was meant than stands there
    home_id = at_path(row, str(home))
    return Written(
        call_id=marked["call_id"],
        remote=RecordRef(INTERACTION, str(at_path(row, "id"))),
        home=RecordRef(str(home), str(home_id)) if home_id else None,
        started_at=moment(at_path(row, "occurred_at")),
        seconds=at_path(row, "duration_seconds"),
        fields=fields,
    )


def record_of(kind: str, row: Any, *, zone: str, day_begins: time) -> PulledRecord:
    """Return a lead or contact as the API gives it. Its numbers: the international one when it worked it out."""
    number = at_path(row, "phone_e164") or at_path(row, "phone")
    account = at_path(row, "account")
    owner = at_path(row, "assigned_to.0.user_details.email")
    over = OVER.get(str(at_path(row, "status"))) if kind == LEAD else None
    if over is None and at_path(row, "is_active") is False:
        over = "archived"
    return PulledRecord(
        ref=RecordRef(kind, str(at_path(row, "id"))),
        name=name_of(row),
        numbers=(str(number),) if number else (),
        owner=str(owner) if owner else None,
        region=at_path(row, "country") or None,
        customer=RecordRef("account", str(account)) if isinstance(account, str) else None,
        stage=at_path(row, "status") or None if kind == LEAD else None,
        do_not_call=at_path(row, "do_not_call") is True,
        over=over,
        next_follow_up_at=moment_of_day(at_path(row, "next_follow_up"), zone=zone, begins=day_begins),
        next_follow_up_on=day_of(at_path(row, "next_follow_up")),
        changed_at=moment(at_path(row, "updated_at")),
        fields=row,
    )


def name_of(row: Any) -> str:
    """Return what a person calls a record."""
    person = " ".join(str(at_path(row, name) or "") for name in ("first_name", "last_name")).strip()
    others = (str(at_path(row, name) or "") for name in ("company_name", "title", "email"))
    return person or next((one for one in others if one), "")


def moment(text: Any) -> datetime | None:
    """Return a time of its API in UTC, None for what is none."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def day_of(text: Any) -> date | None:
    """Return a day of its API, None for what is none."""
    try:
        return datetime.fromisoformat(str(text)).date()
    except ValueError:
        return None


def moment_of_day(text: Any, *, zone: str, begins: time) -> datetime | None:
    """Return when a day's work begins, in UTC, None for what is no day."""
    day = day_of(text)
    return datetime.combine(day, begins, tzinfo=ZoneInfo(zone)).astimezone(UTC) if day else None
