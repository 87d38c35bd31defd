"""The tables by which the generic REST adapter reads: records, calls as they stand there, follow-ups. No requests.

Texts name values as everywhere in a mapping file. In a body, a text that is nothing but one value keeps its type, and
what comes to nothing is left out; so is a parameter that does. Where a text names `{ids}` one request asks for
many records, where it names `{id}` for one.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Json = Any
"""What TOML can hold; its texts are filled in."""
Over = Literal["won", "lost", "merged", "archived", "deleted"]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MoreTable(_Table):
    """What comes to a request, or takes a part's place, in some cases."""

    query: dict[str, str] = {}
    body: dict[str, Json] = {}


class AskTable(_Table):
    """One question."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    path: str
    """Below `url`; values in it are made fit for a URL."""
    query: dict[str, str] = {}
    """A parameter whose name ends in `[]` is repeated for each of several values."""
    body: dict[str, Json] | None = None
    each: str = ""
    """How one of `{ids}`, `{call_ids}` or `{spellings}` is written; empty: as it is."""
    join: str = ","
    """What stands between them in a text."""


class ReadTable(AskTable):
    """A question for known things, by id."""

    list: str | None = None
    """Dotted path of the list in the answer. None: the answer is about one."""
    record: str = ""
    """Dotted path of the one; "" is the whole."""
    at_once: int = Field(50, ge=1, le=1000)
    """Of those that one request asks for; no more than the CRM gives in one answer."""


class ListTable(AskTable):
    """A list that is read to its end."""

    list: str = ""
    paging: Literal["keyset", "offset", "page", "next"] = "keyset"
    """`keyset`: sorted by the time of change, from `{since}` on. The others go through all of it, from its beginning:
    by `{offset}`, by `{page}`, or by what the answer says at `next`."""
    since: MoreTable = MoreTable()
    """What asks for changes from `{since}` on alone."""
    ties: MoreTable | None = None
    """For keyset: what asks, sorted by id, for changes from `{since}` to before `{next}`, with an id behind
    `{behind}`."""
    unit: Literal["second", "millisecond", "microsecond"] = "second"
    """In which the CRM's filter tells two times apart."""
    next: str = ""
    """Dotted path of the next page's address, or of the `{cursor}` to ask with; nothing there: it is the last."""
    first_page: int = Field(1, ge=0, le=1)
    at_once: int = Field(100, ge=3, le=2000)
    """Records in one answer; no more than the CRM gives, for a shorter answer is the last one."""
    overlap_seconds: float = Field(300.0, ge=0, le=86400)
    """So far it goes back at the end: clocks differ, and searches hear of changes late."""


class SourceTable(ListTable):
    """`[rest.sources.NAME]`: records that can be pulled."""

    kind: str


class NumberTable(AskTable):
    """`[[rest.numbers]]`: how records are found by `{number}`, `{national}`, each `{spelling}` or all `{spellings}`."""

    kind: str
    list: str = ""
    whole: bool = True
    """False: of what comes only the ids are taken, and the records are read by them."""
    id: str = ""
    """Dotted path of the id, where it stands elsewhere than in a record of this kind."""


class IsTable(_Table):
    """Something that a record says."""

    at: str
    is_: tuple[str, ...] = Field(alias="is", min_length=1)
    """Any of these values, as text; `true` and `false` for those."""


class OverTable(IsTable):
    """What says that a record is not dialed any more."""

    why: Over


class DealTable(_Table):
    """Where a record has its deal. Empty paths: it is not told."""

    kind: str
    id: str
    name: str = ""
    stage: str = ""
    amount: str = ""
    currency: str = ""


class KindTable(_Table):
    """`[rest.kinds.KIND]`: where a record of a kind says what, as dotted paths. An empty one: nowhere."""

    read: ReadTable
    ids: str = r"(?!\.+$)[^\s:/]+"
    """Regular expression of its ids; what does not fit is not asked for."""
    id: str = "id"
    name: tuple[str, ...] = ("name",)
    """Joined by a blank."""
    name_else: tuple[str, ...] = ()
    """The first of these that is there, where the others are empty."""
    numbers: tuple[str, ...] = ()
    """Best first; a list of numbers is several."""
    owner: str = ""
    zone: str = ""
    region: str = ""
    customer: str = ""
    customer_kind: str = ""
    stage: str = ""
    do_not_call: str = ""
    """Any value but an empty one, `false`, `no`, `n` and `0` forbids calling."""
    consent: str = ""
    over: tuple[OverTable, ...] = ()
    """The first that fits says why."""
    next_follow_up_at: str = ""
    changed_at: str = ""
    deal: DealTable | None = None
    fields: dict[str, str] = {}
    """Further fields by a name that `[pull.fields]` may use, and where each stands."""


class HomeTable(_Table):
    """Where a call says which record it is on: the first that is there counts."""

    id: str
    kind: str = ""
    kind_at: str = ""
    """Dotted path of the kind, where the record says it."""
    when: IsTable | None = None
    """Else it says nothing here."""


class CallListTable(ListTable):
    """`[[rest.calls.lists]]`: a list of calls that began from `{since}` to before `{until}`."""

    of: str = ""
    """A source: the list is asked for each of its records, which is `{home}` of `{home_kind}`."""


class CallsTable(_Table):
    """`[rest.calls]`: where a call of ours, as it stands there, says what."""

    id: str = "id"
    mark: str
    """What holds the call's id."""
    holds: str = "{call_id}"
    """How it is written there: may name `{call_id}` or `{call_uuid}`."""
    homes: tuple[HomeTable, ...] = ()
    started_at: str = ""
    length: dict[str, float] = {}
    """Parts of its length, and how many seconds one of each is: `{ hours = 3600, minutes = 60 }`."""
    fields: str = ""
    """Dotted path below which the fields stand that were written."""
    not_compared: tuple[str, ...] = ()
    """Fields that the CRM changes by itself."""
    exact_seconds: float = Field(1.0, gt=0)
    by_id: ReadTable | None = None
    """By `{call_id}`, `{call_uuid}`, `{mark}`, or all `{call_ids}`. None: the lists are read instead."""
    lists: tuple[CallListTable, ...] = Field(min_length=1)


class FoundTable(ReadTable):
    """How a follow-up is found again: in a list, or by an id that is made of its key."""

    id: str = "id"
    mark: str
    """What of it holds the key."""
    holds: str = "[cti:{key}]"
    """How: may name `{key}` or `{key_uuid}`."""
    ended: IsTable | None = None
    """What says that people have done it: it is not cancelled any more."""


class FollowUpsTable(_Table):
    """`[rest.follow_ups]`: requests that may name `{at}`, `{user}`, `{text}`, `{key}`, `{key_uuid}`, `{mark}`,
    `{home}`, `{home_kind}`, and, for one that is there, `{id}`."""

    kind: str = "task"
    id: str = "id"
    """Where the answer to a new one says its id. Empty: nowhere, so that it is looked for."""
    find: FoundTable
    create: AskTable
    change: AskTable
    done: AskTable | None = None
    cancel: AskTable | None = None
    homes: dict[str, dict[str, Json]] = {}
    """By kind of record what comes into the body of `create` and `change`; other kinds are refused. Empty: any kind."""
