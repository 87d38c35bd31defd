"""A contact's record: what happened with him, and notes. Without a CRM this is what people look at."""

from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import StringConstraints

from cti.contacts.timeline import Moment, timeline
from cti.model.call_record import moment
from cti.model.callbacks import CallbackFilter, CallbackState
from cti.model.contact_rows import contact_record
from cti.model.queries import CallFilter
from cti.web.api.contacts import ID, asking
from cti.web.auth import caller
from cti.web.bodies import Body, Note, body_of
from cti.web.deps import deps

routes: Final = web.RouteTableDef()
CALLS_TOLD: Final = 100


class NewNote(Body):
    """`POST /contacts/{id}/notes`."""

    text: Annotated[Note, StringConstraints(min_length=1)]


@routes.get(f"/contacts/{ID}/record")
async def get_record(request: web.Request) -> web.Response:
    """One contact with tags, owner, next follow-up, and `timeline`: calls, notes, callbacks, changes, newest first.

    The last 100 calls and 50 notes and changes are told.
    """
    caller(request)
    parts, contact_id = deps(request), int(request.match_info["id"])
    whole = await parts.contacts.whole(contact_id, asking(request))
    calls = await parts.facts.call_rows(CallFilter(contact_id=contact_id, limit=CALLS_TOLD))
    callbacks = await parts.callbacks.find(
        CallbackFilter(contact_id=contact_id, states=frozenset(CallbackState))
    )
    told = [_moment(one) for one in timeline(calls, whole.changes, callbacks)]
    return web.json_response(contact_record(whole.contact) | {"timeline": told})


@routes.post(f"/contacts/{ID}/notes")
async def add_note(request: web.Request) -> web.Response:
    """Write a note into a contact's history. Notes are not changed and not taken back."""
    caller(request)
    note = await body_of(request, NewNote)
    contact_id = int(request.match_info["id"])
    await deps(request).contacts.note(contact_id, note.text, asking(request))
    return web.json_response({"contact_id": contact_id, "text": note.text}, status=201)


def _moment(one: Moment) -> dict[str, Any]:
    return {
        "at": moment(one.at),
        "kind": one.kind.value,
        "by": one.by,
        "text": one.text,
        "details": one.details,
    }
