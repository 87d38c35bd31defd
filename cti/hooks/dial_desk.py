"""Click to dial from a CRM's record: finds whom it means, and lets click to call do the rest, under all its rules.

Nobody is guessed: where a number or a record belongs to several contacts, they are named and none is called.
"""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from cti.clock import Clock
from cti.errors import BadInput, Conflict, NodeDown, NotFound
from cti.hooks.links import DialLink, LinkRefused, read, signed
from cti.hooks.ports import CardStore, Dial, LinkStore
from cti.model.agents import Agent
from cti.model.calls import Call
from cti.model.contacts import Campaign, CampaignState
from cti.model.pops import MOST_MATCHES, ContactCard


class Several(Conflict):
    """More than one contact is meant."""

    def __init__(self, message: str, cards: Sequence[ContactCard]) -> None:
        super().__init__(message)
        self.cards = tuple(cards)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whom an agent wants to call. At least one of `contact_id`, `number` and `crm_ref`."""

    agent: str
    campaign: str | None = None
    contact_id: int | None = None
    number: str | None = None
    crm_ref: str | None = None


_NOBODY: Final = "give contact_id, number or crm_ref: nobody is named"


class DialDesk:
    """Calls that a CRM's page asks for."""

    def __init__(
        self,
        *,
        cards: CardStore,
        links: LinkStore,
        dial: Dial,
        agent: Callable[[str], Agent],
        campaigns: Callable[[], Sequence[Campaign]],
        has: Callable[[int, int], Awaitable[bool]],
        number_of: Callable[[str], str],
        clock: Clock,
        keys: Sequence[str] = (),
        address: str = "",
        longest: timedelta = timedelta(seconds=300),
    ) -> None:
        """`has`: whether a campaign's lists hold a contact; `number_of`: a number as it is written, as E.164."""
        self._cards = cards
        self._links = links
        self._dial = dial
        self._agent = agent
        self._campaigns = campaigns
        self._has = has
        self._number_of = number_of
        self._clock = clock
        self._keys = tuple(keys)
        self._address = address
        self._longest = longest

    async def dial(self, wanted: Wanted) -> Call:
        """Call him. Raises NotFound, BadInput, Several, and what click to call raises."""
        contact_id = await self._contact(wanted)
        campaign = await self._campaign(wanted, contact_id)
        return await self._dial.call(
            wanted.agent, campaign_id=campaign.id, contact_id=contact_id, crm_ref=wanted.crm_ref
        )

    def link(self, wanted: Wanted, *, seconds: float | None = None) -> tuple[str, DialLink]:
        """Return a link's address and what it says. Raises Conflict without a key, BadInput, NotFound (agent)."""
        if not self._keys:
            raise Conflict("there are no links: dial_links.keys of the settings is empty")
        if wanted.contact_id is None and wanted.number is None and wanted.crm_ref is None:
            raise BadInput(_NOBODY)
        longest = self._longest.total_seconds()
        if seconds is not None and not 0 < seconds <= longest:
            raise BadInput(f"seconds: must be more than 0 and at most {longest:g}")
        made = DialLink(
            agent=self._agent(wanted.agent).login,
            campaign=wanted.campaign,
            contact_id=wanted.contact_id,
            number=wanted.number,
            crm_ref=wanted.crm_ref,
            expires_at=self._clock.now() + timedelta(seconds=seconds or longest),
            nonce=secrets.token_urlsafe(18),
        )
        return f"{self._address}/dial/{signed(made, key=self._keys[0])}", made

    def read(self, token: str) -> DialLink:
        """Return what a link says; it is not used by that. Raises LinkRefused."""
        if not self._keys:
            raise LinkRefused("there are no links here")
        longest = self._longest.total_seconds()
        return read(token, keys=self._keys, now=self._clock.now(), longest_seconds=longest)

    async def follow(self, token: str) -> Call:
        """Use a link. Raises LinkRefused (also when it was used), and what `dial` raises.

        It is noted as used before anybody is called, so that of two clicks one calls. Where nobody could be called at
        all, it may be used again.
        """
        link = self.read(token)
        if not await self._links.use(link.nonce, expires_at=link.expires_at, at=self._clock.now()):
            raise LinkRefused("this link was used already")
        wanted = Wanted(
            agent=link.agent,
            campaign=link.campaign,
            contact_id=link.contact_id,
            number=link.number,
            crm_ref=link.crm_ref,
        )
        try:
            return await self.dial(wanted)
        except (NotFound, Conflict, BadInput, NodeDown):
            await self._links.unuse(link.nonce)
            raise

    async def _contact(self, wanted: Wanted) -> int:
        """Return who is meant: the contact named, else the one with the number, else the one with the record."""
        if wanted.contact_id is not None:
            if await self._cards.card(wanted.contact_id) is None:
                raise NotFound(f"there is no contact {wanted.contact_id}")
            return wanted.contact_id
        if wanted.number is not None:
            number = self._number_of(wanted.number)
            found, what = await self._cards.with_number(number, limit=MOST_MATCHES), f"the number {number}"
            if wanted.crm_ref is not None and len(found) > 1:
                # the record itself says which of them
                found = [card for card in found if card.crm_ref == wanted.crm_ref] or found
        elif wanted.crm_ref is not None:
            found = await self._cards.with_record(wanted.crm_ref, limit=MOST_MATCHES)
            what = f"the record {wanted.crm_ref}"
        else:
            raise BadInput(_NOBODY)
        return _only(found, what).contact_id

    async def _campaign(self, wanted: Wanted, contact_id: int) -> Campaign:
        """Return the campaign named, else the one running campaign of the agent that has the contact."""
        if wanted.campaign is not None:
            for one in self._campaigns():
                if wanted.campaign in (one.name, str(one.id)):
                    return one
            raise NotFound(f"there is no campaign {wanted.campaign!r}")
        mine = self._agent(wanted.agent).campaign_ids
        his = [one for one in self._campaigns() if one.id in mine and one.state is CampaignState.RUNNING]
        having = [one for one in his if await self._has(one.id, contact_id)]
        if not having:
            raise NotFound(f"no running campaign of {wanted.agent} has contact {contact_id} in its lists")
        if len(having) > 1:
            names = ", ".join(one.name for one in having)
            raise Conflict(f"contact {contact_id} is in several campaigns; say which: {names}")
        return having[0]


def _only(found: Sequence[ContactCard], what: str) -> ContactCard:
    if not found:
        raise NotFound(f"no contact has {what}")
    if len(found) > 1:
        raise Several(f"{len(found)} contacts have {what}; say which by contact_id", found)
    return found[0]
