"""Who we are in an Odoo, and what will go wrong there later. Writes nothing."""

from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Any, Final

from crm_sync.odoo.rows import MESSAGE, PHONECALL, time_of
from crm_sync.odoo.tables import LEAD, OdooTable
from crm_sync.odoo.transport import Transport
from crm_sync.port import Checked, CrmError
from cti.model.crm import Answer

WARN_BEFORE: Final = timedelta(days=14)
"""Before the end of a key. Odoo gives keys of ordinary users three months at most."""
ALL_LEADS: Final = "sales_team.group_sale_salesman_all_leads"
_SETTLED: Final = ["installed", "uninstalled", "uninstallable"]


async def checked(odoo: Transport, table: OdooTable, *, way: str, now: datetime) -> Checked:
    """Ask. Raises CrmError when we are not let in."""
    uid = await odoo.uid()
    rows = await odoo.call("res.users", "read", ids=[uid], fields=["name", "login", "tz"])
    who = f"{rows[0]['name']} ({rows[0]['login']})" if rows else f"user {uid}"
    warnings = [
        *await _rights(odoo, uid, way),
        *await _keys(odoo, now),
        *await _modules(odoo),
    ]
    if way == MESSAGE and table.log == "auto":
        warnings.append(f"no {PHONECALL} there (OCA's crm_phonecall): calls stand in the records' chatter")
    if rows and not rows[0]["tz"]:
        warnings.append("the bot has no time zone: days of activities are taken for days in UTC")
    return Checked(who=who, version=await odoo.version(), warnings=warnings)


async def _rights(odoo: Transport, uid: int, way: str) -> list[str]:
    """Ask by the oldest of the ways, which all versions know."""
    warnings = []
    for model, right in ((LEAD, "write"), *(((PHONECALL, "create"),) if way == PHONECALL else ())):
        asked = odoo.call(model, "check_access_rights", operation=right, raise_exception=False)
        if await _or_none(asked) is False:
            warnings.append(f"it may not {right} {model}: give it the right Sales / User: All Documents")
    if not await _in_group(odoo, uid, ALL_LEADS):
        warnings.append(
            "it may not see the leads of others (Sales / User: All Documents), so calls of theirs are refused"
        )
    return warnings


async def _in_group(odoo: Transport, uid: int, group: str) -> bool:
    """Ask as Odoo 18 and later want it, then as those before did; of what none answers nothing is said."""
    said = await _or_none(odoo.call("res.users", "has_group", ids=[uid], group_ext_id=group))
    if said is None:
        said = await _or_none(odoo.call("res.users", "has_group", group_ext_id=group))
    return said is not False


async def _keys(odoo: Transport, now: datetime) -> list[str]:
    """Which of the bot's keys is in use cannot be asked; so all count."""
    asked = odoo.call("res.users.apikeys", "search_read", domain=[], fields=["name", "expiration_date"])
    rows = await _or_none(asked) or []
    ends = sorted((at, row["name"]) for row in rows if (at := time_of(row.get("expiration_date"))))
    return [
        f"the API key {name!r} runs out on {at:%Y-%m-%d}: make a new one and put it into the settings"
        for at, name in ends
        if at - now < WARN_BEFORE
    ]


async def _modules(odoo: Transport) -> list[str]:
    """Modules that wait to be installed make Odoo read all of them anew on every request."""
    asked = odoo.call(
        "ir.module.module",
        "search_read",
        domain=[["state", "not in", _SETTLED]],
        fields=["name", "state"],
        limit=5,
    )
    rows = await _or_none(asked) or []
    if not rows:
        return []
    names = ", ".join(f"{row['name']} ({row['state']})" for row in rows)
    return [f"modules are neither installed nor not, which makes every request slow: {names}"]


async def _or_none(asked: Awaitable[Any]) -> Any:
    """Return an answer, None when it was refused: versions and rights differ, and a check is no reason to fail."""
    try:
        return await asked
    except CrmError as error:
        if error.answer in (Answer.PERMANENT, Answer.RETRY, Answer.DELETED):
            return None
        raise
