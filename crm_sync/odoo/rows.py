"""A call as rows of Odoo: of OCA's crm.phonecall, or as a done activity in a record's chatter. Pure.

The mapping names fields of crm.phonecall in both ways, so that one file serves both; the chatter shows `name` and
`description`, as text.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from typing import Any, Final

from crm_sync.fingerprint import DEAL as ON_DEAL
from crm_sync.fingerprint import HOME, USER
from crm_sync.odoo.load import EMPTY
from crm_sync.odoo.tables import LEAD, PARTNER
from crm_sync.port import CallWrite
from cti.errors import BadInput
from cti.model.crm import CallLog, RecordRef

PHONECALL: Final = "crm.phonecall"
MESSAGE: Final = "mail.message"
MODULE: Final = "cti"
"""Before the point of our external ids."""
CALL: Final = "call_"
DEAL: Final = "deal_"
FOLLOW_UP: Final = "follow_"
SHOWN: Final = frozenset({"name", "description"})
"""Fields of crm.phonecall that the chatter shows."""
UNSHOWN: Final = frozenset({"date", "direction", "duration", "state", "partner_phone", "tag_ids", "priority"})
"""Fields that may stand in a mapping for both ways, and say nothing in the chatter."""

_ID: Final = re.compile(r"[1-9][0-9]{0,17}")
_MODEL: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
_CALL_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
_LINK: Final = re.compile(r"https?://[^\s<>\"'`{}|\\^]+")
_TIMES: Final = frozenset({"datetime"})
_ONE: Final = "many2one"
_MANY: Final = frozenset({"many2many", "one2many"})
TAGS: Final = "tag_ids"
LINKS: Final = {LEAD: "opportunity_id/.id", PARTNER: "partner_id/.id"}
"""Columns of the records that a call stands on."""


def external_id(prefix: str, key: str) -> str:
    """Return our external id. Raises BadInput for a key that cannot stand in one."""
    if not _CALL_ID.fullmatch(key):
        raise BadInput(f"{key!r} is no id of a call")
    return f"{MODULE}.{prefix}{key}"


def call_id_of(external: str) -> str | None:
    """Return the call that an external id is of, None when it is none of ours."""
    start = f"{MODULE}.{CALL}"
    return external.removeprefix(start) if external.startswith(start) else None


def record_id(ref: RecordRef) -> int:
    """Return the id of a record in the database. Raises BadInput when it is none."""
    if not _ID.fullmatch(ref.id):
        raise BadInput(f"{ref}: {ref.id!r} is no id of Odoo's; expected is a number")
    return int(ref.id)


def model_of(ref: RecordRef) -> str:
    """Return a record's model; without one it is a lead. Raises BadInput when it cannot be one."""
    model = ref.kind or LEAD
    if not _MODEL.fullmatch(model):
        raise BadInput(f"{ref}: {model!r} is no model of Odoo's, for example {LEAD} or {PARTNER}")
    return model


def odoo_time(at: datetime) -> str:
    """Return a time as Odoo writes it: UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def time_of(text: Any) -> datetime | None:
    """Return a time that Odoo wrote, None when it is none."""
    try:
        return datetime.strptime(str(text)[:19], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def deal_apart(write: CallWrite) -> RecordRef | None:
    """Return the deal when the call's own row cannot stand on it too: it stands on one lead, and this is another.

    A lead that became an opportunity keeps its id, so mostly the two are one.
    """
    deal, home = write.deal, write.home
    if deal is None or home is None:
        return None
    lead, other = RecordRef(model_of(deal), deal.id), RecordRef(model_of(home), home.id)
    return lead if other.kind == LEAD and lead != other else None


def phonecall_row(
    write: CallWrite, *, types: Mapping[str, str], user_id: int | None, tags: Mapping[str, int]
) -> dict[str, str]:
    """Return the row of crm.phonecall: of one that is there the columns alone that are ours to change.

    `types`: its fields and their types. `tags`: ids by name. Raises BadInput naming a field or reference that is wrong.
    """
    log = write.log
    if unknown := [name for name in write.fields if name not in types]:
        raise BadInput(f"{PHONECALL} has no field {unknown[0]!r}")
    cells = {"id": external_id(CALL, log.call_id)}
    fields = {**_usual(log), **write.fields}
    if write.remote is not None:
        cells = {".id": str(record_id(write.remote))}  # by its own id a row that is gone does not come back
        if write.leave:
            fields = dict(write.sent())
    if fields.get("state"):
        # its write works a duration out anew whenever a state is set and none is given
        fields = {"duration": write.fields.get("duration", round(log.talk_seconds / 60, 2)), **fields}
    for name, value in fields.items():
        column, text = _cell(name, types[name], value, tags)
        cells[column] = text
    if user_id is not None and USER not in write.leave:
        cells["user_id/.id"] = str(user_id)
    return cells | _links(write)


def _usual(log: CallLog) -> dict[str, Any]:
    """Return what Odoo asks for when the mapping says nothing of it."""
    return {
        "name": f"Call to {log.contact or log.number}",
        "direction": "in" if log.direction == "inbound" else "out",
        "date": odoo_time(log.placed_at),
        "state": "done",
    }


def _links(write: CallWrite) -> dict[str, str]:
    """Return the columns of the records it stands on."""
    cells: dict[str, str] = {}
    left: dict[str, bool] = {}
    # the home last: of two leads it has the row
    for part, ref in ((ON_DEAL, write.deal), (HOME, write.home)):
        if ref is None:
            continue
        column = LINKS.get(model_of(ref))
        if column is None:
            raise BadInput(
                f"{ref}: a call cannot stand on {model_of(ref)} in {PHONECALL}; on {LEAD} and {PARTNER} it can"
            )
        cells[column], left[column] = str(record_id(ref)), part in write.leave
    return {column: text for column, text in cells.items() if not left[column]}


def without_links(cells: Mapping[str, str]) -> dict[str, str]:
    """Return the row without the records it stands on."""
    return {name: text for name, text in cells.items() if name not in LINKS.values()}


def _cell(name: str, kind: str, value: Any, tags: Mapping[str, int]) -> tuple[str, str]:
    if name == TAGS:
        return f"{name}/.id", ",".join(str(tags[one]) for one in tag_names(value))
    if kind in _MANY:
        raise BadInput(f"{name} holds many records; of such fields only {TAGS} can be written")
    if kind == _ONE and _ID.fullmatch(str(value)):
        return f"{name}/.id", str(value)
    return name, _text(value, kind)


def tag_names(value: Any) -> list[str]:
    """Return the tags that a field's value names: a text, several parted by commas."""
    return [one.strip() for one in str(value or "").split(",") if one.strip()]


def _text(value: Any, kind: str) -> str:
    """Return a value as `load` reads it: texts alone, nothing else."""
    if value is None or value == "":
        return EMPTY
    if isinstance(value, bool):
        return str(value)
    text = str(value).replace("\x00", "")
    if kind in _TIMES and (at := _iso(text)):
        return odoo_time(at)
    return text


def _iso(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def message_row(write: CallWrite, *, author_id: int | None, activity_type: str) -> dict[str, str]:
    """Return the row of mail.message: a done activity of the record, for eyes inside the house only.

    Raises BadInput without a record, for a field that has no place there, for a reference that is wrong.
    """
    log = write.log
    known = SHOWN | UNSHOWN
    if unknown := sorted(set(write.fields) - known):
        raise BadInput(
            f"a call in the chatter has no field {unknown[0]!r}; there are: {', '.join(sorted(known))}"
        )
    fields = {**_usual(log), **write.fields}
    body = call_body(str(fields["name"] or ""), str(fields.get("description") or ""))
    if write.remote is not None:
        return {".id": str(record_id(write.remote)), "body": body}
    if write.home is None:
        raise BadInput("the call has no record in this CRM, and without crm.phonecall it needs one")
    row = {
        "id": external_id(CALL, log.call_id),
        "date": odoo_time(log.placed_at),
        "subtype_id/id": "mail.mt_activities",
        "mail_activity_type_id/id": activity_type,
        **_on(write.home, body),
    }
    return row | ({"author_id/.id": str(author_id)} if author_id is not None else {})


def deal_row(write: CallWrite, deal: RecordRef) -> dict[str, str]:
    """Return the row of mail.message that tells a deal of a call which stands on another record.

    It is a note and no activity: Odoo's figures count the call where it stands.
    """
    name = str(write.fields.get("name") or _usual(write.log)["name"])
    home = write.home
    link = ""
    if home is not None:
        href = f"/mail/view?model={model_of(home)}&res_id={record_id(home)}"
        link = f'<p><a href="{escape(href)}">{escape(str(home))}</a></p>'
    return {
        "id": external_id(DEAL, write.log.call_id),
        "date": odoo_time(write.log.placed_at),
        "subtype_id/id": "mail.mt_note",
        **_on(deal, call_body(name, "") + link),
    }


def _on(ref: RecordRef, body: str) -> dict[str, str]:
    return {
        "model": model_of(ref),
        "res_id": str(record_id(ref)),
        "message_type": "notification",
        "is_internal": "True",
        "body": body,
    }


def call_body(name: str, description: str) -> str:
    """Return the HTML of a call. What comes from outside is text; addresses of pages become links."""
    parts = [f"<p><b>{html(name)}</b></p>"] if name else []
    parts += [f"<p>{html(block)}</p>" for block in re.split(r"\n{2,}", description.strip()) if block]
    return "".join(parts)


def html(text: str) -> str:
    """Return text as HTML, line by line."""
    parts: list[str] = []
    last = 0
    clean = "".join(one for one in text.replace("\r\n", "\n") if one.isprintable() or one in "\n\t")
    for found in _LINK.finditer(clean):
        parts.append(escape(clean[last : found.start()]))
        address = found.group().rstrip(".,;:!?)")
        last = found.start() + len(address)
        parts.append(f'<a href="{escape(address)}">{escape(address)}</a>')
    parts.append(escape(clean[last:]))
    return "".join(parts).replace("\n", "<br>")
