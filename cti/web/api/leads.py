"""Leads in real time: one contact that is to be dialed next."""

from typing import Annotated, Final

from aiohttp import web
from pydantic import AwareDatetime, Field, StrictInt

from cti.contacts.phone import check_region, number_of
from cti.contacts.rows import consent_of, tags_of, zone_of
from cti.contacts.texts import one_line, some_lines
from cti.model.contacts import NewContact, NewNumber
from cti.model.doubles import Doubles
from cti.model.imports import Lead
from cti.web.auth import leader
from cti.web.bodies import Body, Line, body_of
from cti.web.deps import campaign_called, deps

routes: Final = web.RouteTableDef()
MOST_NUMBERS: Final = 20
MOST_FIELDS: Final = 200


class NewLead(Body):
    """`POST /campaigns/{campaign}/leads`."""

    numbers: list[Line] = Field(min_length=1, max_length=MOST_NUMBERS)
    name: Annotated[str, Field(max_length=200)] = ""
    key: Line | None = None
    region: str | None = Field(None, pattern=r"^([A-Z]{2})?$")
    priority: StrictInt | None = Field(None, ge=-1000, le=1_000_000)
    zone: Line | None = None
    score: float | None = Field(None, allow_inf_nan=False)
    stage: Line | None = None
    consent: Line | None = None
    consent_at: AwareDatetime | None = Field(None, strict=False)
    consent_source: Line | None = None
    crm_ref: Line | None = None
    crm_customer: Line | None = None
    crm_contact: Line | None = None
    crm_deal: Line | None = None
    tags: list[Line] = Field(default_factory=list, max_length=50)
    fields: dict[Line, str] = Field(default_factory=dict, max_length=MOST_FIELDS)


@routes.post("/campaigns/{campaign}/leads")
async def add_lead(request: web.Request) -> web.Response:
    """Add a contact who is dialed next, or merge him by the campaign's rule (`rules.leads`) when he is known.

    The same `key` again does nothing and answers with what became of the first (`again`).
    """
    leader(request)
    parts, new = deps(request), await body_of(request, NewLead)
    campaign = await campaign_called(parts, request.match_info["campaign"])
    rules = campaign.rules.leads
    lead = Lead(
        campaign_id=campaign.id,
        contact=contact_of_lead(new, region=parts.region if new.region is None else new.region),
        priority=rules.priority if new.priority is None else new.priority,
        doubles=Doubles(rule=rules.rule, scope=rules.scope, key=rules.key),
        key=new.key,
    )
    taken = await parts.leads.add(lead, order=campaign.rules.order.order)
    answer = {
        "contact_id": taken.contact_id,
        "entry_id": taken.entry_id,
        "state": taken.state,
        "known": taken.known,
        "again": taken.again,
    }
    return web.json_response(answer, status=200 if taken.again else 201)


def contact_of_lead(new: NewLead, *, region: str) -> NewContact:
    """Return the contact. Raises BadInput naming what is wrong."""
    check_region(region)
    fields: dict[str, object] = {
        name: some_lines(text, f"fields.{name}") for name, text in new.fields.items()
    }
    if tags := [tag for given in new.tags for tag in tags_of(given)]:
        fields["tags"] = list(dict.fromkeys(tags))
    return NewContact(
        name=one_line(new.name.strip(), "name"),
        numbers=_numbers(new.numbers, region),
        fields=fields,
        zone=zone_of(new.zone or ""),
        consent=consent_of(new.consent) if new.consent else None,
        **{name: getattr(new, name) for name in _AS_GIVEN},
    )


_AS_GIVEN: Final = (
    *("crm_ref", "crm_customer", "crm_contact", "crm_deal", "stage", "score"),
    *("consent_at", "consent_source"),
)


def _numbers(given: list[str], region: str) -> tuple[NewNumber, ...]:
    numbers: dict[str, NewNumber] = {}
    for at, raw in enumerate(given):
        number = number_of(raw, f"numbers.{at}", region=region or None)
        numbers.setdefault(number.e164, number)
    return tuple(numbers.values())
