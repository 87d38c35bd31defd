"""Reads records out of a CRM for one pull and hands them over. A service, one for each pull.

Knows neither lists nor contacts: what is to be asked next is said by the service, and what the answer means is its
business. Nothing is remembered here, so that a kill at any moment costs one request.
"""

import asyncio
import logging
from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from crm_sync.mapping import Mapping
from crm_sync.port import Crm, CrmError, Deal, PulledRecord
from crm_sync.tab import Tab, on_tab
from crm_sync.trouble import Trouble
from cti.errors import BadInput, Conflict, CtiError
from cti.model.crm import Answer, Rate, RecordRef, record_ref
from cti.model.crm_pulls import CrmDeal, CrmRecord, PullAnswer, PullOrder, PullStanding, PullStep

log = logging.getLogger(__name__)

AWAY_SECONDS: Final = 2.0
"""Between two tries while the service cannot be reached."""
LONGEST_WAIT_SECONDS: Final = 60.0
TAGS: Final = "tags"


class Intake(Protocol):
    """Where orders come from and records go. All methods raise CtiError when it cannot be reached."""

    async def order(
        self, name: str, *, rate: Rate, after: PullStep = PullStep.NOTHING, more_requests: int = 0
    ) -> PullOrder: ...
    async def take(self, name: str, answer: PullAnswer) -> PullStanding: ...
    async def failed(
        self,
        name: str,
        answer: Answer,
        message: str,
        *,
        pause_seconds: float | None = None,
        step: PullStep = PullStep.PAGE,
    ) -> PullStanding: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PullWords:
    """A target's own words, as its mapping file has them, turned towards us."""

    target: str
    logins: Map[str, str]
    """Our agents by the CRM's users."""
    fields: Map[str, str]
    """Our custom fields (or `tags`), and which of the record's fields each is; none: all, by their own names."""
    stages: Map[str, str]

    def record(self, one: PulledRecord) -> CrmRecord:
        """Return a record as the service takes it. Values that are no text become one."""
        named = {ours: one.fields.get(theirs) for ours, theirs in self.fields.items()}
        named = named if self.fields else dict(one.fields)
        tags = named.pop(TAGS, None)
        return CrmRecord(
            ref=self.name_of(one.ref),
            name=one.name,
            numbers=tuple(one.numbers),
            owner=self.logins.get(one.owner, one.owner) if one.owner else None,
            zone=one.zone,
            region=one.region,
            customer=self.name_of(one.customer) if one.customer else None,
            deal=self._deal(one.deal) if one.deal else None,
            stage=self.stages.get(one.stage, one.stage) if one.stage else None,
            do_not_call=one.do_not_call,
            consent=one.consent,
            over=one.over,
            next_follow_up_at=one.next_follow_up_at,
            next_follow_up_on=one.next_follow_up_on,
            changed_at=one.changed_at,
            fields={ours: text for ours, value in named.items() if (text := text_of(value))},
            tags=tuple(text_of(tag) for tag in _listed(tags)),
        )

    def name_of(self, ref: RecordRef) -> str:
        """Return a reference as it is written on our side: `TARGET/KIND:ID`."""
        return f"{self.target}/{ref}"

    def ref_of(self, name: str) -> RecordRef:
        """Return the record that a reference of ours means. Raises BadInput."""
        found = record_ref(name, target=self.target)
        if found is None:
            raise BadInput(f"{name!r} is no record of {self.target}")
        return found

    def _deal(self, deal: Deal) -> CrmDeal:
        return CrmDeal(
            ref=self.name_of(deal.ref),
            name=deal.name,
            stage=deal.stage,
            amount=deal.amount,
            currency=deal.currency,
        )


def words_of(mapping: Mapping) -> PullWords:
    """Return a mapping's words, turned round: who our agents are there, the other way."""
    users = mapping.users
    logins = {theirs: ours for ours, theirs in users.map.items()} if users.by == "agent" else {}
    return PullWords(
        target=mapping.target, logins=logins, fields=mapping.pull.fields, stages=mapping.pull.stages
    )


class PullReader:
    """Reads for one pull."""

    def __init__(
        self, *, pull: str, source: str, crm: Crm, words: PullWords, intake: Intake, rate: Rate
    ) -> None:
        self.name = f"pull {pull}"
        self._pull = pull
        self._source = source
        self._crm = crm
        self._words = words
        self._intake = intake
        self._rate = rate
        self._last = PullStep.NOTHING
        self._more_requests = 0
        """That the last orders took beyond the one that is paid with each, and that are not told yet."""
        self._trouble = Trouble(log, self.name)
        self.records = 0
        """Read by this process."""

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            await self._pause(await self.step())

    @staticmethod
    async def _pause(seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def step(self) -> float:
        """Ask for an order and carry it out; return after how many seconds to ask again."""
        try:
            order = await self._intake.order(
                self._pull, rate=self._rate, after=self._last, more_requests=self._more_requests
            )
            self._more_requests = 0
            self._trouble.tell("" if order.state == "ok" else f"the target is {order.state}")
            self._last = order.step
            if order.step is PullStep.NOTHING:
                return min(order.wait_seconds, LONGEST_WAIT_SECONDS)
            await self._carry_out(order)
        except Conflict:
            log.info("%s: another process has read on", self.name)
        except CtiError as error:
            self._trouble.tell(f"cannot go on now: {error}")
            return AWAY_SECONDS
        return 0.0

    async def drain(self) -> None:
        """Read until there is nothing to be asked now (for commands and tests)."""
        while True:
            await self.step()
            if self._last is PullStep.NOTHING:
                return

    async def _carry_out(self, order: PullOrder) -> None:
        tab = Tab(paid=1)
        try:
            with on_tab(tab):
                answer = await self._asked(order)
        except CrmError as error:
            await self._failed(order.step, error.answer, str(error), error.pause_seconds)
        except BadInput as error:
            await self._failed(order.step, Answer.PERMANENT, str(error), None)
        except CtiError:
            raise
        except Exception as error:  # a bug in an adapter, or an answer that it did not foresee
            log.exception("%s: the adapter failed", self.name)
            said = f"the adapter failed: {type(error).__name__}: {error}"
            await self._failed(order.step, Answer.RETRY, said, None)
        else:
            self.records += len(answer.records)
            await self._intake.take(self._pull, answer)
        finally:
            self._more_requests += tab.owed

    async def _failed(
        self, step: PullStep, answer: Answer, message: str, pause_seconds: float | None
    ) -> None:
        self._trouble.tell(f"{answer}: {message}")
        await self._intake.failed(self._pull, answer, message, pause_seconds=pause_seconds, step=step)

    async def _asked(self, order: PullOrder) -> PullAnswer:
        if order.step is PullStep.PAGE:
            page = await self._crm.pull(self._source, cursor=order.cursor, limit=order.limit)
            return PullAnswer(
                step=order.step,
                records=self._read(page.records),
                before=order.cursor,
                cursor=page.cursor,
                more=page.more,
            )
        wanted = {self._words.ref_of(name): name for name in order.refs}
        found = await self._crm.records(list(wanted))
        return PullAnswer(
            step=order.step,
            records=self._read([one for ref, one in found.items() if ref in wanted]),
            gone=tuple(name for ref, name in wanted.items() if ref not in found),
            cursor=order.cursor,
        )

    def _read(self, records: Sequence[PulledRecord]) -> tuple[CrmRecord, ...]:
        return tuple(self._words.record(one) for one in records)


def text_of(value: Any) -> str:
    """Return a value of a CRM's field as text; empty for nothing, false, and what has no plain text."""
    if value is None or value is False or isinstance(value, Map):
        return ""
    if isinstance(value, (list, tuple)):
        return ", ".join(text for one in value if (text := text_of(one)))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _listed(value: Any) -> Sequence[Any]:
    if value is None or value is False:
        return ()
    if isinstance(value, str):
        return [part for part in value.replace(";", ",").split(",") if part.strip()]
    return list(value) if isinstance(value, (list, tuple)) else [value]
