"""The command `cti`, put together."""

import click

from cti import __version__
from cti.cli.agents import agent
from cti.cli.callbacks import callbacks
from cti.cli.calls import calls, disposition, events, reconcile, report
from cti.cli.campaigns import campaign
from cti.cli.chances import chances
from cti.cli.compliance import compliance, consent
from cti.cli.contacts import contacts
from cti.cli.crm import crm
from cti.cli.dial import dial
from cti.cli.dialing import ledger, pacing
from cti.cli.dictionaries import dictionary
from cti.cli.do_not_call import dnc
from cti.cli.imports import imports
from cti.cli.lines import callerid, trunks
from cti.cli.lists import lists
from cti.cli.models import models
from cti.cli.ownership import assign, configure, leave, pool
from cti.cli.quality import quality
from cti.cli.recordings import recordings
from cti.cli.service import check, run
from cti.cli.simulate import simulate
from cti.cli.transcription import retry, show_status
from cti.cli.transcripts import search, transcripts
from cti.cli.views import views
from cti.cli.webhooks import webhook
from cti.cli.why import why


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cti")
def cti() -> None:
    """Waihu: outbound calling on Asterisk."""


agent.add_command(configure)
agent.add_command(leave)
transcripts.add_command(show_status)
transcripts.add_command(retry)
for command in (
    run,
    check,
    campaign,
    lists,
    why,
    callbacks,
    imports,
    callerid,
    trunks,
    agent,
    contacts,
    pool,
    assign,
    views,
    dictionary,
    calls,
    recordings,
    disposition,
    report,
    reconcile,
    events,
    ledger,
    pacing,
    simulate,
    compliance,
    consent,
    dnc,
    chances,
    models,
    quality,
    search,
    transcripts,
    crm,
    dial,
    webhook,
):
    cti.add_command(command)
