"""CRMs over the API: how they stand, dead letters, pushing again, and the work of the process that writes."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from crm_sync.pull_feed import ApiLookUps
from cti.crm.targets import CallFollowers
from cti.crm.wire import orders_of, rate_record, settlements_record, works_record
from cti.model.calls import Call, CallState, Outcome
from cti.model.crm import Answer, Link, PushOrder, Rate, RecordRef, Settlement
from cti.model.look_ups import Found, FoundRecord, LookUp, LookUpAnswer
from cti.model.work import NewWork
from tests.builders import NOW, a_call, later
from tests.fakes.crm_parts import TARGETS
from tests.fakes.site import Site

FREE = rate_record(Rate())
TAKE: dict[str, Any] = {"target": "rest", "limit": 10, "batch": 5, "rate": FREE}


async def an_ended_call(site: Site) -> Call:
    call = a_call()
    await site.store.calls.place([(call, None)])
    ended = replace(call, state=CallState.ENDED, ended_at=NOW, outcome=Outcome.CONNECTED)
    works = CallFollowers(TARGETS).ended(ended)
    await site.store.calls.save([ended], works=works)
    return ended


async def taken(site: Site) -> tuple[PushOrder, ...]:
    return orders_of(await site.told("POST", "crm/work/take", as_="sync", json=TAKE)).orders


async def settled(site: Site, order: PushOrder, answer: Answer, **given: Any) -> None:
    settlement = Settlement(work=order.work, link=order.link, answer=answer, **given)
    body = {
        "target": "rest",
        "settlements": settlements_record([settlement]),
        "rate": FREE,
        "more_requests": 1,
    }
    await site.told("POST", "crm/work/settle", as_="sync", json=body)


async def buried(site: Site) -> Call:
    call = await an_ended_call(site)
    (order,) = await taken(site)
    await settled(site, order, Answer.PERMANENT, message="there is no field 'x'")
    return call


async def test_targets_are_told_in_the_order_of_the_settings(site: Site) -> None:
    await an_ended_call(site)

    told = await site.told("GET", "crm")

    assert told["process"] is True
    assert [one["target"] for one in told["targets"]] == ["odoo", "rest"]
    assert {name: told["targets"][1][name] for name in ("state", "waiting", "dead", "written", "unsure")} == {
        "state": "ok",
        "waiting": 1,
        "dead": 0,
        "written": 0,
        "unsure": 0,
    }


async def test_a_call_goes_to_a_process_and_its_result_comes_back(site: Site) -> None:
    call = await an_ended_call(site)

    (order,) = await taken(site)
    works = works_record([order.work])
    begun = await site.told("POST", "crm/work/begin", as_="sync", json={"target": "rest", "works": works})
    kept = await site.told("POST", "crm/work/keep", as_="sync", json={"works": works})
    await settled(site, order, Answer.OK, remote=RecordRef("call", "17"), fingerprint="f")

    assert order.log.call_id == call.id
    assert (begun, kept) == ({"lost": []}, {"lost": []})
    (link,) = (await site.told("GET", f"crm/calls/{call.id}"))["links"]
    assert (link["target"], link["remote"], link["writes"], link["unsure"]) == ("rest", "call:17", 1, False)
    target = (await site.told("GET", "crm"))["targets"][1]
    assert (target["waiting"], target["written"], target["requests_today"]) == (0, 1, 2)
    assert target["answers"] == {"ok": 1}


async def test_dead_letters_are_listed_replayed_and_discarded(site: Site) -> None:
    call = await buried(site)

    (letter,) = (await site.told("GET", "crm/dead"))["dead"]
    assert (letter["target"], letter["call_id"], letter["error"]) == (
        "rest",
        call.id,
        "there is no field 'x'",
    )
    assert (await site.told("GET", "crm/dead?target=odoo"))["dead"] == []
    await site.told("POST", f"crm/dead/{letter['id']}/replay")
    assert len(await taken(site)) == 1

    other = await buried(site)
    (letter,) = (await site.told("GET", "crm/dead"))["dead"]
    assert letter["call_id"] == other.id
    await site.told("POST", f"crm/dead/{letter['id']}/discard")
    assert (await site.told("GET", "crm/dead"))["dead"] == []
    await site.refused("POST", f"crm/dead/{letter['id']}/discard", status=404)
    await site.refused("GET", "crm/dead?target=nobody", status=404)


async def test_all_dead_letters_of_a_target_are_replayed(site: Site) -> None:
    await buried(site)

    assert await site.told("POST", "crm/dead/replay", json={"target": "odoo"}) == {"replayed": 0}
    assert await site.told("POST", "crm/dead/replay") == {"replayed": 1}


async def test_dead_letters_of_other_kinds_are_nobody_s_here(site: Site) -> None:
    await site.store.work.add([NewWork(kind="recording.collect", key="x", payload={})], now=NOW)
    (work,) = await site.store.work.lease(
        kinds=("recording.collect",), limit=1, now=NOW, lease_for=timedelta(minutes=1)
    )
    await site.store.work.bury(work, error="x", now=NOW)

    await site.refused("POST", f"crm/dead/{work.id}/replay", status=404)
    await site.refused("POST", f"crm/dead/{work.id}/discard", status=404)


async def test_a_call_is_pushed_again_though_nothing_changed(site: Site) -> None:
    call = await an_ended_call(site)
    (order,) = await taken(site)
    await settled(site, order, Answer.OK, remote=RecordRef("call", "17"), fingerprint="f")

    told = await site.told("POST", f"crm/calls/{call.id}/push", json={"target": "rest"}, status=202)

    assert told["targets"] == ["rest"]
    (again,) = await taken(site)
    assert (again.link.fingerprint, again.link.remote) == ("", RecordRef("call", "17"))
    await site.refused("POST", f"crm/calls/{'0' * 32}/push", status=404)
    await site.refused("POST", f"crm/calls/{call.id}/push", json={"target": "nobody"}, status=404)


async def test_a_target_that_was_stopped_goes_on_when_somebody_says_so(site: Site) -> None:
    await an_ended_call(site)
    (order,) = await taken(site)
    await settled(site, order, Answer.AUTH, message="key refused")
    stopped = (await site.told("GET", "crm"))["targets"][1]
    assert (stopped["state"], stopped["reason"]) == ("stopped", "key refused")
    assert await taken(site) == ()

    assert (await site.told("POST", "crm/targets/rest/resume"))["state"] == "ok"

    assert len(await taken(site)) == 1
    await site.refused("POST", "crm/targets/nobody/resume", status=404)


async def test_a_check_that_failed_is_told(site: Site) -> None:
    body = {"target": "odoo", "answer": "away", "message": "nobody listens"}

    await site.told("POST", "crm/work/checked", as_="sync", json=body)

    target = (await site.told("GET", "crm"))["targets"][0]
    assert (target["state"], target["reason"]) == ("paused", "nobody listens")


async def test_works_given_back_or_unchanged_leave_the_table_right(site: Site) -> None:
    await an_ended_call(site)
    (order,) = await taken(site)
    await site.told("POST", "crm/work/give-back", as_="sync", json={"works": works_record([order.work])})
    (again,) = await taken(site)
    assert again.work.attempts == 1

    await site.told("POST", "crm/work/unchanged", as_="sync", json={"works": works_record([again.work])})

    assert await taken(site) == ()


async def test_work_of_another_kind_is_refused(site: Site) -> None:
    await an_ended_call(site)
    (order,) = await taken(site)
    foreign = replace(order.work, kind="recording.collect")

    for path in ("keep", "unchanged", "give-back"):
        error = await site.refused(
            "POST", f"crm/work/{path}", as_="sync", status=422, json={"works": works_record([foreign])}
        )
        assert "does not begin with crm.push." in error["message"]
    for body in (b"[1]", b"no", b'{"works": [{"id": "x"}]}'):
        await site.refused("POST", "crm/work/keep", as_="sync", status=422, data=body)


async def test_a_link_that_a_user_deleted_is_told(site: Site) -> None:
    call = await an_ended_call(site)
    await site.store.crm.put_links([Link(target="odoo", call_id=call.id, deleted_at=later(5))])

    (link,) = (await site.told("GET", f"crm/calls/{call.id}"))["links"]

    assert link["deleted_at"] is not None


async def test_a_call_that_nobody_took_for_want_of_a_record_is_tried_again_when_it_has_one(
    site: Site,
) -> None:
    call = await buried(site)
    await site.told("PUT", f"calls/{call.id}/record", json={"crm_ref": "rest/lead:7"})
    (order,) = await taken(site)
    assert (order.log.call_id, order.log.crm_ref) == (call.id, "rest/lead:7")
    assert (await site.told("GET", "crm/dead"))["dead"] == []


class Session:
    """What carries a process's questions, without a socket of its own."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def post(self, name: str, body: Mapping[str, Any]) -> Any:
        return await self._site.told("POST", f"crm/work/{name}", as_="sync", json=dict(body))


async def test_numbers_go_to_a_process_and_records_come_back(site: Site) -> None:
    feed, number = ApiLookUps(Session(site)), "+4930901820"
    assert await feed.take("odoo", limit=4, rate=Rate(), wait_seconds=0.0) == ()
    await site.store.look_ups.ask([("odoo", number)], at=NOW)

    taken = await feed.take("odoo", limit=4, rate=Rate(per_second=5.0, burst=10), wait_seconds=30.0)
    assert taken == (LookUp(target="odoo", number=number, asked_at=NOW),)

    deal = {"ref": "odoo/crm.lead:9", "name": "屋顶"}
    one = FoundRecord(crm_ref="odoo/crm.lead:7", target="odoo", kind="crm.lead", name="王小明", deal=deal)
    found = Found(records=(one,), more=True)
    await feed.answer("odoo", LookUpAnswer(number=number, answer=Answer.OK, found=found))
    assert await site.store.look_ups.collect() == {("odoo", number): found}


async def test_what_is_no_answer_to_a_look_up_is_refused(site: Site) -> None:
    body = {"target": "odoo", "answer": {"number": 7, "answer": "perhaps"}}
    error = await site.refused("POST", "crm/work/look-up-answer", status=422, as_="sync", json=body)
    assert "answer.number" in error["message"]
    asked = {"target": "odoo", "limit": 1, "rate": FREE, "wait_seconds": 31}
    await site.refused("POST", "crm/work/look-up-take", status=422, as_="sync", json=asked)
