"""Who is let in, and who may do what."""

from typing import Any

import pytest

from tests.fakes.site import TOKENS, Site

CALL = "0" * 31 + "1"
OPEN_TO_ALL = {("GET", "health")}
WAYS: list[tuple[str, str, str]] = [
    # method, path, who may: everybody with a token, leaders, administrators, or the agent himself
    ("GET", "agents", "all"),
    ("POST", "agents", "leaders"),
    ("GET", "agents/bob", "leaders"),
    ("GET", "agents/anna", "all"),
    ("PUT", "agents/bob/campaigns", "leaders"),
    ("PUT", "agents/anna/campaigns", "leaders"),
    *(
        ("POST", f"agents/bob/{order}", "leaders")
        for order in ("login", "logout", "ready", "pause", "hangup")
    ),
    *(("POST", f"agents/anna/{order}", "all") for order in ("login", "logout", "ready", "pause", "hangup")),
    ("PATCH", "agents/anna", "leaders"),
    ("POST", "agents/anna/leave", "leaders"),
    ("GET", "pool", "all"),
    ("POST", "pool/claim", "all"),
    ("POST", "contacts/assign", "leaders"),
    ("POST", "contacts/7/return", "all"),
    ("POST", "contacts/7/transfer", "leaders"),
    ("GET", "contacts/7/moves", "all"),
    ("GET", "campaigns", "leaders"),
    ("POST", "campaigns", "leaders"),
    ("GET", "campaigns/1", "leaders"),
    *(("POST", f"campaigns/1/{order}", "leaders") for order in ("start", "pause", "stop")),
    ("PATCH", "campaigns/1", "leaders"),
    ("GET", "campaigns/1/ledger", "leaders"),
    ("GET", "campaigns/1/ledger/evidence", "leaders"),
    ("GET", "campaigns/1/decisions", "leaders"),
    *(("POST", f"agents/bob/{order}", "leaders") for order in ("call", "preview/dial", "preview/skip")),
    *(("POST", f"agents/anna/{order}", "all") for order in ("call", "preview/dial", "preview/skip")),
    ("GET", "agents/bob/preview", "leaders"),
    ("GET", "agents/anna/preview", "all"),
    ("POST", "campaigns/1/lists?name=x", "leaders"),
    ("POST", "campaigns/1/leads", "leaders"),
    ("GET", "campaigns/1/chances", "leaders"),
    ("POST", "campaigns/1/chances", "leaders"),
    ("GET", "imports", "leaders"),
    ("GET", "imports/1", "leaders"),
    ("POST", "imports/1/undo", "leaders"),
    ("GET", "campaigns/1/compliance", "leaders"),
    ("GET", "campaigns/1/compliance/preview", "leaders"),
    ("GET", "campaigns/1/compliance/why?number=%2B4930901820", "leaders"),
    ("GET", "compliance/profiles", "leaders"),
    ("GET", "consents?contact_id=1", "leaders"),
    ("POST", "consents", "leaders"),
    ("GET", "do-not-call", "leaders"),
    ("POST", "do-not-call", "leaders"),
    ("POST", "do-not-call/import", "leaders"),
    ("POST", "do-not-call/remove", "leaders"),
    ("GET", "do-not-call/check?number=%2B4930901820", "leaders"),
    ("GET", "do-not-call/registers", "leaders"),
    ("POST", "do-not-call/registers?name=tps", "leaders"),
    ("DELETE", "do-not-call/registers/tps", "leaders"),
    ("GET", "dictionaries/stages", "all"),
    ("POST", "dictionaries/stages", "leaders"),
    ("PATCH", "dictionaries/stages/new", "leaders"),
    ("POST", "contacts/bulk", "leaders"),
    ("GET", "contacts/bulk", "leaders"),
    ("GET", "contacts/bulk/1", "leaders"),
    ("POST", "contacts/bulk/1/undo", "leaders"),
    ("POST", "campaigns/1/lists/from-query", "leaders"),
    ("GET", "views", "all"),
    ("POST", "views", "all"),
    ("DELETE", "views/1", "all"),
    ("GET", "views/mine/rows", "all"),
    ("GET", "contacts", "all"),
    ("POST", "contacts/find", "all"),
    ("GET", "contacts/1", "all"),
    ("PATCH", "contacts/1", "all"),
    ("GET", "caller-pools", "leaders"),
    ("POST", "caller-pools", "leaders"),
    ("GET", "caller-pools/main", "leaders"),
    ("PATCH", "caller-pools/main", "leaders"),
    ("GET", "trunks", "leaders"),
    ("POST", "lists/1/recycle", "leaders"),
    ("GET", "why?campaign=1", "leaders"),
    ("GET", "callbacks", "all"),
    ("GET", "callbacks?agent=bob", "leaders"),
    ("POST", "callbacks", "all"),
    ("GET", "callbacks/1", "all"),
    ("PATCH", "callbacks/1", "all"),
    ("GET", "calls", "all"),
    ("GET", "calls?agent=bob", "leaders"),
    ("GET", f"calls/{CALL}", "all"),
    ("PUT", f"calls/{CALL}/disposition", "all"),
    ("GET", f"calls/{CALL}/recording", "all"),
    ("GET", "reports/calls_by_agent", "leaders"),
    ("POST", "reconcile", "leaders"),
    ("GET", "floor", "leaders"),
    ("GET", "health", "leaders"),
    ("GET", "webhooks", "admins"),
    ("POST", "webhooks", "admins"),
    ("GET", "webhooks/crm", "admins"),
    ("PATCH", "webhooks/crm", "admins"),
    ("DELETE", "webhooks/crm", "admins"),
    ("POST", "webhooks/crm/secret", "admins"),
    ("POST", "webhooks/crm/test", "admins"),
    ("POST", "webhooks/crm/replay", "admins"),
    ("GET", "webhooks/crm/deliveries", "admins"),
    ("POST", f"webhooks/crm/deliveries/{CALL}/replay", "admins"),
    ("POST", "dial", "all"),
    ("POST", "dial/links", "all"),
]
NOT_FOR: dict[str, set[str]] = {"all": set(), "leaders": {"anna"}, "admins": {"anna", "lead"}}
OUTSIDE = ("/dial/{token}",)
"""Ways in that need no token of ours: the page behind a link that dials, see test_dial."""


@pytest.mark.parametrize(("method", "path", "who"), WAYS)
@pytest.mark.parametrize("as_", ["admin", "lead", "anna", "nobody", None])
async def test_every_way_in_is_open_to_those_it_is_for(
    site: Site, method: str, path: str, who: str, as_: str | None
) -> None:
    answer = await site.ask(method, path, as_=as_, data=b"{}" if method != "GET" else None)
    if as_ is None and (method, path) in OPEN_TO_ALL:
        assert answer.status == 200
    elif as_ in (None, "nobody"):
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert (await answer.json())["error"]["kind"] == "unauthorized"
    elif as_ in NOT_FOR[who]:
        assert answer.status == 403
        assert (await answer.json())["error"]["kind"] == "forbidden"
    else:
        assert answer.status not in (401, 403)


def test_no_way_in_is_missing_from_the_list_above(site: Site) -> None:
    def shape(path: str) -> tuple[str, ...]:
        return tuple(path.split("?")[0].split("/"))

    app = site.client.app
    assert app is not None
    for route in app.router.routes():
        if route.method == "HEAD" or route.resource is None or route.resource.canonical.endswith("/events"):
            continue
        if not route.resource.canonical.startswith("/api/v1/"):
            assert route.resource.canonical in OUTSIDE
            continue
        pattern = route.resource.canonical.removeprefix("/api/v1/").split("/")
        assert any(
            method == route.method
            and len(shape(path)) == len(pattern)
            and all(
                want.startswith("{") or want == have for want, have in zip(pattern, shape(path), strict=True)
            )
            for method, path, _ in WAYS
        ), (route.method, pattern)


@pytest.mark.parametrize(
    "header", ["Basic YTpi", "Bearer", "Bearer ", TOKENS["admin"], "Token " + TOKENS["admin"], "Bearer ü" * 3]
)
async def test_another_kind_of_authorization_is_refused(site: Site, header: str) -> None:
    answer = await site.client.get(site.url("agents"), headers={"Authorization": header})
    assert answer.status == 401


async def test_the_scheme_may_be_written_in_any_case(site: Site) -> None:
    answer = await site.client.get(site.url("agents"), headers={"Authorization": f"bearer {TOKENS['lead']}"})
    assert answer.status == 200


async def test_an_agent_sees_himself_alone(site: Site) -> None:
    told = await site.told("GET", "agents", as_="anna")
    assert [agent["login"] for agent in told["agents"]] == ["anna"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "nothing", 404), ("DELETE", "agents", 405), ("GET", "../../etc/passwd", 404)],
)
async def test_what_there_is_not_is_answered_as_json(site: Site, method: str, path: str, status: int) -> None:
    error: dict[str, Any] = await site.refused(method, path, status=status)
    assert error["kind"] in ("not_found", "method_not_allowed")
