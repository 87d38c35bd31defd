"""The fields that conditions may ask, by what they are about. The reference page is made from these tables. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cti.model.conditions import Op, Scope


class Kind(StrEnum):
    """What sort of value a field holds; settles which operators it knows."""

    TEXT = "text"
    WORD = "word"
    """Text that is compared as it stands: codes, references, zones."""
    PHONE = "phone"
    AGENT = "agent"
    CAMPAIGN = "campaign"
    WHOLE = "whole number"
    NUMBER = "number"
    TIME = "time"
    TAG = "tag"


_SAME: Final = (Op.IS, Op.IS_NOT, Op.ONE_OF)
_SIZE: Final = (Op.AT_LEAST, Op.AT_MOST)

OPERATORS: Final[Mapping[Kind, tuple[Op, ...]]] = {
    Kind.TEXT: (*_SAME, Op.CONTAINS, Op.STARTS_WITH, Op.EMPTY),
    Kind.WORD: (*_SAME, Op.STARTS_WITH, Op.EMPTY),
    Kind.PHONE: (*_SAME, Op.STARTS_WITH, Op.ENDS_WITH, Op.EMPTY),
    Kind.AGENT: (*_SAME, Op.EMPTY),
    Kind.CAMPAIGN: (*_SAME, Op.EMPTY),
    Kind.WHOLE: (*_SAME, *_SIZE, Op.EMPTY),
    Kind.NUMBER: (*_SIZE, Op.EMPTY),
    Kind.TIME: (Op.BEFORE, Op.AFTER, Op.WITHIN, Op.EMPTY),
    Kind.TAG: (*_SAME, Op.HAS_TAG, Op.EMPTY),
}

CUSTOM: Final = "field"
"""Custom fields are asked as `field:HEADER`."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field."""

    kind: Kind
    meaning: str


_ENTRY: Final[Mapping[str, Field]] = {
    "campaign": Field(Kind.CAMPAIGN, "Campaign of the list; id or name."),
    "list": Field(Kind.WHOLE, "The list's id."),
    "state": Field(Kind.WORD, "`pending`, `waiting`, `dialing` or `done`."),
    "reason": Field(Kind.WORD, "Why he is not dialed (now); a word of the reasons."),
    "priority": Field(Kind.WHOLE, "Higher is dialed first."),
    "due": Field(Kind.TIME, "Not dialed before this, while the entry is waiting."),
    "entry_tries": Field(Kind.WHOLE, "Attempts in this list."),
}

_CONTACT: Final[Mapping[str, Field]] = {
    "id": Field(Kind.WHOLE, "The contact's id."),
    "name": Field(Kind.TEXT, "The contact's name."),
    "number": Field(Kind.PHONE, "Any of his numbers, E.164."),
    "owner": Field(Kind.AGENT, "Who owns him: a login, or `me`. Empty: the public pool."),
    "stage": Field(Kind.WORD, "A code of the dictionary of stages."),
    "tag": Field(Kind.TAG, "Any of his tags."),
    "zone": Field(Kind.WORD, "IANA time zone: his own, else his first number's."),
    "consent": Field(Kind.WORD, "How his consent stands."),
    "score": Field(Kind.NUMBER, "The score that came with him."),
    "crm_ref": Field(Kind.WORD, "The CRM's reference of the record."),
    "crm_customer": Field(Kind.WORD, "The CRM's customer."),
    "crm_contact": Field(Kind.WORD, "The CRM's contact."),
    "crm_deal": Field(Kind.WORD, "The CRM's deal."),
    "created": Field(Kind.TIME, "He was brought in."),
    "changed": Field(Kind.TIME, "Somebody changed him."),
    "import": Field(Kind.WHOLE, "The import that brought him."),
    "stopped": Field(Kind.TIME, "Somebody stopped him; empty: nobody did."),
    "next_follow_up": Field(Kind.TIME, "When somebody wants to come back to him."),
    "callback": Field(Kind.TIME, "Any callback of his that is open: when it is due."),
    "owner_since": Field(Kind.TIME, "The present owner got him."),
    "returned": Field(Kind.TIME, "He was last returned to the public pool."),
    "failures": Field(Kind.WHOLE, "Attempts in a row without a conversation."),
    "tries": Field(Kind.WHOLE, "Attempts at him in all lists."),
    "last_call": Field(Kind.TIME, "His last attempt; empty: never called."),
    "last_talk": Field(Kind.TIME, "His last conversation with an agent."),
    "last_outcome": Field(Kind.WORD, "Outcome of his last call."),
    "last_disposition": Field(Kind.WORD, "The last verdict of an agent on him."),
}

_CALL: Final[Mapping[str, Field]] = {
    "id": Field(Kind.WORD, "The call's id."),
    "state": Field(Kind.WORD, "How far it has come."),
    "outcome": Field(Kind.WORD, "The service's verdict."),
    "number": Field(Kind.PHONE, "The number dialed."),
    "contact_name": Field(Kind.TEXT, "The contact's name."),
    "contact_id": Field(Kind.WHOLE, "The contact's id."),
    "campaign": Field(Kind.CAMPAIGN, "Id or name."),
    "list": Field(Kind.WHOLE, "The list's id."),
    "agent": Field(Kind.AGENT, "Who talked, or for whom it was placed: a login, or `me`."),
    "owner": Field(Kind.AGENT, "Who owned the contact then: a login, or `me`."),
    "disposition": Field(Kind.WORD, "The agent's verdict."),
    "note": Field(Kind.TEXT, "The agent's note."),
    "placed": Field(Kind.TIME, "The attempt was made."),
    "dialing": Field(Kind.TIME, "Asterisk made a channel for it."),
    "ringing": Field(Kind.TIME, "It rang."),
    "answered": Field(Kind.TIME, "It was answered."),
    "waiting": Field(Kind.TIME, "The customer could be fetched."),
    "connected": Field(Kind.TIME, "First joined with an agent."),
    "dropped": Field(Kind.TIME, "The grace ended and nobody had fetched the customer."),
    "message_played": Field(Kind.TIME, "The message for a dropped customer had been played."),
    "ended": Field(Kind.TIME, "It was over."),
    "disposed": Field(Kind.TIME, "The agent gave his verdict."),
    "wait_seconds": Field(Kind.NUMBER, "From answer to join."),
    "talk_seconds": Field(Kind.NUMBER, "Time joined with agents, of the stays that are over."),
    "total_seconds": Field(Kind.NUMBER, "From placing to end."),
    "end_reason": Field(Kind.WORD, "How it ended."),
    "ended_by": Field(Kind.WORD, "Who ended an answered call."),
    "cause": Field(Kind.WHOLE, "Q.850 cause of the hang-up."),
    "cause_text": Field(Kind.TEXT, "Asterisk's words for the cause."),
    "sip_code": Field(Kind.WHOLE, "Final SIP answer."),
    "mode": Field(Kind.WORD, "The campaign's mode when it was placed."),
    "caller_id": Field(Kind.WORD, "Number shown to the person called."),
    "answer_chance": Field(Kind.NUMBER, "Chance of an answer, as learned before it was placed; 0 to 1."),
    "why": Field(Kind.TEXT, "Why it was placed."),
    "answered_by": Field(Kind.WORD, "`person`, `machine`, `fax` or `unknown`, as detected."),
    "detected": Field(Kind.TIME, "When that was known."),
    "detection": Field(Kind.TEXT, "The detector's own words for it."),
    "voicemail": Field(Kind.TIME, "The voicemail message had been played."),
    "node": Field(Kind.WORD, "The Asterisk node that carried it."),
    "trunk": Field(Kind.WORD, "PJSIP endpoint it left by."),
    "channel": Field(Kind.WORD, "Asterisk's name of the customer's channel."),
    "crm_ref": Field(Kind.WORD, "The CRM's reference of the record."),
    "number_id": Field(Kind.WHOLE, "Which of the contact's numbers."),
    "try_number": Field(Kind.WHOLE, "Which attempt at this contact in this list, from 1."),
    "ring_seconds": Field(Kind.NUMBER, "How long it was allowed to ring."),
    "grace_seconds": Field(Kind.NUMBER, "How long the answered person was allowed to wait."),
    "recording": Field(Kind.TEXT, "The recording's file; empty: there is none (yet)."),
    "recording_seconds": Field(Kind.NUMBER, "Length of the recording."),
    "recording_bytes": Field(Kind.WHOLE, "Size of the recording."),
    "recording_problem": Field(Kind.TEXT, "Why there is no recording, or why it is suspicious."),
}

FIELDS: Final[Mapping[Scope, Mapping[str, Field]]] = {
    Scope.CONTACT: {**_CONTACT, **_ENTRY},
    Scope.ENTRY: _ENTRY,
    Scope.CALL: _CALL,
}
"""Asked of a contact, a field of an entry means: of any of his entries."""

ENTRY_FIELDS: Final = frozenset(_ENTRY)

BELONGS: Final[Mapping[Scope, tuple[Scope, ...]]] = {
    Scope.CONTACT: (Scope.ENTRY, Scope.CALL),
    Scope.ENTRY: (),
    Scope.CALL: (Scope.CONTACT,),
}
"""What `{"entry": ...}`, `{"call": ...}` and `{"contact": ...}` may stand under."""


def field_of(scope: Scope, name: str) -> Field:
    """Return a field that is known to be there; custom fields are text."""
    return Field(Kind.TEXT, "A column of the import.") if name == CUSTOM else FIELDS[scope][name]
