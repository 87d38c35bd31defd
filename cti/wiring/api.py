"""Says what the HTTP API is given of each room. Starts nothing."""

from cti.clock import Clock
from cti.reports.service import Reports
from cti.settings import Settings
from cti.web.deps import Deps
from cti.wiring.hooks import dial_desk
from cti.wiring.parts import Parts


def deps_of(parts: Parts, *, settings: Settings, clock: Clock) -> Deps:
    """Return what the API's handlers are given."""
    database, dialing = parts.database, parts.dialing
    facts = database.facts
    return Deps(
        agents=parts.agents,
        campaigns=parts.campaigns,
        imports=parts.people.importer,
        leads=parts.people.leads,
        lines=parts.exchange.desk,
        calls=parts.calls.desk,
        dictionaries=parts.dictionaries,
        ownership=parts.people.ownership,
        distributor=parts.people.distributor,
        contacts=parts.people.contacts,
        bulk=parts.people.bulk,
        views=parts.people.views,
        facts=facts,
        reports=Reports(facts=facts, agents=parts.agents.agents, clock=clock),
        reconciler=parts.exchange.reconciler(facts),
        nodes=parts.exchange.board,
        compliance=parts.compliance.desk,
        do_not_call=parts.compliance.do_not_call,
        consents=parts.compliance.consents,
        previews=dialing.previews,
        by_hand=dialing.by_hand,
        ledger=dialing.ledger,
        decisions=dialing.decisions,
        recycler=dialing.recycler,
        callbacks=parts.callbacks.desk,
        whys=dialing.whys,
        chances=parts.chances.learner,
        transcription=parts.transcription.desk,
        quality=parts.quality.desks,
        transcripts=database.transcripts,
        search=database.search,
        crm=parts.crm.desk,
        pulls=parts.crm.pulls,
        look_ups=parts.crm.look_ups,
        records=parts.crm.records,
        hooks=parts.hooks.desk,
        dial=dial_desk(
            settings=settings,
            database=database,
            clock=clock,
            by_hand=dialing.by_hand,
            campaigns=parts.campaigns,
            agents=parts.agents,
        ),
        bus=parts.bus,
        clock=clock,
        recordings=parts.recordings.desk,
        pauses=parts.recordings.pauses,
        space=parts.recordings.space,
        templates=settings.templates(),
        region=settings.dialer.region,
    )
