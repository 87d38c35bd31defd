"""Who is let in, and who may do what."""

from typing import Any

import pytest

from tests.fakes.site import TOKENS, Site

CALL = "0" * 31 + "1"
OPEN_TO_ALL = {("GET", "health")}
WAYS: list[tuple[str, str, str]] = [
    # method, path, who may: everybody with a token, leaders, admins, the agent himself, or processes of ours
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
    ("GET", "quality/rules", "all"),
    ("PUT", "quality/rules", "leaders"),
    ("POST", "quality/rules/try", "leaders"),
    ("GET", "quality/rules/hello", "all"),
    ("PUT", "quality/rules/hello", "leaders"),
    ("POST", "quality/rules/hello/retire", "leaders"),
    ("POST", "quality/rescans", "leaders"),
    ("GET", "quality/rescans", "leaders"),
    ("GET", "quality/rescans/1", "leaders"),
    ("POST", "quality/rescans/1/stop", "leaders"),
    ("GET", "quality/cards", "all"),
    ("GET", "quality/cards/sales", "all"),
    ("PUT", "quality/cards/sales", "leaders"),
    ("POST", "quality/cards/sales/retire", "leaders"),
    ("GET", f"quality/calls/{CALL}", "all"),
    ("GET", "quality/flags", "all"),
    ("GET", "quality/results/agents", "all"),
    ("GET", "quality/queue", "leaders"),
    ("POST", "quality/queue", "leaders"),
    ("POST", "quality/queue/claim", "leaders"),
    ("POST", "quality/queue/sample", "leaders"),
    ("POST", "quality/queue/1/release", "leaders"),
    ("DELETE", "quality/queue/1", "leaders"),
    ("GET", "quality/reviews", "all"),
    ("POST", "quality/reviews", "leaders"),
    ("GET", "quality/reviews/1", "all"),
    ("PATCH", "quality/reviews/1", "leaders"),
    *(("POST", f"quality/reviews/1/{order}", "leaders") for order in ("submit", "resolve")),
    *(("POST", f"quality/reviews/1/{order}", "all") for order in ("comments", "appeal")),
    ("GET", "contacts/7/record", "all"),
    ("POST", "contacts/7/notes", "all"),
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
    ("GET", "crm", "leaders"),
    ("GET", "crm/dead", "leaders"),
    ("GET", "crm/pulls", "leaders"),
    ("GET", "crm/pulls/odoo-leads/problems", "leaders"),
    ("POST", "crm/pulls/odoo-leads/now", "leaders"),
    ("POST", "crm/dead/replay", "leaders"),
    ("POST", "crm/dead/7/replay", "leaders"),
    ("POST", "crm/dead/7/discard", "leaders"),
    ("POST", "crm/targets/odoo/resume", "leaders"),
    ("GET", f"crm/calls/{CALL}", "leaders"),
    ("POST", f"crm/calls/{CALL}/push", "leaders"),
    *(
        ("POST", f"crm/work/{order}", "sync")
        for order in (
            *("take", "keep", "begin", "settle", "unchanged", "give-back", "checked"),
            *("pull-order", "pull-take", "pull-failed", "follow-take", "follow-settle"),
            *("look-up-take", "look-up-answer"),
        )
    ),
    ("GET", "crm/reconciliations", "leaders"),
    ("POST", "crm/reconciliations", "leaders"),
    ("GET", "crm/reconciliations/7", "leaders"),
    *(
        ("POST", f"crm/work/run-{order}", "sync")
        for order in ("take", "page", "calls", "known", "spend", "found", "end", "postpone")
    ),
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
    ("PUT", f"calls/{CALL}/record", "all"),
    ("GET", f"calls/{CALL}/recording", "all"),
    ("GET", f"calls/{CALL}/transcript", "all"),
    ("GET", f"calls/{CALL}/transcripts", "all"),
    ("GET", "search?q=hello", "all"),
    ("GET", "transcription", "leaders"),
    ("POST", f"calls/{CALL}/transcription", "leaders"),
    ("POST", "transcription/dead/retry", "leaders"),
    ("POST", "transcription/dead/7/retry", "leaders"),
    *(
        ("POST", f"transcription/work/{step}", "workers")
        for step in ("take", "keep", "begin", "done", "failed", "give-back", "pressure")
    ),
    ("GET", f"calls/{CALL}/recording/facts", "all"),
    ("GET", f"calls/{CALL}/recording/peaks", "all"),
    ("POST", f"calls/{CALL}/recording/pause", "all"),
    ("POST", f"calls/{CALL}/recording/resume", "all"),
    ("PUT", f"calls/{CALL}/recording/hold", "leaders"),
    ("GET", "recordings", "leaders"),
    ("POST", "recordings/verify", "leaders"),
    ("POST", "recordings/rotate", "leaders"),
    ("GET", "recordings/rotation", "leaders"),
    ("GET", "search?q=hello&agent=bob", "leaders"),
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
OUTSIDE = ("/dial/{token}",)
"""Ways in that need no token of ours: the page behind a link that dials, see test_dial."""


@pytest.mark.parametrize(("method", "path", "who"), WAYS)
@pytest.mark.parametrize("as_", ["admin", "lead", "anna", "worker", "sync", "nobody", None])
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
    elif _is_closed(as_, who, path):
        assert answer.status == 403
        assert (await answer.json())["error"]["kind"] == "forbidden"
    else:
        assert answer.status not in (401, 403)


def _is_closed(as_: str | None, who: str, path: str) -> bool:
    match as_:
        case "anna":
            return who != "all"
        case "lead":
            return who in ("sync", "workers", "admins")
        case "worker":
            return who != "workers" and not path.endswith("/recording")
        case "sync":
            return who != "sync"
    return False


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
