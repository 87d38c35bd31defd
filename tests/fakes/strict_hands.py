"""A user of the CRM in memory, and a mapping that writes to it."""

import itertools

from crm_sync.mapping import mapping_of
from cti.model.crm import RecordRef
from tests.fakes.strict_crm import Row, StrictCrm

MAPPING = mapping_of(
    {
        "fields": {
            "subject": "Call to {number}",
            "status": "held",
            "started": "{placed_at|iso}",
            "seconds": "{total_seconds}",
            "note": {"from": "note", "empty": "null"},
        },
        "records": {"kind": "lead"},
    },
    target="strict",
    where="strict.toml",
)


class StrictHands:
    """A user of the CRM in memory."""

    def __init__(self, server: StrictCrm) -> None:
        self.server = server
        self._ids = itertools.count(1)

    async def delete(self, remote: RecordRef) -> None:
        del self.server.rows[remote.id]

    async def double(self, remote: RecordRef) -> RecordRef:
        row = self.server.rows[remote.id]
        twin = f"copy{next(self._ids)}"
        self.server.rows[twin] = Row(id=twin, mark=row.mark, home=row.home, fields=dict(row.fields))
        return RecordRef("call", twin)

    async def change(self, remote: RecordRef) -> str:
        self.server.rows[remote.id].fields["note"] = "wrong person"
        return "note"
