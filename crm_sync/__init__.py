"""Keeps CRMs and calls in step, in a process of its own: a slow CRM never slows a call. The map:

port         what an adapter of a CRM is: `Crm`, what it can do, how it answers
mapping      our fields to theirs, as the target's TOML file says; pure. template: the small language of its texts
push         leases calls that wait for a target and writes them there
pull         brings a CRM's records into campaigns' lists
follow_up    writes callbacks and contacts' follow-ups
reconciler   holds calls and CRM together; reconcile, differences, fingerprint: what it decides, pure
paying       pays for the requests of a reconciliation
adapters     which adapter a target has; each has a room: odoo, bottle, hubspot, bitrix24, fxiaoke, rest
requests     how adapters ask over HTTP; keyset, results, users, numbers, reading_tables: what several of them share
tab, purse   what asking costs: counted as requests leave, paid out of the account's budget
house        where work comes from: the database, or the service's API (feeds, pull_feed, run_feed)
composition  puts the process together
"""
