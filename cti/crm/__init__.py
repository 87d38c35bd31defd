"""The service's side of the CRMs: which work a call leaves for them, and how that work is handed out.

Knows no CRM and writes to none: that is done by `crm_sync`, a process of its own.
"""
