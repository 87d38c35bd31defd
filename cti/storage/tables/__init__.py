"""The schema as the code sees it. `migrations/` makes it; a test holds the two together.

One module for each subject; every index is there for a query named beside it. Not here: who may write what when, see
the `sql_` files.
"""

from cti.storage.tables.agents import agent_campaigns, agent_changes, agents
from cti.storage.tables.calls import attempts, calls, legs, open_only
from cti.storage.tables.campaigns import campaigns
from cti.storage.tables.compliance import (
    consents,
    current_only,
    do_not_call,
    do_not_call_changes,
    register_numbers,
    registers,
)
from cti.storage.tables.contacts import (
    contacts,
    later,
    list_entries,
    lists,
    numbers,
    parked,
    pending,
    refused_rows,
)
from cti.storage.tables.crm import (
    crm_findings,
    crm_links,
    crm_look_ups,
    crm_reconciliations,
    crm_targets,
)
from cti.storage.tables.crm_pulls import (
    crm_follow_links,
    crm_pulls,
    crm_records,
    follow_up_waits,
    still_there,
    with_entry,
    with_problem,
)
from cti.storage.tables.finding import (
    bulk_actions,
    contact_changes,
    contact_tags,
    dictionary_entries,
    saved_views,
)
from cti.storage.tables.imports import import_changes, import_refusals, imports, lead_keys
from cti.storage.tables.learned import chance_fits
from cti.storage.tables.ledger import pacing_decisions
from cti.storage.tables.lines import caller_ids, caller_pools
from cti.storage.tables.ownership import given_back, owner_moves, rotas
from cti.storage.tables.quality import (
    broken_only,
    call_judgements,
    call_verdicts,
    in_queue,
    keyword_rules,
    no_calibration,
    rescans,
    review_answers,
    review_comments,
    review_queue,
    review_steps,
    reviews,
    running_rescan,
    score_cards,
)
from cti.storage.tables.recordings import (
    being_deleted,
    recording_holds,
    recording_pauses,
    recording_peaks,
    recordings,
    still_paused,
    with_file,
)
from cti.storage.tables.retry import callback_moves, callbacks, entry_reasons, still_open
from cti.storage.tables.schema import metadata
from cti.storage.tables.transcripts import call_marks, current_transcripts, segments, transcripts
from cti.storage.tables.webhooks import used_links, webhook_deliveries, webhooks
from cti.storage.tables.works import given_up, nodes, not_done, over, waiting, work

__all__ = [
    "agent_campaigns",
    "agent_changes",
    "agents",
    "attempts",
    "being_deleted",
    "broken_only",
    "bulk_actions",
    "call_judgements",
    "call_marks",
    "call_verdicts",
    "callback_moves",
    "callbacks",
    "caller_ids",
    "caller_pools",
    "calls",
    "campaigns",
    "chance_fits",
    "consents",
    "contact_changes",
    "contact_tags",
    "contacts",
    "crm_findings",
    "crm_follow_links",
    "crm_links",
    "crm_look_ups",
    "crm_pulls",
    "crm_reconciliations",
    "crm_records",
    "crm_targets",
    "current_only",
    "current_transcripts",
    "dictionary_entries",
    "do_not_call",
    "do_not_call_changes",
    "entry_reasons",
    "follow_up_waits",
    "given_back",
    "given_up",
    "import_changes",
    "import_refusals",
    "imports",
    "in_queue",
    "keyword_rules",
    "later",
    "lead_keys",
    "legs",
    "list_entries",
    "lists",
    "metadata",
    "no_calibration",
    "nodes",
    "not_done",
    "numbers",
    "open_only",
    "over",
    "owner_moves",
    "pacing_decisions",
    "parked",
    "pending",
    "recording_holds",
    "recording_pauses",
    "recording_peaks",
    "recordings",
    "refused_rows",
    "register_numbers",
    "registers",
    "rescans",
    "review_answers",
    "review_comments",
    "review_queue",
    "review_steps",
    "reviews",
    "rotas",
    "running_rescan",
    "saved_views",
    "score_cards",
    "segments",
    "still_open",
    "still_paused",
    "still_there",
    "transcripts",
    "used_links",
    "waiting",
    "webhook_deliveries",
    "webhooks",
    "with_entry",
    "with_file",
    "with_problem",
    "work",
]
