"""How a campaign dials, beyond what a call needs: its rules, one table of settings for each subject.

Every field has a default, so that an empty set of rules is a plain progressive campaign. Rules are stored and told as
JSON; `cti.rules` reads them from outside and names what is wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cti.model.doubles import DoubleKey, DoubleRule, DoubleScope
from cti.model.secrets import Secret


class DropWindow(StrEnum):
    """Over which calls the drop rate is judged."""

    CAMPAIGN = "campaign"
    DAY = "rolling_24h"
    MONTH = "rolling_30d"


class GraceStart(StrEnum):
    """From when the grace counts."""

    CONNECTED = "connected"
    """From the answer (SIP 200)."""
    GREETING = "greeting"
    """From the end of the machine detection: the person has said his greeting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PacingRules:
    """How far predictive dialing may go."""

    drop_target: float = 0.03
    """Dropped / answered by a person, 0 to 1 (16 CFR 310.4(b)(4)(i): 0.03)."""
    drop_window: DropWindow = DropWindow.MONTH
    grace_start: GraceStart = GraceStart.CONNECTED
    count_machine_mistakes: float = 0.0
    """Share of machine verdicts that counts as dropped persons (Ofcom: a person taken for a machine is abandoned)."""
    calls_per_second: float | None = None
    """Most Originates of this campaign per second; None: only the node's and the trunk's limits."""
    max_lines_per_agent: float | None = None
    """Most open calls for each logged-in agent; None: no such limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRules:
    """How long a rep may look at a contact before he is dialed."""

    seconds: float | None = None
    """After this the contact is dialed (or skipped, see `at_end`); None: he decides."""
    at_end: str = "dial"
    """`dial` or `skip`."""
    may_skip: bool = True
    skip_seconds: float = 3600.0
    """Somebody who was skipped is offered again after so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplianceRules:
    """Which profile of law and custom, and what this campaign changes of it."""

    profile: str = "none"
    overrides: Mapping[str, object] = field(default_factory=dict)
    """Keys of the profile that this campaign sets otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRule:
    """What follows one outcome or disposition."""

    after_seconds: float = 3600.0
    """From the end of the attempt."""
    growth: float = 1.0
    """Each further time the wait is so many times as long as the time before."""
    times: int = 2
    """How often this may follow the same outcome of one contact; 0: never again."""
    next_number: bool = False
    """Go on with the contact's next number (after the last one the first)."""
    priority: int = 0
    """Raised or lowered against contacts that were never tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRules:
    """When a contact is tried again."""

    by_outcome: Mapping[str, RetryRule] = field(default_factory=dict)
    """Key: an `Outcome`. Without one the contact is done with."""
    by_disposition: Mapping[str, RetryRule] = field(default_factory=dict)
    """Key: a disposition's code; goes before the outcome's rule."""
    max_attempts: int = 1
    """In all, in this list; then it is given up. Attempts for a callback are made beyond it: they were promised."""
    callback: RetryRule = RetryRule(after_seconds=900.0, times=2)
    """What follows an attempt for a callback that did not reach the contact."""


class Order(StrEnum):
    """Which contact first, among those of equal priority."""

    OLDEST = "oldest"
    NEWEST = "newest"
    SCORE = "score"
    """The highest score of the list's own column first."""
    FEWEST_TRIES = "fewest_tries"
    """Who was tried least first, and of those the oldest."""
    ANSWER_CHANCE = "answer_chance"
    """The likeliest to answer now first, as learned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRules:
    """In which order contacts are dialed."""

    order: Order = Order.OLDEST
    callbacks_first: bool = True


class Spill(StrEnum):
    """When an owned contact may be dialed for, or joined with, somebody else of the team."""

    NEVER = "never"
    WHEN_OWNER_AWAY = "when_owner_away"
    """The owner is logged out."""
    AFTER_GRACE = "after_grace"
    """The owner cannot take the answered person within the grace: anybody may, before he is dropped."""
    ALWAYS = "always"
    """Ownership is told, not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnershipRules:
    """Who gets whom, and for how long. Days count from the last conversation, or from the claim without one."""

    spill: Spill = Spill.NEVER
    max_owned: int | None = None
    """Most contacts one agent may own (of all campaigns); None: no cap."""
    return_after_days: float | None = None
    """Back to the pool after so many days without a conversation."""
    return_after_failures: int | None = None
    """Back to the pool after so many failed attempts in a row."""
    protect_days: float = 0.0
    """After a return nobody but a lead may give him to the same agent again for so long."""
    own_on_success: bool = False
    """Whoever talks with an unowned contact and sets a disposition that means success becomes the owner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRules:
    """By which trunks calls leave, and which number they show."""

    trunks: tuple[str, ...] = ()
    """PJSIP endpoints in order of preference, `*` for all others of the node by priority; empty: the campaign's
    `trunk` alone."""
    caller_pool: str = ""
    """Name of the pool of numbers to show; empty: the campaign's `caller_id`."""


class MachineAction(StrEnum):
    """What is done with an answering machine."""

    HANG_UP = "hang_up"
    VOICEMAIL = "voicemail"
    """Wait for the beep, play the campaign's voicemail sound, hang up."""
    TO_AGENT = "to_agent"


LARGEST_PARAMETER: Final = 60_000
"""A minute, in ms: no greeting is listened to for longer."""


class AmdParameter(StrEnum):
    """What Asterisk's AMD can be told, in ms but for the count of words and the threshold (0 to 32767)."""

    INITIAL_SILENCE = "initial_silence"
    """Silence before the greeting; longer means a machine."""
    GREETING = "greeting"
    """Length of the greeting; longer means a machine."""
    AFTER_GREETING_SILENCE = "after_greeting_silence"
    """Silence after the greeting; longer means a person."""
    TOTAL_ANALYSIS_TIME = "total_analysis_time"
    """After this nobody knows."""
    MIN_WORD_LENGTH = "min_word_length"
    BETWEEN_WORDS_SILENCE = "between_words_silence"
    MAXIMUM_NUMBER_OF_WORDS = "maximum_number_of_words"
    """More mean a machine."""
    SILENCE_THRESHOLD = "silence_threshold"
    MAXIMUM_WORD_LENGTH = "maximum_word_length"
    """A longer word means a machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineRules:
    """Detection of answering machines and faxes, off by default: it costs seconds and makes mistakes."""

    detect: bool = False
    action: MachineAction = MachineAction.HANG_UP
    voicemail: str = ""
    """Sound that is played after the beep."""
    fax: bool = True
    """Listen for a fax's tone too."""
    parameters: Mapping[AmdParameter, int] = field(default_factory=dict)
    """Of Asterisk's AMD, by its own names; what is missing is the node's `amd.conf`."""

    @property
    def wanted(self) -> str | None:
        """Return what is done with a machine, None when nobody looks: `Call.machines` of a new call."""
        return self.action.value if self.detect else None


NO_DETECTION: Final = MachineRules()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadRules:
    """What becomes of a lead that comes in while the campaign runs."""

    rule: DoubleRule = DoubleRule.MERGE
    """Of a contact who is known already. `skip`: his data stay as they are; he is dialed all the same."""
    scope: DoubleScope = DoubleScope.EVERYWHERE
    key: DoubleKey = DoubleKey.NUMBER
    priority: int = 10_000
    """In the queue; lists have at most 1000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptionRules:
    """Whether recordings become text, off by default: it costs a core some minutes for each hour of calls."""

    enabled: bool = False
    language: str = ""
    """BCP 47, for example `en`, `zh`; empty: the first model of the settings."""
    model: str = ""
    """Name of a model profile of the settings; goes before the language. Empty: the language's first model."""
    priority: int = 0
    """Recordings of the higher come first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingRules:
    """What becomes of the recordings of a campaign's calls."""

    template: str = ""
    """Of the kept files' names, for example `{date}/{campaign}/{call_id}`; empty: as the settings say."""
    retention: str = ""
    """Name of a retention class of the settings; empty: the settings' own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactionRules:
    """What is taken out of transcripts before they are kept."""

    kinds: tuple[Secret, ...] = (Secret.CARD, Secret.CHINA_ID)


@dataclass(frozen=True, slots=True, kw_only=True)
class PopRules:
    """What the rep's page is shown of whom he talks to, and when."""

    at_ring: bool = True
    """When it rings and it is known for which agent."""
    at_connect: bool = True
    url: str = ""
    """Page to open, with fields in braces, for example `https://crm.example/lead/{crm_ref}`; empty: none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialRule:
    """What is to be sent after a disposition."""

    template: str
    """Its name where it is sent from."""
    channel: str = "email"
    """For example `email`, `sms`, `wechat`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialRules:
    """Which dispositions ask for material to be sent."""

    by_disposition: Mapping[str, MaterialRule] = field(default_factory=dict)
    """Key: a disposition's code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignRules:
    """All rules of a campaign."""

    pacing: PacingRules = PacingRules()
    preview: PreviewRules = PreviewRules()
    compliance: ComplianceRules = ComplianceRules()
    retry: RetryRules = RetryRules()
    order: OrderRules = OrderRules()
    ownership: OwnershipRules = OwnershipRules()
    lines: LineRules = LineRules()
    machines: MachineRules = MachineRules()
    leads: LeadRules = LeadRules()
    transcription: TranscriptionRules = TranscriptionRules()
    recording: RecordingRules = RecordingRules()
    redaction: RedactionRules = RedactionRules()
    pop: PopRules = PopRules()
    material: MaterialRules = MaterialRules()
