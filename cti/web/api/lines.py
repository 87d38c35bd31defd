"""Lines: numbers to show, in pools, and how the trunks stand."""

from dataclasses import asdict
from datetime import UTC
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import AfterValidator, AwareDatetime, Field

from cti.errors import NotFound
from cti.model.call_record import moment
from cti.model.lines import CallerId, CallerPool, PoolStanding, TrunkStanding
from cti.web.auth import leader
from cti.web.bodies import Body, Line, body_of
from cti.web.deps import deps

routes: Final = web.RouteTableDef()
MOST_NUMBERS: Final = 500

E164 = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")]
Prefix = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{0,14}$")]


def _a_name(name: str) -> str:
    if "/" in name:
        raise ValueError("must hold no slash: a pool is called by its name")
    return name


PoolName = Annotated[Line, AfterValidator(_a_name)]


class NumberChange(Body):
    """One number of a pool: what is given is set, the rest stays (or is the default, when the number is new)."""

    number: E164
    areas: list[Prefix] | None = Field(None, max_length=1000)
    weight: float | None = Field(None, ge=0, le=1000)
    per_hour: int | None = Field(None, ge=0, le=100_000)
    per_day: int | None = Field(None, ge=0, le=1_000_000)
    retired: bool = False
    rests_until: AwareDatetime | None = Field(None, strict=False)
    rest_reason: Line | None = None


def _each_once(numbers: list[NumberChange]) -> list[NumberChange]:
    names = [one.number for one in numbers]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"the number {name} stands twice")
    return numbers


Numbers = Annotated[list[NumberChange], Field(max_length=MOST_NUMBERS), AfterValidator(_each_once)]


class NewPool(Body):
    """`POST /caller-pools`."""

    name: PoolName
    numbers: Annotated[Numbers, Field(min_length=1)]
    per_hour: int | None = Field(None, ge=0, le=100_000)
    per_day: int | None = Field(None, ge=0, le=1_000_000)
    failures: int | None = Field(5, ge=1, le=1000)
    rest_seconds: float = Field(6 * 3600.0, ge=1, le=30 * 86400)
    health_calls: int = Field(100, ge=0, le=1000)


class PoolChange(Body):
    """`PATCH /caller-pools/{pool}`: what is given is set; a null takes a cap or `failures` away."""

    name: PoolName | None = None
    numbers: Numbers = Field(default_factory=list)
    per_hour: int | None = Field(None, ge=0, le=100_000)
    per_day: int | None = Field(None, ge=0, le=1_000_000)
    failures: int | None = Field(None, ge=1, le=1000)
    rest_seconds: float | None = Field(None, ge=1, le=30 * 86400)
    health_calls: int | None = Field(None, ge=0, le=1000)


MAY_BE_NULL: Final = frozenset({"per_hour", "per_day", "failures", "rests_until", "rest_reason"})
"""In all else a null changes nothing."""


@routes.get("/caller-pools")
async def list_pools(request: web.Request) -> web.Response:
    """All pools of numbers to show, with how each number is used and whether it rests."""
    leader(request)
    return web.json_response({"pools": [_pool_record(one) for one in deps(request).lines.pools()]})


@routes.post("/caller-pools")
async def add_pool(request: web.Request) -> web.Response:
    """Make a pool with its numbers. Campaigns name it in `rules.lines.caller_pool`."""
    leader(request)
    new = await body_of(request, NewPool)
    numbers = tuple(CallerId(**_fields(one)) for one in sorted(new.numbers, key=lambda one: one.number))
    pool = CallerPool(id=0, numbers=numbers, **new.model_dump(exclude={"numbers"}))
    return web.json_response(_pool_record(await deps(request).lines.add(pool)), status=201)


@routes.get("/caller-pools/{pool}")
async def get_pool(request: web.Request) -> web.Response:
    """One pool."""
    leader(request)
    name = request.match_info["pool"]
    for one in deps(request).lines.pools():
        if one.pool.name == name:
            return web.json_response(_pool_record(one))
    raise NotFound(f"there is no pool {name!r} of numbers")


@routes.patch("/caller-pools/{pool}")
async def change_pool(request: web.Request) -> web.Response:
    """Change a pool's settings and some of its numbers; numbers that it does not have yet are added.

    `rests_until` lets a number rest, or wakes it with null; `retired` takes it out for good.
    """
    leader(request)
    change = await body_of(request, PoolChange)
    after = await deps(request).lines.change(
        request.match_info["pool"],
        settings=_set(change.model_dump(exclude_unset=True, exclude={"numbers"})),
        numbers={one.number: _fields(one) for one in change.numbers},
    )
    return web.json_response(_pool_record(after))


@routes.get("/trunks")
async def list_trunks(request: web.Request) -> web.Response:
    """All trunks: lines in use, limits, and whether the breaker lets calls out."""
    leader(request)
    return web.json_response({"trunks": [_trunk_record(one) for one in deps(request).lines.trunks()]})


def _fields(change: NumberChange) -> dict[str, Any]:
    """Return what is to be set of a number."""
    given = _set(change.model_dump(exclude_unset=True))
    if "areas" in given:
        given["areas"] = tuple(given["areas"])
    if "rests_until" in given:
        until = change.rests_until
        given["rests_until"] = until.astimezone(UTC) if until else None
        given.setdefault("rest_reason", "by hand" if until else None)
    return given


def _set(given: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if value is not None or key in MAY_BE_NULL}


def _pool_record(standing: PoolStanding) -> dict[str, Any]:
    pool = standing.pool
    return asdict(pool) | {"numbers": [_number_record(one, standing) for one in pool.numbers]}


def _number_record(one: CallerId, standing: PoolStanding) -> dict[str, Any]:
    use = standing.use[one.number]
    return asdict(one) | {
        "areas": list(one.areas),
        "rests_until": moment(one.rests_until),
        "calls_hour": use.hour,
        "calls_day": use.day,
        "judged": use.judged,
        "answered": use.answered,
        "answer_rate": round(use.answered / use.judged, 4) if use.judged else None,
    }


def _trunk_record(standing: TrunkStanding) -> dict[str, Any]:
    return asdict(standing.trunk) | {
        "in_use": standing.in_use,
        "breaker": standing.breaker,
        "judged": standing.judged,
        "failed": standing.failed,
        "tries_again_at": moment(standing.opens_again_at),
    }
