"""Agents: who there is, and what they ask for."""

from collections.abc import Awaitable
from typing import Final, Literal

from aiohttp import web
from pydantic import Field

from cti.errors import BadInput
from cti.model.access import Role
from cti.model.agents import UNSET, Agent
from cti.model.dictionaries import DictionaryKind
from cti.model.vocabulary import agent_record
from cti.web.api.ownership import logins, shared_record
from cti.web.auth import caller, leader, may_act_for
from cti.web.bodies import Body, Line, Word, body_of
from cti.web.deps import Deps, agent_called, campaign_called, deps

routes: Final = web.RouteTableDef()


class NewAgent(Body):
    """`POST /agents`."""

    login: Word
    name: Line
    endpoint: Word
    node: Word | None = None
    campaigns: tuple[str | int, ...] = Field((), strict=False)


class Campaigns(Body):
    """`PUT /agents/{login}/campaigns`."""

    campaigns: tuple[str | int, ...] = Field(strict=False)


class Settings(Body):
    """`PATCH /agents/{login}`. What is not given stays."""

    skills: tuple[Line, ...] | None = Field(None, max_length=100, strict=False)
    weight: float | None = Field(None, ge=0, le=1000, strict=False)
    max_owned: int | None = Field(None, ge=0)
    left: Literal[False] | None = None


class Leave(Body):
    """`POST /agents/{login}/leave`."""

    to: tuple[Word, ...] = Field((), max_length=1000, strict=False)
    reason: Line = "left"
    dry_run: bool = False


class LogIn(Body):
    """`POST /agents/{login}/login`."""

    ready: bool = True


class Pause(Body):
    """`POST /agents/{login}/pause`."""

    reason: Line = "pause"


@routes.get("/agents")
async def list_agents(request: web.Request) -> web.Response:
    """All agents as they are now; an agent sees himself alone."""
    grant = caller(request)
    agents = deps(request).agents.agents()
    seen = [agent for agent in agents if grant.role is not Role.AGENT or agent.login == grant.agent]
    return web.json_response({"agents": [agent_record(agent) for agent in seen]})


@routes.post("/agents")
async def add_agent(request: web.Request) -> web.Response:
    """Make an agent: `login`, `name`, `endpoint` (his PJSIP endpoint), `node`, `campaigns` (ids or names)."""
    leader(request)
    parts, new = deps(request), await body_of(request, NewAgent)
    agent = await parts.agents.add(
        login=new.login,
        name=new.name,
        endpoint=new.endpoint,
        node=node_named(parts, new.node),
        campaign_ids=await _campaign_ids(parts, new.campaigns),
    )
    return web.json_response(agent_record(agent), status=201)


@routes.get("/agents/{login}")
async def get_agent(request: web.Request) -> web.Response:
    """One agent as he is now."""
    login = request.match_info["login"]
    may_act_for(request, login)
    return web.json_response(agent_record(agent_called(deps(request), login)))


@routes.patch("/agents/{login}")
async def configure_agent(request: web.Request) -> web.Response:
    """Set `skills` (words that contacts may ask for), `weight` (his share when contacts are given out; 0: none),
    `max_owned` (null: no cap of his own). `left: false`: he works here again."""
    leader(request)
    login, wanted = request.match_info["login"], await body_of(request, Settings)
    desk = deps(request).agents
    if wanted.left is False:
        await desk.come_back(login)
    return await _answer(
        desk.configure(
            login,
            skills=wanted.skills,
            weight=wanted.weight,
            max_owned=wanted.max_owned if "max_owned" in wanted.model_fields_set else UNSET,
        )
    )


@routes.post("/agents/{login}/leave")
async def leave(request: web.Request) -> web.Response:
    """He works here no more: his contacts go to the agents in `to`, by their weights, else to the pool.

    What those may not take (caps) goes to the pool, too. `dry_run`: told and not done. Again: goes on where it stopped.
    """
    grant = leader(request)
    parts, wanted, login = deps(request), await body_of(request, Leave), request.match_info["login"]
    parts.distributor.receivers(login, wanted.to)
    if not wanted.dry_run:
        await parts.agents.leave(login)
    shared = await parts.distributor.hand_over(
        login, to=wanted.to, by=grant.name, reason=wanted.reason, dry_run=wanted.dry_run
    )
    return web.json_response(shared_record(shared, logins(parts), dry_run=wanted.dry_run))


@routes.put("/agents/{login}/campaigns")
async def assign_agent(request: web.Request) -> web.Response:
    """Set the campaigns he works on: `campaigns` (ids or names)."""
    leader(request)
    parts, wanted = deps(request), await body_of(request, Campaigns)
    campaign_ids = await _campaign_ids(parts, wanted.campaigns)
    return await _answer(parts.agents.assign(request.match_info["login"], campaign_ids))


@routes.post("/agents/{login}/login")
async def log_in(request: web.Request) -> web.Response:
    """Call his phone and keep the leg; answers when it is up. `ready` (true): offer him calls at once."""
    login = request.match_info["login"]
    may_act_for(request, login)
    wanted = await body_of(request, LogIn)
    return await _answer(deps(request).agents.login(login, ready=wanted.ready))


@routes.post("/agents/{login}/logout")
async def log_out(request: web.Request) -> web.Response:
    """Let his leg go; a conflict while he is on a call."""
    login = request.match_info["login"]
    may_act_for(request, login)
    return await _answer(deps(request).agents.logout(login))


@routes.post("/agents/{login}/ready")
async def make_ready(request: web.Request) -> web.Response:
    """Offer him calls; ends wrap-up and pause."""
    login = request.match_info["login"]
    may_act_for(request, login)
    return await _answer(deps(request).agents.ready(login))


@routes.post("/agents/{login}/pause")
async def pause(request: web.Request) -> web.Response:
    """No more calls, with a `reason` of the dictionary `pause_codes`; on a call it holds from its end."""
    login = request.match_info["login"]
    may_act_for(request, login)
    parts, wanted = deps(request), await body_of(request, Pause)
    campaigns = agent_called(parts, login).campaign_ids
    parts.dictionaries.must_be_usable(DictionaryKind.PAUSE_CODES, wanted.reason, campaigns)
    return await _answer(parts.agents.pause(login, wanted.reason))


@routes.post("/agents/{login}/hangup")
async def hang_up(request: web.Request) -> web.Response:
    """End the customer's leg of his present call; a conflict when he has none."""
    login = request.match_info["login"]
    may_act_for(request, login)
    return await _answer(deps(request).agents.hang_up(login))


def node_named(parts: Deps, name: str | None) -> str:
    """Return the node; None means the only one. Raises BadInput naming what there is."""
    if name is None and len(parts.templates) == 1:
        return next(iter(parts.templates))
    if name is None or name not in parts.templates:
        raise BadInput(f"node: name one of {', '.join(parts.templates) or '(none is set)'}")
    return name


async def _campaign_ids(parts: Deps, names: tuple[str | int, ...]) -> list[int]:
    return [(await campaign_called(parts, str(name))).id for name in names]


async def _answer(asked: Awaitable[Agent]) -> web.Response:
    return web.json_response(agent_record(await asked))
