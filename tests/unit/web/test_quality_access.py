"""Who may do what of judging, at the API."""

import pytest

from tests.fakes.site import Site


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "quality/rules"),
        ("PUT", "quality/rules/x"),
        ("POST", "quality/rules/x/retire"),
        ("PUT", "quality/cards/x"),
        ("POST", "quality/cards/x/retire"),
        ("POST", "quality/rescans"),
        ("POST", "quality/rescans/1/stop"),
        ("POST", "quality/queue/sample"),
        ("DELETE", "quality/queue/1"),
    ],
)
async def test_what_leads_decide_is_closed_to_reviewers_and_agents(
    site: Site, method: str, path: str
) -> None:
    for who in ("qa", "anna"):
        await site.refused(method, path, as_=who, json={}, status=403)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "quality/rules/try"),
        ("GET", "quality/rescans"),
        ("GET", "quality/queue"),
        ("POST", "quality/queue"),
        ("POST", "quality/queue/claim"),
        ("POST", "quality/queue/1/release"),
        ("POST", "quality/reviews"),
        ("PATCH", "quality/reviews/1"),
        ("POST", "quality/reviews/1/submit"),
        ("POST", "quality/reviews/1/resolve"),
    ],
)
async def test_what_reviewers_do_is_closed_to_agents(site: Site, method: str, path: str) -> None:
    await site.refused(method, path, as_="anna", json={}, status=403)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "agents/anna/pause"),
        ("POST", "pool/claim"),
        ("POST", "contacts/7/return"),
        ("PUT", f"calls/{'0' * 32}/disposition"),
        ("POST", "campaigns/1/start"),
        ("POST", "views"),
    ],
)
async def test_a_reviewer_changes_nothing_but_reviews(site: Site, method: str, path: str) -> None:
    error = await site.refused(method, path, as_="qa", json={}, status=403)
    assert error["message"] == "the role qa may change nothing but reviews"
