"""BottleCRM's records and lists without a BottleCRM: what is made of answers, and how a list is read to its end."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from crm_sync.bottle.asking import RULES
from crm_sync.bottle.lists import BottleLists, cursor_of, place_of
from crm_sync.bottle.records import (
    CUT,
    FIELDS,
    SUBJECT_LENGTH,
    body_of,
    mark_of,
    moment_of_day,
    record_of,
    sorted_out,
    subject_of,
    written_of,
)
from crm_sync.bottle.tables import bottle_table
from crm_sync.bottle.updating import texts_of
from crm_sync.port import Answer, CallWrite, CrmError, RecordRef
from crm_sync.requests import Reply, answer_of
from cti.errors import BadInput, SettingsError
from tests.builders import NOW
from tests.contract.crm.houses import a_log
from tests.fakes.clock import FakeClock

CALL = "0" * 31 + "1"


@pytest.mark.parametrize("text", ["", "Call to Li", "Call " * 90, f"Call {mark_of(CALL)} to Li", "a\nb"])
def test_a_subject_bears_the_mark_once_and_last(text: str) -> None:
    subject = subject_of(text, CALL)
    assert subject.endswith(mark_of(CALL))
    assert subject.count(mark_of(CALL)) == 1
    assert len(subject) <= SUBJECT_LENGTH
    assert "\n" not in subject


def test_what_is_missing_comes_from_the_call() -> None:
    body = body_of(CallWrite(log=a_log(call_id=CALL), fields={"duration_seconds": 41.6, "outcome": None}))
    assert body == {
        "occurred_at": NOW.isoformat().replace("+00:00", "Z"),
        "direction": "outbound",
        "duration_seconds": 42,
        "outcome": "",
        "subject": mark_of(CALL),
        "body": "",
    }
    with pytest.raises(BadInput, match=r"no field 'origin'.*duration_seconds"):
        body_of(CallWrite(log=a_log(), fields={"origin": "waihu"}))


def a_row(number: int, *, at: int, by: str = "bot", **more: Any) -> dict[str, Any]:
    return {"id": f"id-{number}", "created_at": f"2026-11-26T00:00:{at:02d}Z", "logged_by": by} | more


def test_the_oldest_stays_and_only_its_authors_are_doubles() -> None:
    first, doubles = sorted_out([a_row(1, at=5), a_row(2, at=3), a_row(3, at=9, by="person"), a_row(4, at=3)])
    assert first["id"] == "id-2"
    assert [row["id"] for row in doubles] == ["id-4", "id-1"]


@pytest.mark.parametrize(
    "more",
    [
        {"subject": "[cti:7]"},
        {"subject": None},
        {"kind": "meeting"},
        {"origin": "email"},
        {"subject": "call of 0000"},
    ],
)
def test_what_does_not_bear_our_mark_is_not_ours(more: dict[str, Any]) -> None:
    row = {
        "id": "1",
        "kind": "call",
        "origin": "manual",
        "subject": mark_of(CALL),
        "home": "lead",
        "lead": "L",
    }
    assert written_of(row) is not None
    assert written_of(row | more) is None
    assert written_of("nonsense") is None


def test_a_lead_is_read_with_what_is_there() -> None:
    def read(kind: str = "lead", **row: Any) -> Any:
        return record_of(kind, {"id": "1", "is_active": True} | row, zone="Europe/Berlin", day_begins=time(9))

    assert read(first_name="Li", last_name=None, phone="030 1").numbers == ("030 1",)
    assert read(phone="030 1", phone_e164="+49301").numbers == ("+49301",)
    assert read(company_name="Ho & Co").name == "Ho & Co"
    assert [read(status=one).over for one in ("assigned", "recycled", "converted", "closed")] == [
        None,
        None,
        "won",
        "lost",
    ]
    assert read(is_active=False).over == "archived"
    assert read("contact", status="closed", do_not_call=True, account="A").customer == RecordRef(
        "account", "A"
    )
    assert read("contact", status="closed").over is None
    assert read(next_follow_up="2026-12-01").next_follow_up_at == datetime(2026, 12, 1, 8, tzinfo=UTC)
    assert moment_of_day(None, zone="UTC", begins=time(9)) is None
    owner = [{"user_details": {"email": "anna@x"}}]
    assert read(assigned_to=owner).owner == "anna@x"


@pytest.mark.parametrize(
    ("status", "body", "answer"),
    [
        (201, "{}", Answer.OK),
        (400, '{"errors":{"body":["too long"]}}', Answer.PERMANENT),
        (
            400,
            '{"errors":{"occurred_at":["This is more than five minutes in the future."]}}',
            Answer.RETRY,
        ),
        (401, "", Answer.AUTH),
        (403, '{"detail": "Organization context is required."}', Answer.AUTH),
        (403, '{"detail": "It needs the leads:read scope."}', Answer.AUTH),
        (403, '{"error":true,"errors":"Only the person who logged this can change it."}', Answer.PERMANENT),
        (404, '{"detail":"No such interaction."}', Answer.DELETED),
        (404, '{"detail":"Deals are switched off.","code":"module_off","module":"deals"}', Answer.PERMANENT),
        (404, "<html>nginx</html>", Answer.AWAY),
        (405, "", Answer.AWAY),
        (429, '{"detail":"Request was throttled."}', Answer.THROTTLE),
        (500, "<h1>Server Error (500)</h1>", Answer.UNKNOWN),
        (502, "", Answer.UNKNOWN),
        (503, "", Answer.AWAY),
        (301, "", Answer.AWAY),
    ],
)
def test_an_answer_is_judged_by_what_it_says(status: int, body: str, answer: Answer) -> None:
    assert answer_of(Reply(status=status, headers={}, body=body, json=None), RULES) is answer


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({"log_on": "both"}, r"x\.toml: bottle: log_on"),
        ({"zone": "Mars/Olympus"}, "no time zone"),
        ({"web": "crm.example"}, "bottle: web"),
        ({"colour": 1}, "colour: there is no such key"),
        ({"sources": {"a": {"kind": "case"}}}, r"sources\.a\.kind"),
        ({"sources": {"a": {"kind": "contact", "only": {"status": "open"}}}}, "'status' is no filter of contacts"),
    ],
)  # fmt: skip
def test_a_table_that_is_wrong_is_told(tree: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        bottle_table(tree, where="x.toml")


class Shelf:
    """Its lists of leads: open and closed, newest id first, by offset and limit; as an asker."""

    def __init__(self, count: int) -> None:
        self.open = [lead(number) for number in range(count)]
        self.closed: list[dict[str, Any]] = []
        self.clock = FakeClock()
        self.asked = 0

    async def reply(self, method: str, path: str, *, query: Any = (), body: Any = None) -> Reply:
        assert (method, path, body) == ("GET", "/api/leads/", None)
        self.asked += 1
        given = dict(query)
        first, limit = int(given["offset"]), int(given["limit"])

        def page(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return sorted(rows, key=lambda row: row["id"], reverse=True)[first : first + limit]

        tree = {
            "open_leads": {"open_leads": page(self.open) if "open" in given else []},
            "close_leads": {"close_leads": page(self.closed) if given.get("status") == "closed" else []},
        }
        at = self.clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT")
        return Reply(status=200, headers={"Date": at}, body="", json=tree)

    async def swept(
        self, cursor: str = "", *, limit: int = 10, meanwhile: Any = None
    ) -> tuple[list[str], str]:
        """Read from the cursor to the end; `meanwhile` happens after each page."""
        lists = BottleLists(self, self.clock)  # type: ignore[arg-type]
        ids, more = [], True
        while more:
            page = await lists.page("lead", place_of(cursor, of="leads"), limit=limit)
            ids += [row["id"] for row in page.rows]
            cursor, more = cursor_of(page.place), page.more
            if meanwhile:
                meanwhile()
        return ids, cursor


def lead(number: int, at: datetime = NOW - timedelta(days=1)) -> dict[str, Any]:
    return {"id": f"{number:08d}", "updated_at": at.isoformat()}


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 95])
async def test_all_pages_are_read_once_when_nothing_happens(count: int) -> None:
    shelf = Shelf(count)
    shelf.closed = [lead(1000)]
    ids, _ = await shelf.swept()
    assert sorted(set(ids)) == [row["id"] for row in (*shelf.open, lead(1000))]
    assert shelf.asked <= 3 + count // 10


@pytest.mark.parametrize("gone", [1, 3, 10, 25])
async def test_nobody_is_missed_however_many_are_deleted_meanwhile(gone: int) -> None:
    """Those that were read are deleted, as the worst case has it: what follows moves up past the offset."""
    shelf = Shelf(200)
    left = {row["id"] for row in shelf.open}

    def delete() -> None:
        newest = sorted(shelf.open, key=lambda row: row["id"], reverse=True)[:gone]
        shelf.open = [row for row in shelf.open if row not in newest]

    ids, _ = await shelf.swept(meanwhile=delete)
    seen = set(ids)
    missed = {row["id"] for row in shelf.open} - seen
    assert not missed
    assert seen <= left


async def test_who_is_added_meanwhile_makes_no_gap() -> None:
    shelf = Shelf(60)
    before = [row["id"] for row in shelf.open]
    more = iter(range(100, 400))

    ids, _ = await shelf.swept(meanwhile=lambda: shelf.open.append(lead(next(more))))

    assert set(before) <= set(ids)


async def test_the_next_sweep_gives_what_changed_since_the_last_one_began() -> None:
    shelf = Shelf(30)
    changed_early: list[dict[str, Any]] = []

    def change() -> None:
        """The newest id was read already: a sweep that counted from its end would lose the change."""
        if not changed_early:
            shelf.open[-1]["updated_at"] = shelf.clock.now().isoformat()
            changed_early.append(shelf.open[-1])
        shelf.clock.advance(3600)

    _, cursor = await shelf.swept(meanwhile=change)
    ids, cursor = await shelf.swept(cursor)
    assert ids == [shelf.open[-1]["id"]]
    shelf.clock.advance(3600)
    _, cursor = await shelf.swept(cursor)
    assert (await shelf.swept(cursor))[0] == []


async def test_a_sweep_of_other_records_begins_anew_and_nonsense_is_refused() -> None:
    shelf = Shelf(3)
    _, cursor = await shelf.swept()
    assert place_of(cursor, of="leads").since
    assert place_of(cursor, of="contacts").since == ""
    for wrong in (
        "x",
        "[]",
        '{"part": 7}',
        '{"offset": -1}',
        '{"other": 1}',
        '{"last": 7}',
        "7",
        '{"offset": "a"}',
        '{"part": "a"}',
    ):
        with pytest.raises(CrmError, match="no cursor"):
            place_of(wrong, of="leads")


def an_interaction(**given: Any) -> dict[str, Any]:
    """Build one of our calls as the API gives it."""
    subject = subject_of("Call to Li Wei", CALL)
    values = {"id": "i1", "kind": "call", "origin": "manual", "home": "lead", "lead": "l1", "body": "x"}
    return dict.fromkeys(FIELDS) | values | {"subject": subject} | given


@pytest.mark.parametrize(
    ("given", "texts"),
    [
        pytest.param({}, {"subject": "Call to Li Wei", "body": "x"}, id="without the mark"),
        pytest.param({"body": f"long{CUT}"}, {"subject": "Call to Li Wei"}, id="not what was cut"),
        pytest.param({"subject": subject_of("x" * 300, CALL)}, {"body": "x"}, id="nor a subject that was"),
        pytest.param({"subject": "mine"}, {"subject": "mine", "body": "x"}, id="a person took the mark away"),
    ],
)
def test_texts_are_told_that_can_be_held_against_what_was_written(
    given: dict[str, Any], texts: dict[str, str]
) -> None:
    told = texts_of(an_interaction(**given))
    assert {name: told[name] for name in ("subject", "body") if name in told} == texts
    assert "subject" not in texts_of(an_interaction(), subject="Call to  Li Wei")
