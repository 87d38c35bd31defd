"""All stores in memory, over the same rows: the twin of `cti.storage.database.Database`, for unit tests."""

from tests.fakes.memory_agents import MemoryAgents
from tests.fakes.memory_bulk import MemoryBulk
from tests.fakes.memory_callbacks import MemoryCallbacks
from tests.fakes.memory_callers import MemoryCallers
from tests.fakes.memory_calls import MemoryCalls
from tests.fakes.memory_campaigns import MemoryCampaigns
from tests.fakes.memory_chances import MemoryChances
from tests.fakes.memory_compliance import MemoryCompliance
from tests.fakes.memory_consents import MemoryConsents
from tests.fakes.memory_crm import MemoryCrm
from tests.fakes.memory_dictionaries import MemoryDictionaries
from tests.fakes.memory_do_not_call import MemoryDoNotCall
from tests.fakes.memory_facts import MemoryFacts
from tests.fakes.memory_finding import MemoryFinding
from tests.fakes.memory_follow_ups import MemoryFollowUps
from tests.fakes.memory_imports import MemoryImports
from tests.fakes.memory_ledger import MemoryDecisions, MemoryLedger
from tests.fakes.memory_look_ups import MemoryLookUps
from tests.fakes.memory_nodes import MemoryNodes
from tests.fakes.memory_ownership import MemoryOwnership
from tests.fakes.memory_pulls import MemoryPulls
from tests.fakes.memory_quality import MemoryQuality
from tests.fakes.memory_queue import MemoryQueue
from tests.fakes.memory_reasons import MemoryReasons
from tests.fakes.memory_reconciliations import MemoryReconciliations
from tests.fakes.memory_recordings import MemoryRecordings
from tests.fakes.memory_search import MemorySearch
from tests.fakes.memory_tables import MemoryTables
from tests.fakes.memory_transcripts import MemoryTranscripts
from tests.fakes.memory_views import MemoryViews
from tests.fakes.memory_webhooks import MemoryCards, MemoryHooks, MemoryLinks
from tests.fakes.memory_work import MemoryWork


class MemoryStore:
    """One set of rows behind every port; `tables` is open for tests to look at."""

    def __init__(self) -> None:
        self.tables = MemoryTables()
        self.calls = MemoryCalls(self.tables)
        self.agents = MemoryAgents(self.tables)
        self.campaigns = MemoryCampaigns(self.tables)
        self.work = MemoryWork(self.tables)
        self.facts = MemoryFacts(self.tables)
        self.nodes = MemoryNodes(self.tables)
        self.imports = self.leads = MemoryImports(self.tables)
        self.queue = MemoryQueue(self.tables)
        self.reasons = MemoryReasons(self.tables)
        self.callbacks = MemoryCallbacks(self.tables)
        self.callers = MemoryCallers(self.tables)
        self.ownership = MemoryOwnership(self.tables)
        self.compliance = MemoryCompliance(self.tables)
        self.do_not_call = MemoryDoNotCall(self.tables)
        self.consents = MemoryConsents(self.tables)
        self.finding = MemoryFinding(self.tables)
        self.ledger = MemoryLedger(self.tables)
        self.decisions = MemoryDecisions()
        self.views = MemoryViews(self.tables)
        self.bulk = MemoryBulk(self.tables)
        self.dictionaries = MemoryDictionaries(self.tables)
        self.chances = MemoryChances(self.tables)
        self.quality = MemoryQuality(self.tables)
        self.transcripts = MemoryTranscripts(self.tables)
        self.recordings = MemoryRecordings(self.tables)
        self.search = MemorySearch(self.tables)
        self.crm = MemoryCrm(self.tables)
        self.pulls = MemoryPulls(self.tables)
        self.follow_ups = MemoryFollowUps(self.tables)
        self.reconciliations = MemoryReconciliations(self.tables)
        self.look_ups = MemoryLookUps()
        self.hooks = MemoryHooks(self.tables)
        self.cards = MemoryCards(self.tables)
        self.links = MemoryLinks(self.tables)
