"""`HookStore`, `CardStore` and `LinkStore` in memory."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime

from cti.errors import Conflict, NotFound
from cti.model.pops import ContactCard
from cti.model.webhooks import Delivery, DeliveryFilter, DeliveryState, Webhook
from cti.model.work import NewWork
from tests.fakes.memory_tables import MemoryTables


class MemoryHooks:
    """Webhooks in a dictionary, deliveries by webhook and event."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()

    async def webhooks(self) -> list[Webhook]:
        return [self._tables.webhooks[key] for key in sorted(self._tables.webhooks)]

    async def add(self, webhook: Webhook) -> Webhook:
        self._must_be_free(webhook.name, 0)
        made = replace(webhook, id=self._tables.new_id())
        self._tables.webhooks[made.id] = made
        return made

    async def save(self, webhook: Webhook) -> None:
        self._must_be_free(webhook.name, webhook.id)
        if webhook.id not in self._tables.webhooks:
            raise NotFound(f"there is no webhook {webhook.id}")
        self._tables.webhooks[webhook.id] = webhook

    async def remove(self, webhook_id: int) -> None:
        if self._tables.webhooks.pop(webhook_id, None) is None:
            raise NotFound(f"there is no webhook {webhook_id}")
        for key in [key for key in self._tables.deliveries if key[0] == webhook_id]:
            del self._tables.deliveries[key]

    async def note(self, deliveries: Sequence[Delivery]) -> None:
        for one in deliveries:
            if one.webhook_id not in self._tables.webhooks:
                continue
            key = (one.webhook_id, one.event_id)
            known = self._tables.deliveries.get(key)
            if known is not None:
                attempts = known.attempts + one.attempts
                accepted = DeliveryState.DELIVERED in (known.state, one.state)
                later = known if accepted and one.state is not DeliveryState.DELIVERED else one
                one = replace(later, body=known.body, attempts=attempts)
            self._tables.deliveries[key] = one

    async def deliveries(self, wanted: DeliveryFilter) -> list[Delivery]:
        return self._some(wanted)[::-1][: wanted.limit]

    async def replay(
        self,
        wanted: DeliveryFilter,
        *,
        event_ids: Collection[str] | None = None,
        work_of: Callable[[Delivery], NewWork],
        now: datetime,
    ) -> int:
        chosen = [
            one
            for one in self._some(wanted)
            if one.state is not DeliveryState.WAITING and (event_ids is None or one.event_id in event_ids)
        ][: wanted.limit]
        for one in chosen:
            again = replace(one, state=DeliveryState.WAITING, attempts=0, error=None, status=None)
            self._tables.deliveries[one.webhook_id, one.event_id] = again
        self._tables.write_works([work_of(one) for one in chosen], now)
        return len(chosen)

    async def count(self, webhook_id: int) -> dict[DeliveryState, int]:
        return dict(
            Counter(one.state for key, one in self._tables.deliveries.items() if key[0] == webhook_id)
        )

    async def forget(self, *, before: datetime, limit: int) -> int:
        old = [
            key
            for key, one in sorted(self._tables.deliveries.items(), key=lambda pair: pair[1].at)
            if one.at < before and one.state is not DeliveryState.WAITING
        ][:limit]
        for key in old:
            del self._tables.deliveries[key]
        return len(old)

    def _some(self, wanted: DeliveryFilter) -> list[Delivery]:
        """Return what is wanted, the oldest event first, all of it."""
        found = [
            one
            for one in self._tables.deliveries.values()
            if one.webhook_id == wanted.webhook_id
            and wanted.state in (None, one.state)
            and wanted.type in (None, one.type)
            and (wanted.since is None or one.at >= wanted.since)
            and (wanted.until is None or one.at < wanted.until)
        ]
        return sorted(found, key=lambda one: one.at)

    def _must_be_free(self, name: str, own_id: int) -> None:
        if any(one.name == name and one.id != own_id for one in self._tables.webhooks.values()):
            raise Conflict(f"there is a webhook {name!r} already")


class MemoryCards:
    """Contacts in short."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()

    async def card(self, contact_id: int) -> ContactCard | None:
        return self._card(contact_id) if contact_id in self._tables.contacts else None

    async def with_number(self, number: str, *, limit: int) -> list[ContactCard]:
        contacts = self._tables.contacts
        having = [one for one in sorted(contacts) if number in {n.e164 for n in contacts[one].numbers}]
        return [self._card(one) for one in having[:limit]]

    async def with_record(self, crm_ref: str, *, limit: int) -> list[ContactCard]:
        cards = [self._card(one) for one in sorted(self._tables.contacts)]
        return [card for card in cards if card.crm_ref == crm_ref][:limit]

    def _card(self, contact_id: int) -> ContactCard:
        contact, columns = self._tables.contacts[contact_id], self._tables.contact_columns[contact_id]
        told = ("name", "stage", "crm_ref", "crm_customer", "crm_contact", "crm_deal", "fields")
        values = {name: columns.get(name, getattr(contact, name)) for name in told}
        owner = self._tables.ownerships[contact_id].owner
        return ContactCard(contact_id=contact_id, owner_agent_id=owner, deal=columns.get("deal"), **values)


class MemoryLinks:
    """Links that were used."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()

    async def use(self, nonce: str, *, expires_at: datetime, at: datetime) -> bool:
        if nonce in self._tables.used_links:
            return False
        self._tables.used_links[nonce] = expires_at
        return True

    async def unuse(self, nonce: str) -> None:
        self._tables.used_links.pop(nonce, None)

    async def forget(self, *, before: datetime) -> int:
        old = [nonce for nonce, expires_at in self._tables.used_links.items() if expires_at < before]
        for nonce in old:
            del self._tables.used_links[nonce]
        return len(old)
