"""A database, opened: the implementations of all ports over one set of connections."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cti.clock import Clock, SystemClock
from cti.errors import StorageError
from cti.storage.address import Address, parse_address
from cti.storage.connections import Connections
from cti.storage.migrate import migrate
from cti.storage.sql_agents import SqlAgents
from cti.storage.sql_bulk import SqlBulk
from cti.storage.sql_callbacks import SqlCallbacks
from cti.storage.sql_callers import SqlCallers
from cti.storage.sql_calls import SqlCalls
from cti.storage.sql_campaigns import SqlCampaigns
from cti.storage.sql_cards import SqlCards
from cti.storage.sql_chances import SqlChances
from cti.storage.sql_compliance import SqlCompliance
from cti.storage.sql_consents import SqlConsents
from cti.storage.sql_crm import SqlCrm
from cti.storage.sql_dictionaries import SqlDictionaries
from cti.storage.sql_do_not_call import SqlDoNotCall
from cti.storage.sql_facts import SqlFacts
from cti.storage.sql_finding import SqlFinding
from cti.storage.sql_follow_ups import SqlFollowUps
from cti.storage.sql_imports import SqlImports
from cti.storage.sql_leads import SqlLeads
from cti.storage.sql_ledger import SqlDecisions, SqlLedger
from cti.storage.sql_look_ups import SqlLookUps
from cti.storage.sql_nodes import SqlNodes
from cti.storage.sql_ownership import SqlOwnership
from cti.storage.sql_pulls import SqlPulls
from cti.storage.sql_quality import SqlQuality
from cti.storage.sql_queue import SqlQueue
from cti.storage.sql_reasons import SqlReasons
from cti.storage.sql_reconciliations import SqlReconciliations
from cti.storage.sql_recordings import SqlRecordings
from cti.storage.sql_search import SqlSearch
from cti.storage.sql_transcripts import SqlTranscripts
from cti.storage.sql_views import SqlViews
from cti.storage.sql_webhooks import SqlHooks, SqlLinks
from cti.storage.sql_work import SqlWork


class Database:
    """The stores. Any number of tasks may use them at once; each method is one transaction.

    StorageError with `temporary` means: nothing is known to be written, try again later with the same Database.
    """

    def __init__(self, connections: Connections, *, clock: Clock) -> None:
        self.label = connections.label
        """Names the place for people; holds no password."""
        self.calls = SqlCalls(connections, clock=clock)
        self.agents = SqlAgents(connections)
        self.campaigns = SqlCampaigns(connections)
        self.work = SqlWork(connections)
        self.facts = SqlFacts(connections)
        self.compliance = SqlCompliance(connections)
        self.do_not_call = SqlDoNotCall(connections)
        self.consents = SqlConsents(connections)
        self.nodes = SqlNodes(connections)
        self.imports = SqlImports(connections)
        self.leads = SqlLeads(connections)
        self.queue = SqlQueue(connections)
        self.reasons = SqlReasons(connections)
        self.callbacks = SqlCallbacks(connections)
        self.callers = SqlCallers(connections)
        self.ownership = SqlOwnership(connections)
        self.finding = SqlFinding(connections)
        self.ledger = SqlLedger(connections)
        self.decisions = SqlDecisions(connections)
        self.views = SqlViews(connections)
        self.bulk = SqlBulk(connections)
        self.dictionaries = SqlDictionaries(connections)
        self.chances = SqlChances(connections)
        self.quality = SqlQuality(connections)
        self.transcripts = SqlTranscripts(connections)
        self.recordings = SqlRecordings(connections)
        self.search = SqlSearch(connections)
        self.crm = SqlCrm(connections)
        self.pulls = SqlPulls(connections)
        self.follow_ups = SqlFollowUps(connections)
        self.reconciliations = SqlReconciliations(connections)
        self.look_ups = SqlLookUps(connections)
        self.hooks = SqlHooks(connections)
        self.cards = SqlCards(connections)
        self.links = SqlLinks(connections)


@asynccontextmanager
async def open_database(
    url: str, *, clock: Clock | None = None, survive_power_loss: bool = True
) -> AsyncIterator[Database]:
    """Open `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`, brought to this code's schema.

    A SQLite file and its folder are made when missing. `survive_power_loss=False` spares SQLite the sync of each
    commit: then a power cut may take the last seconds back, though never the death of the process.
    Raises SettingsError for a URL that means nothing; StorageError when the database cannot be reached (temporary)
    or was made by a newer version (not temporary).
    """
    address = parse_address(url)
    _make_folder(address)
    await migrate(address)
    connections = Connections(address, survive_power_loss=survive_power_loss)
    try:
        yield Database(connections, clock=clock or SystemClock())
    finally:
        await connections.close()


def _make_folder(address: Address) -> None:
    if not address.is_sqlite:
        return
    folder = Path(str(address.url.database)).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"the folder of {address.label} cannot be made: {error.strerror}", temporary=False
        ) from error
