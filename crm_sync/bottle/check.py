"""Asks BottleCRM who we are there and what we may do. Writes nothing: what it asks to write cannot be written."""

from typing import Final

from crm_sync.bottle.asking import BottleAsker, is_shut, lacks_scope
from crm_sync.bottle.records import CONTACT, DEAL, LEAD
from crm_sync.port import Checked, CrmError
from crm_sync.requests import at_path
from cti.model.crm import Answer

NOBODY: Final = "00000000-0000-0000-0000-000000000000"
"""No record has this id: asking to log a call on it fails for the scope, or for the record."""
NEEDED: Final = {LEAD: "calls on leads", CONTACT: "calls on contacts"}
CONVERTED: Final = {"account": "calls of leads that became accounts", DEAL: "calls on deals"}
READ: Final = {
    "/api/leads/?limit=1": "finding and pulling leads",
    "/api/contacts/?limit=1": "finding and pulling contacts",
    "/api/tasks/?slim=true&limit=1": "follow-ups",
}


async def checked(asker: BottleAsker) -> Checked:
    """Return who we are, and what the key lacks. Raises CrmError."""
    warnings = []
    who, role = "the owner of the key", "ADMIN"
    try:
        tree = await asker.ask("GET", "/api/profile/")
    except CrmError as error:
        if not lacks_scope(error):
            raise
        warnings.append(f"who the key belongs to is not told: {error}")
    else:
        who = str(at_path(tree, "user_obj.user_details.email") or who)
        role = str(at_path(tree, "user_obj.role"))
    if role != "ADMIN":
        warnings.append(f"{who} is no administrator there: only records that are assigned to it can be seen")
    for kind, what in (NEEDED | CONVERTED).items():
        if said := await _cannot_log_on(asker, kind):
            warnings.append(f"{what} cannot be written: {said}")
    for path, what in READ.items():
        if said := await _cannot_read(asker, path):
            warnings.append(f"no {what}: {said}")
    return Checked(who=who, warnings=tuple(warnings))


async def _cannot_log_on(asker: BottleAsker, kind: str) -> str | None:
    try:
        await asker.ask("POST", "/api/interactions/", body={"kind": "call", kind: NOBODY})
    except CrmError as error:
        if error.answer is Answer.DELETED:
            return None
        return _scope(error)
    return None


async def _cannot_read(asker: BottleAsker, path: str) -> str | None:
    try:
        await asker.ask("GET", path)
    except CrmError as error:
        return _scope(error)
    return None


def _scope(error: CrmError) -> str:
    """Return what it said of the key's scopes or of a module; raises anything else."""
    if is_shut(error):
        return str(error)
    raise error
