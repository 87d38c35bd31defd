"""Real CRMs to test against, each on this machine's loopback with a database of its own.

odoo: Odoo 19 Community, started from a template that odoo_template makes once. bottle: BottleCRM, its package in a
Python of its own. proxy: loses answers on the way from either. What they need is fetched by `scripts/crm-tools`. They
are neighbours: nothing of theirs is imported here.
"""
