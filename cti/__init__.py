"""Waihu: outbound calling on Asterisk. The map of the house:

model      the words of the business: values and enums
rules      reads and tells a campaign's rules
ami        Asterisk's manager interface: messages in, signals and call states out; orders to the exchange
pacing     how many calls to place now
compliance may this number be dialed now
contacts   contacts and lists: brought in, found, changed by the thousand; dictionaries
ownership  who owns which contact; the public pool
lines      by which trunk a call leaves, and which number it shows
chances    how likely a person answers, learned contact by contact
simulate   what-if: a floor, a clock and callees in memory, paced by the real pacing code
dialer     who is called next, and who talks to whom
recording  raw sound on a node -> a checked two-channel file; kept, moved, sealed, paused, deleted
asr        recordings -> transcripts
search     finding what was said
quality    judging calls by what was said
crm        which work calls leave for CRMs, and how it is handed out; `crm_sync` does it
hooks      other programs told and asked: webhooks, screen pop, links that dial
work       the durable work table's port and the service that runs it
storage    SQLAlchemy tables and the implementations of the ports; migrations
node       the node contract: files for Asterisk, CEL, the checks of `cti check`
reports    figures from facts; reconciliation with Asterisk's own records
web        HTTP API and WebSocket
wiring     the rooms of the composition root, one for each subject
cli        the command `cti`
"""

__version__ = "0.1.0"
