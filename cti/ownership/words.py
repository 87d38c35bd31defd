"""Why a contact was not moved, as sentences for people. Pure."""

from collections.abc import Mapping
from typing import Final

from cti.errors import Conflict, CtiError, NotFound
from cti.model.ownership import NotMoved

SENTENCES: Final[Mapping[NotMoved, str]] = {
    NotMoved.UNKNOWN: "there is no such contact",
    NotMoved.OWNED: "he belongs to somebody already",
    NotMoved.NOT_THEIRS: "he does not belong to that agent (any more)",
    NotMoved.STOPPED: "he is stopped; reopen him first",
    NotMoved.DIALING: "he is being called at this moment",
    NotMoved.CAP: "the agent owns as many contacts as he may",
    NotMoved.LEFT: "the agent works here no more",
    NotMoved.PROTECTED: "the agent gave him back lately; until the protection is over only a lead may give him again",
    NotMoved.SHARED_NUMBER: "another agent owns a contact with one of his numbers; transfer or merge them first",
    NotMoved.NO_SKILL: "nobody has the skill that he asks for",
    NotMoved.NOBODY: "no agent takes any more",
}


def refusal(contact_id: int, reason: NotMoved) -> CtiError:
    """Return the error for one contact that was to be moved and was not."""
    kind = NotFound if reason is NotMoved.UNKNOWN else Conflict
    return kind(f"contact {contact_id}: {SENTENCES[reason]}")
