"""The call that a path names, for who may see it."""

from aiohttp import web

from cti.errors import NotFound
from cti.model.access import Role
from cti.model.queries import CallFilter, CallRow
from cti.web.auth import Forbidden, caller
from cti.web.deps import agent_called, deps


async def visible_call(request: web.Request) -> CallRow:
    """Return the call of the path. Raises NotFound, and Forbidden when an agent asks for another's call."""
    grant, call_id, parts = caller(request), request.match_info["id"], deps(request)
    # The newest call before the smallest text that is greater than this id.
    rows = await parts.facts.call_rows(CallFilter(before_id=call_id + "0", limit=1))
    if not rows or rows[0].call.id != call_id:
        raise NotFound(f"there is no call {call_id}")
    if grant.role is Role.AGENT:
        agent_id = agent_called(parts, grant.agent or "").id
        call = rows[0].call
        if agent_id not in {call.agent_id, *(join.agent_id for join in call.joins)}:
            raise Forbidden("an agent may only see his own calls")
    return rows[0]
