"""Keyword rules and rescans."""

from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import AwareDatetime, Field, StringConstraints

from cti.errors import BadInput, NotFound
from cti.model.judgements import rescan_record
from cti.model.keyword_rules import rule_version_record, verdict_record
from cti.quality.reading import rule_of
from cti.web.auth import caller, leader, reviewer
from cti.web.bodies import Body, body_of
from cti.web.deps import Deps, deps
from cti.web.quality_access import campaign_id_asked

routes: Final = web.RouteTableDef()

CallId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
MOST_TRIED: Final = 100


class Rules(Body):
    """`PUT /quality/rules`: rules as in `PUT /quality/rules/{code}`, each with its `code`."""

    rules: list[dict[str, Any]] = Field(min_length=1, max_length=1000)


class Rule(Body):
    """`PUT /quality/rules/{code}`: `kind`, `phrases` and what else a rule has; see the how-to page."""

    rule: dict[str, Any]


class Retire(Body):
    """`POST .../retire`: `back` takes it into use again."""

    back: bool = False


class Try(Body):
    """`POST /quality/rules/try`: a rule, and the calls it is held against."""

    rule: dict[str, Any]
    calls: list[CallId] = Field(min_length=1, max_length=MOST_TRIED)


class NewRescan(Body):
    """`POST /quality/rescans`: of which calls; without anything all that have a transcript."""

    campaign: str | int | None = None
    since: AwareDatetime | None = None


@routes.get("/quality/rules")
async def list_rules(request: web.Request) -> web.Response:
    """The newest version of every keyword rule, and the `revision` of the rulebook."""
    caller(request)
    rules = deps(request).quality.rules
    return web.json_response(
        {
            "revision": rules.book().revision,
            "rules": [rule_version_record(one) for one in rules.rules()],
        }
    )


@routes.put("/quality/rules")
async def put_rules(request: web.Request) -> web.Response:
    """Write rules: all of them or none. `changed`: the versions made; a rule that is as before makes none."""
    grant, parts = leader(request), deps(request)
    given = (await body_of(request, Rules)).rules
    rules = [
        rule_of(await with_campaigns(parts, one, f"rules.{place}"), where=f"rules.{place}")
        for place, one in enumerate(given)
    ]
    made = await parts.quality.rules.put(rules, by=grant.name)
    return web.json_response({"changed": [rule_version_record(one) for one in made]})


@routes.post("/quality/rules/try")
async def try_rule(request: web.Request) -> web.Response:
    """Hold a rule against calls and keep nothing. `verdict` is null where a call has no transcript."""
    reviewer(request)
    parts, wanted = deps(request), await body_of(request, Try)
    rule = rule_of(await with_campaigns(parts, {"code": "try", **wanted.rule}, "rule"), where="rule")
    tried = await parts.quality.rules.try_out(rule, wanted.calls)
    return web.json_response(
        {
            "calls": [
                {"call_id": call_id, "verdict": verdict_record(verdict) if verdict else None}
                for call_id, verdict in tried
            ]
        }
    )


@routes.get("/quality/rules/{code}")
async def get_rule(request: web.Request) -> web.Response:
    """All versions of a rule, the newest first."""
    caller(request)
    history = deps(request).quality.rules.history(request.match_info["code"])
    return web.json_response({"versions": [rule_version_record(one) for one in history]})


@routes.put("/quality/rules/{code}")
async def put_rule(request: web.Request) -> web.Response:
    """Write a rule: a new one, or a new version."""
    grant, parts = leader(request), deps(request)
    code, wanted = request.match_info["code"], await body_of(request, Rule)
    if wanted.rule.get("code", code) != code:
        raise BadInput(f"rule.code: is {code!r} in the address; leave it out, or write the same")
    given = await with_campaigns(parts, {**wanted.rule, "code": code}, "rule")
    await parts.quality.rules.put([rule_of(given, where="rule")], by=grant.name)
    return web.json_response(rule_version_record(parts.quality.rules.history(code)[0]))


@routes.post("/quality/rules/{code}/retire")
async def retire_rule(request: web.Request) -> web.Response:
    """Take a rule out of use, or back into it; old verdicts stay until a rescan."""
    grant, wanted = leader(request), await body_of(request, Retire)
    one = await deps(request).quality.rules.retire(
        request.match_info["code"], back=wanted.back, by=grant.name
    )
    return web.json_response(rule_version_record(one))


@routes.post("/quality/rescans")
async def begin_rescan(request: web.Request) -> web.Response:
    """Judge calls anew by the rules as they are now. It goes on by itself; one at a time."""
    grant, parts = leader(request), deps(request)
    wanted = await body_of(request, NewRescan)
    rescan = await parts.quality.rescans.begin(
        campaign_id=await campaign_id_asked(parts, wanted.campaign), since=wanted.since, by=grant.name
    )
    return web.json_response(rescan_record(rescan), status=202)


@routes.get("/quality/rescans")
async def list_rescans(request: web.Request) -> web.Response:
    """The last rescans, newest first, and how far each has come."""
    reviewer(request)
    rescans = await deps(request).quality.rescans.rescans()
    return web.json_response({"rescans": [rescan_record(one) for one in rescans]})


@routes.get(r"/quality/rescans/{id:\d{1,18}}")
async def get_rescan(request: web.Request) -> web.Response:
    """How far a rescan has come."""
    reviewer(request)
    return web.json_response(
        rescan_record(await deps(request).quality.rescans.rescan(int(request.match_info["id"])))
    )


@routes.post(r"/quality/rescans/{id:\d{1,18}}/stop")
async def stop_rescan(request: web.Request) -> web.Response:
    """Let a rescan judge no more calls; what it judged stays."""
    leader(request)
    return web.json_response(
        rescan_record(await deps(request).quality.rescans.stop(int(request.match_info["id"])))
    )


async def with_campaigns(parts: Deps, given: dict[str, Any], where: str) -> dict[str, Any]:
    """Return what was given with campaigns by id: people write names."""
    names = given.get("campaigns")
    if not isinstance(names, list) or not all(isinstance(name, str | int) for name in names):
        return given  # refused where the rule is read
    try:
        ids = [await campaign_id_asked(parts, name) for name in names]
    except NotFound as error:
        raise BadInput(f"{where}.campaigns: {error}") from None
    return given | {"campaigns": ids}
