"""The CRMs' last word before a dial."""

from dataclasses import replace
from datetime import timedelta

from cti.crm.gate import HELD_FOR, LONGEST_HELD, CrmGate
from cti.model.contacts import Campaign, Candidate
from cti.model.crm_pulls import CrmRecord, PullAnswer, PullStep
from cti.model.verdicts import ALLOWED, SkipReason, Verdict
from tests.builders import NOW, a_campaign, later
from tests.fakes.crm_parts import PULLS
from tests.fakes.gate import FakeGate
from tests.fakes.memory_store import MemoryStore

(RULES,) = PULLS


async def a_house(*, over: str | None = None) -> tuple[MemoryStore, Campaign, Candidate]:
    store = MemoryStore()
    campaign = await store.campaigns.add_campaign(a_campaign(id=0))
    record = CrmRecord(ref="odoo/lead:1", name="A", numbers=("+4930901820",))
    await store.pulls.take(RULES, PullAnswer(step=PullStep.PAGE, records=(record,)), at=NOW)
    (candidate,) = await store.campaigns.next_candidates(campaign.id, limit=1)
    if over:
        entry = store.tables.entries[candidate.entry_id]
        gone = PullAnswer(step=PullStep.RECORDS, records=(replace(record, over=over),))
        await store.pulls.take(RULES, gone, at=later(1))
        entry.state = entry.state.PENDING  # a call was under way, and a retry followed
    return store, campaign, candidate


async def test_whoever_is_over_is_refused_for_good_though_his_entry_is_pending() -> None:
    store, campaign, candidate = await a_house(over="lost")
    gate = CrmGate(gate=FakeGate(), store=store.pulls, pulls=PULLS)

    (verdict,) = await gate.ask(campaign, [candidate], later(2))

    assert verdict == Verdict(allowed=False, reason=SkipReason.CRM_OVER, detail="lost in odoo")


async def test_whoever_was_read_long_ago_is_held_back_for_a_while() -> None:
    store, campaign, candidate = await a_house()
    gate = CrmGate(gate=FakeGate(), store=store.pulls, pulls=PULLS)

    assert await gate.ask(campaign, [candidate], later(1800)) == [ALLOWED]
    (verdict,) = await gate.ask(campaign, [candidate], later(1801))
    assert (verdict.reason, verdict.until) == (SkipReason.CRM_STALE, later(1801 + 1801))


async def test_a_crm_that_is_away_for_days_leaves_few_lines_of_each_entry() -> None:
    store, campaign, candidate = await a_house()
    gate = CrmGate(gate=FakeGate(), store=store.pulls, pulls=PULLS)
    now, looks = later(1801), 0

    while now < later(3 * 86_400):
        (verdict,) = await gate.ask(campaign, [candidate], now)
        assert verdict.until is not None
        assert HELD_FOR <= verdict.until - now <= LONGEST_HELD
        now, looks = verdict.until, looks + 1

    assert looks < 20


async def test_where_old_records_are_dialed_they_are_not_held_back() -> None:
    store, campaign, candidate = await a_house()
    dials = replace(RULES, hold=False)
    never = replace(RULES, recheck=None)

    for rules in (dials, never):
        gate = CrmGate(gate=FakeGate(), store=store.pulls, pulls=[rules])
        assert await gate.ask(campaign, [candidate], later(99_999)) == [ALLOWED]


async def test_reading_the_record_wakes_whoever_was_held_back() -> None:
    store, campaign, candidate = await a_house()
    entry = store.tables.entries[candidate.entry_id]
    entry.state, entry.reason, entry.due_at = entry.state.WAITING, "crm_stale", later(9999)

    assert await store.pulls.stale(RULES, before=later(1), limit=9) == ["odoo/lead:1"]
    record = CrmRecord(ref="odoo/lead:1", name="A", numbers=("+4930901820",))
    await store.pulls.take(RULES, PullAnswer(step=PullStep.RECORDS, records=(record,)), at=later(60))

    assert (entry.state, entry.reason, entry.due_at) == ("pending", None, None)
    assert campaign.id == candidate.campaign_id


async def test_the_law_s_refusal_stands_and_nothing_more_is_asked() -> None:
    store, campaign, candidate = await a_house(over="lost")
    law = FakeGate()
    law.verdicts[candidate.number] = Verdict(allowed=False, reason=SkipReason.HOLIDAY, until=later(60))
    gate = CrmGate(gate=law, store=store.pulls, pulls=PULLS)

    (verdict,) = await gate.ask(campaign, [candidate], later(2))
    assert verdict.reason is SkipReason.HOLIDAY


async def test_campaigns_without_pulls_ask_nothing_of_the_store() -> None:
    _, campaign, candidate = await a_house()
    gate = CrmGate(gate=FakeGate(), store=None, pulls=[])  # type: ignore[arg-type]

    assert await gate.ask(campaign, [candidate], NOW + timedelta(days=9)) == [ALLOWED]
