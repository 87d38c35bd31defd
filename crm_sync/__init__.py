"""Brings calls into CRMs, in a process of its own: a slow CRM never slows a call. The map:

port       what an adapter of a CRM is: `Crm`, what it can do, how it answers
mapping    our fields to theirs, as the target's TOML file says; pure
template   the small language of texts in mappings; pure
push       leases calls that wait for a target and writes them there
gate       when a target may be written to: pauses, stops; pure
rest       the generic adapter: any CRM with a REST interface, by templates
adapters   which adapter a target has
feeds      where work comes from: the database, or the service's API
"""
