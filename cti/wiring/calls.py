"""Puts together how calls are written down, and what agents say of them. Starts nothing."""

from collections.abc import Callable, Set

from cti.bus import EventBus
from cti.compliance.do_not_call import DoNotCall
from cti.contacts.dictionary_desk import DictionaryDesk
from cti.crm.targets import CallFollowers
from cti.dialer.call_desk import CallDesk
from cti.dialer.campaign_desk import CampaignDesk
from cti.dialer.exchange_ports import OpenCalls
from cti.dialer.journal import Journal
from cti.dialer.retry import RetryPlan
from cti.storage.database import Database
from cti.wiring.hooks import Hooks, waking
from cti.work.runner import WorkRunner


class CallRoom:
    """The parts, wired."""

    def __init__(
        self,
        *,
        database: Database,
        bus: EventBus,
        open_calls: OpenCalls,
        campaigns: CampaignDesk,
        dictionaries: DictionaryDesk,
        do_not_call: DoNotCall,
        finals: Callable[[int], Set[str]],
        followers: CallFollowers,
        hooks: Hooks,
        work: WorkRunner,
    ) -> None:
        """`finals` says after which dispositions of a campaign nobody calls again."""
        plan = RetryPlan(campaigns.rules, finals=finals)
        self.journal = Journal(
            calls=database.calls,
            agents=database.agents,
            on_work=waking(work, hooks.work),
            plan=plan,
            tell=hooks.book.tell,
            follow=followers.ended,
        )
        self.desk = CallDesk(
            store=database.calls,
            open_calls=open_calls,
            bus=bus,
            dispositions=dictionaries,
            do_not_call=do_not_call,
            plan=plan,
            follow=followers.disposed,
            material=lambda campaign_id: campaigns.rules(campaign_id).material,
            tell=hooks.book.tell,
            on_work=hooks.work.wake,
        )
