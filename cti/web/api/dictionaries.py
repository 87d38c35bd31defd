"""Dictionaries: the codes that people choose from."""

from typing import Annotated, Final

from aiohttp import web
from pydantic import Field, StringConstraints

from cti.errors import NotFound
from cti.model.dictionaries import INSTALLATION, DictionaryEntry, DictionaryKind, Meaning, entry_record
from cti.web.auth import caller, leader
from cti.web.bodies import Body, Line, Query, body_of, query_of
from cti.web.deps import Deps, campaign_called, deps

routes: Final = web.RouteTableDef()

Code = Annotated[Line, StringConstraints(max_length=64, pattern=r"^[^/]+$")]
Labels = dict[
    Annotated[str, StringConstraints(max_length=20)], Annotated[Line, StringConstraints(max_length=100)]
]


class DictionaryQuery(Query):
    """`GET /dictionaries/{kind}`: of a campaign, or the installation's."""

    campaign: str | None = None
    retired: bool = True


class CampaignQuery(Query):
    """`PATCH /dictionaries/{kind}/{code}`: whose entry is meant."""

    campaign: str | None = None


class NewCode(Body):
    """`POST /dictionaries/{kind}`."""

    code: Code
    labels: Labels = Field(default_factory=dict, max_length=20)
    meanings: list[Meaning] = Field(default_factory=list)
    position: int = Field(0, ge=-10_000, le=10_000)
    campaign: str | int | None = None


class CodePatch(Body):
    """`PATCH /dictionaries/{kind}/{code}`: what is given; the code itself stays for ever."""

    labels: Labels | None = Field(None, max_length=20)
    meanings: list[Meaning] | None = None
    position: int | None = Field(None, ge=-10_000, le=10_000)
    retired: bool | None = None


@routes.get("/dictionaries/{kind}")
async def get_dictionary(request: web.Request) -> web.Response:
    """What holds in a `campaign` (its entries go before the installation's), or in the installation.

    `kind`: `dispositions`, `pause_codes`, `stages`, `tags`, `skip_reasons`.
    """
    caller(request)
    kind, wanted = _kind(request), query_of(request, DictionaryQuery)
    campaign_id = await _campaign_id(deps(request), wanted.campaign)
    held = deps(request).dictionaries.dictionary(kind, [campaign_id] if campaign_id else [])
    told = [entry_record(one) for one in held.values() if wanted.retired or one.retired_at is None]
    return web.json_response({"kind": kind, "entries": told})


@routes.post("/dictionaries/{kind}")
async def add_code(request: web.Request) -> web.Response:
    """Add a code, for the installation or for one `campaign`."""
    leader(request)
    kind, new = _kind(request), await body_of(request, NewCode)
    entry = DictionaryEntry(
        kind=kind,
        code=new.code,
        campaign_id=await _campaign_id(deps(request), new.campaign),
        labels=new.labels,
        meanings=frozenset(new.meanings),
        position=new.position,
    )
    return web.json_response(entry_record(await deps(request).dictionaries.add(entry)), status=201)


@routes.patch("/dictionaries/{kind}/{code}")
async def change_code(request: web.Request) -> web.Response:
    """Rename a code's labels, give it other meanings, move it, retire it or take that back."""
    leader(request)
    kind, wanted = _kind(request), query_of(request, CampaignQuery)
    given = await body_of(request, CodePatch)
    entry = await deps(request).dictionaries.change(
        kind,
        request.match_info["code"],
        await _campaign_id(deps(request), wanted.campaign),
        labels=given.labels,
        meanings=given.meanings,
        position=given.position,
        retired=given.retired,
    )
    return web.json_response(entry_record(entry))


def _kind(request: web.Request) -> DictionaryKind:
    try:
        return DictionaryKind(request.match_info["kind"])
    except ValueError:
        known = ", ".join(DictionaryKind)
        raise NotFound(f"there is no such dictionary; there are: {known}") from None


async def _campaign_id(parts: Deps, name: str | int | None) -> int:
    return INSTALLATION if name is None else (await campaign_called(parts, str(name))).id
