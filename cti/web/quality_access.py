"""Who sees what of quality: an agent his own calls; leads, admins and reviewers all."""

from aiohttp import web

from cti.model.access import Role
from cti.web.auth import Forbidden, caller
from cti.web.deps import Deps, agent_called, campaign_called, deps


def own_agent(request: web.Request) -> int | None:
    """Return the id of the agent who asks, None for those who see all. Raises Unauthorized, Forbidden."""
    grant = caller(request)
    return agent_called(deps(request), grant.agent or "").id if grant.role is Role.AGENT else None


def agent_asked(request: web.Request, login: str | None) -> int | None:
    """Return the agent whose calls are asked for, None: everybody's. Raises Forbidden for an agent and another's."""
    grant = caller(request)
    if grant.role is Role.AGENT:
        if login not in (None, grant.agent):
            raise Forbidden("an agent may only see his own calls")
        login = grant.agent
    return agent_called(deps(request), login).id if login else None


async def campaign_id_asked(parts: Deps, name: str | int | None) -> int | None:
    """Return the campaign of this id or name, None for none. Raises NotFound."""
    return None if name is None else (await campaign_called(parts, str(name))).id
