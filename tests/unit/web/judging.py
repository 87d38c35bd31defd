"""Calls that are judged, and cards by which they are scored, at the API."""

from typing import Any

from cti.web.deps import DEPS
from tests.builders import NOW, a_call, later
from tests.fakes.site import Site
from tests.said import Line, a_transcript

RULE = {"kind": "must_not_say", "phrases": ["guaranteed"], "severity": "alert", "title": "Promises"}
CARD = {
    "pass_mark": 60,
    "sections": [
        {
            "title": "Opening",
            "questions": [
                {"code": "greeting", "text": "Greeted?", "weight": 1, "auto": {"rule": "hello"}},
                {"code": "care", "text": "Cared?", "kind": "scale", "top": 4, "weight": 3},
            ],
        },
        {
            "title": "Law",
            "questions": [{"code": "law", "text": "Lawful?", "fatal": True, "may_be_na": True}],
        },
    ],
}


async def a_judged_call(site: Site, *lines: Line, agent: str = "anna", seconds: float = 0.0) -> str:
    """Store a call with a transcript and judge it by the rules of the site."""
    call = a_call(campaign_id=1, agent_id=getattr(site, agent), placed_at=later(seconds))
    await site.store.calls.place([(call, None)])
    await site.store.transcripts.save(a_transcript(*lines, call_id=call.id))
    app = site.client.app
    assert app is not None
    await app[DEPS].quality.rescans._judge.judge(call.id, alert=True)
    return call.id


async def with_rules(site: Site) -> None:
    hello = {"kind": "must_say", "phrases": ["good morning"], "speaker": "agent", "first_seconds": 10}
    await site.told("PUT", "quality/rules/promise", json={"rule": RULE})
    await site.told("PUT", "quality/rules/hello", json={"rule": hello})


async def scored(site: Site, call_id: str, answers: dict[str, str], *, as_: str = "qa") -> dict[str, Any]:
    """Score a call to the end."""
    draft = await site.told(
        "POST", "quality/reviews", as_=as_, status=201, json={"call": call_id, "card": "sales"}
    )
    given = {code: {"value": value} for code, value in answers.items()}
    draft = await site.told(
        "PATCH",
        f"quality/reviews/{draft['id']}",
        as_=as_,
        json={"answers": given, "edition": draft["edition"]},
    )
    done: dict[str, Any] = await site.told(
        "POST", f"quality/reviews/{draft['id']}/submit", as_=as_, json={"edition": draft["edition"]}
    )
    return done


def plain_card() -> dict[str, Any]:
    """Return the card without automatic answers."""
    sections = [
        {
            **section,
            "questions": [
                {key: value for key, value in question.items() if key != "auto"}
                for question in section["questions"]  # type: ignore[attr-defined]
            ],
        }
        for section in CARD["sections"]  # type: ignore[attr-defined]
    ]
    return CARD | {"sections": sections}


def span() -> dict[str, str]:
    return {"since": NOW.isoformat(), "until": later(3600).isoformat()}
