"""The gate over stores in memory: facts read each time, batches, zones, findings."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cti.compliance.consents import NewConsent
from cti.compliance.facts import ConsentStanding
from cti.compliance.gate import ComplianceGate
from cti.compliance.listings import NewListing
from cti.compliance.profiles import SHIPPED, Profiles, load_profiles
from cti.errors import BadInput
from cti.model.campaign_rules import CampaignRules, ComplianceRules
from cti.model.contacts import Campaign, Candidate
from cti.model.verdicts import ALLOWED, SkipReason
from tests.builders import NOW, a_campaign, a_candidate, later, some_contacts
from tests.fakes.memory_store import MemoryStore

PROFILES = load_profiles(SHIPPED)


def under(profile: str, **overrides: Any) -> Campaign:
    compliance = ComplianceRules(profile=profile, overrides=overrides)
    return a_campaign(rules=CampaignRules(compliance=compliance))


class Floor:
    """A gate and what is behind it."""

    def __init__(self, profiles: Profiles = PROFILES) -> None:
        self.store = MemoryStore()
        self.gate = ComplianceGate(store=self.store.compliance, profiles=profiles)

    async def contacts(self, count: int) -> list[Candidate]:
        campaign = await self.store.campaigns.add_campaign(a_campaign())
        await self.store.campaigns.add_list(
            campaign_id=campaign.id, name="first", source="", contacts=some_contacts(count), at=NOW
        )
        return await self.store.campaigns.next_candidates(campaign.id, limit=count)


async def test_a_number_that_is_listed_meanwhile_is_refused_the_next_time() -> None:
    floor = Floor()
    [candidate] = await floor.contacts(1)

    before = await floor.gate.ask(under("none"), [candidate], NOW)
    await floor.store.do_not_call.add([NewListing(key=candidate.number)], by="anna", at=NOW)
    after = await floor.gate.ask(under("none"), [candidate], NOW)

    assert before == [ALLOWED]
    assert [one.reason for one in after] == [SkipReason.DO_NOT_CALL]


async def test_consent_that_is_withdrawn_refuses_under_every_profile() -> None:
    floor = Floor()
    [candidate] = await floor.contacts(1)
    said = NewConsent(
        contact_id=candidate.contact_id, standing=ConsentStanding.WITHDRAWN, at=NOW, source="call"
    )
    await floor.store.consents.record([said], by="anna", at=NOW)

    [found] = await floor.gate.ask(under("none"), [candidate], NOW)

    assert found.reason is SkipReason.NO_CONSENT


async def test_two_contacts_with_one_number_do_not_both_pass_a_limit_of_one() -> None:
    floor = Floor()
    once = under("none", windows=[{"calls": 1, "seconds": 60}])
    twins = [a_candidate(contact_id=1), a_candidate(contact_id=2)]

    verdicts = await floor.gate.ask(once, twins, NOW)

    assert verdicts[0] == ALLOWED
    assert (verdicts[1].reason, verdicts[1].until) == (SkipReason.FREQUENCY, later(60))


async def test_looking_at_many_counts_each_for_himself() -> None:
    floor = Floor()
    once = under("none", windows=[{"calls": 1, "seconds": 60}])

    assert await floor.gate.look(once, [a_candidate(contact_id=1), a_candidate(contact_id=2)], NOW) == [
        ALLOWED,
        ALLOWED,
    ]


async def test_one_contact_who_stands_in_a_batch_twice_passes_a_limit_of_one_once() -> None:
    floor = Floor()
    numbers = [a_candidate(), a_candidate(number="+4930901821")]

    verdicts = await floor.gate.ask(under("none", attempts_total=1), numbers, NOW)

    assert [one.reason for one in verdicts] == [None, SkipReason.ATTEMPTS_TOTAL]


async def test_rules_that_name_no_profile_let_nobody_through() -> None:
    with pytest.raises(BadInput, match="there is no profile 'gone'"):
        await Floor().gate.ask(under("gone"), [a_candidate()], NOW)


def test_open_zones_are_those_within_the_hours_and_those_that_only_the_number_tells() -> None:
    noon_in_new_york = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
    zones = ["America/New_York", "Asia/Shanghai", "", "Mars/Base"]

    found = Floor().gate.open_zones(under("us"), zones, noon_in_new_york)

    assert found == {"America/New_York", "", "Mars/Base"}
    assert Floor().gate.open_zones(under("none"), zones, noon_in_new_york) == set(zones)


def test_a_campaign_s_own_settings_are_held_against_its_profile() -> None:
    campaign = a_campaign(
        ring_seconds=10.0, rules=CampaignRules(compliance=ComplianceRules(profile="us")), caller_id=""
    )

    found = {one.subject: one for one in Floor().gate.findings(campaign)}

    assert not found["profile us: ring_seconds"].ok
    assert found["profile us: ring_seconds"].mend == "set it to at least 15"
    assert found["profile us: grace_seconds"].ok
    assert found["profile us: drop_target"].ok
    assert not found["profile us: caller_id"].ok


def test_what_a_campaign_loosens_is_a_finding() -> None:
    [found] = [
        one for one in Floor().gate.findings(under("cn", consent="not_needed")) if one.subject == "profile cn"
    ]

    assert found.message == "consent: less strict than the profile"
    assert not found.ok
