"""The orders we give Asterisk, as actions. Pure, and the place where every word that becomes part of one is checked.

Control characters are refused again before the socket (`actions`); here a value must also fit where it is put: a comma,
a semicolon or a brace means something in a channel name or in a dialplan variable.
"""

import re
from typing import Final

from cti.ami.actions import Action
from cti.errors import BadInput
from cti.model.agents import Agent
from cti.model.calls import Call
from cti.model.campaign_rules import (
    LARGEST_PARAMETER,
    NO_DETECTION,
    AmdParameter,
    GraceStart,
    MachineAction,
    MachineRules,
)
from cti.model.ids import agent_of_channel, call_of_channel

NORMAL_CLEARING: Final = "16"
"""Q.850; without a cause Asterisk would say 0, unknown."""

AUTO_ANSWER: Final = (
    # Phones take one or the other (Grandstream, Yealink, Snom, MicroSIP: the first; Cisco, Polycom: the second).
    # Asterisk takes the backslash away; without it the rest of the value would be a comment.
    r"PJSIP_HEADER(add,Call-Info)=<sip:waihu>\;answer-after=0",
    r"PJSIP_HEADER(add,Alert-Info)=<http://waihu>\;info=alert-autoanswer\;delay=0",
)

_NUMBER = re.compile(r"\+[0-9]{3,15}")
_CALLER = re.compile(r"\+?[0-9]{1,15}")
_ENDPOINT = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_SOUND = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_./-]{0,200}")
_RECORDING = re.compile(r"(?=.{1,200}$)[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")
_HEX = re.compile(r"[0-9a-f]{1,64}")
_WORD = re.compile("|".join([*MachineAction, *GraceStart]))


def originate(call: Call, *, caller_id: str, message: str, machines: MachineRules = NO_DETECTION) -> Action:
    """Return the order for a customer's call. Raises BadInput when a value does not fit."""
    number = _fit(_NUMBER, call.number, "number")
    trunk = _fit(_ENDPOINT, call.trunk, "trunk")
    variables = [
        f"CTI_CALL={_fit(_HEX, call.id, 'call id')}",
        f"CTI_GRACE={_seconds(call.grace_seconds, 'grace')}",
        f"CTI_MESSAGE={_fit(_SOUND, message, 'message')}",
        f"CTI_RECORDING={_fit(_RECORDING, call.recording, 'recording') if call.recording else ''}",
        *_detection(call, machines),
    ]
    action = _originate(
        f"PJSIP/{number}@{trunk}", "cti-customer", call.channel_id, call.ring_seconds, variables
    )
    return {**action, "CallerID": _fit(_CALLER, caller_id, "caller id")} if caller_id else action


def _detection(call: Call, rules: MachineRules) -> list[str]:
    """Return the variables that make the dialplan listen for machines; none when nobody is to look."""
    if call.machines is None:
        return []
    action = MachineAction(_fit(_WORD, call.machines, "action"))
    start = GraceStart(_fit(_WORD, call.grace_start or GraceStart.CONNECTED, "start of the grace"))
    voicemail = _fit(_SOUND, rules.voicemail, "voicemail") if action is MachineAction.VOICEMAIL else ""
    parameters = [
        f"CTI_AMD_{AmdParameter(name).name}={_whole(value, name)}"
        for name, value in sorted(rules.parameters.items())
    ]
    return [
        f"CTI_MACHINES={action.value}",
        f"CTI_GRACE_START={start.value}",
        f"CTI_VOICEMAIL={voicemail}",
        f"CTI_FAX={'1' if rules.fax else ''}",
        *parameters,
    ]


def agent_leg(agent: Agent, channel_id: str, *, ring_seconds: float) -> Action:
    """Return the order that calls an agent's phone, which answers by itself where it can. Raises BadInput."""
    if agent_of_channel(channel_id) != agent.id:
        raise BadInput(f"{channel_id!r} is no channel id of the agent {agent.login}")
    endpoint = _fit(_ENDPOINT, agent.endpoint, "phone")
    variables = [f"CTI_AGENT={agent.id}", *AUTO_ANSWER]
    return _originate(f"PJSIP/{endpoint}", "cti-agent", channel_id, ring_seconds, variables)


def take(channel_id: str, *, taken: bool = True) -> Action:
    """Return the order that marks a customer as fetched, or takes the mark back."""
    value = "1" if taken else ""
    return {"Action": "Setvar", "Channel": _ours(channel_id), "Variable": "CTI_TAKEN", "Value": value}


def bridge(customer: str, leg: str) -> Action:
    """Return the order that lets a customer and an agent talk, by channel ids."""
    # The customer's channel first: it goes into the new bridge, and the leg is fetched out of its own.
    return {"Action": "Bridge", "Channel1": _ours(customer), "Channel2": _ours(leg), "Tone": "no"}


def mute_recording(customer: str, *, muted: bool) -> Action:
    """Return the order that makes a running MixMonitor write silence, on both channels, or sound again.

    The file grows on meanwhile: times in it stay true (seen on 22.10.1 with the option D).
    """
    state = "1" if muted else "0"
    return {
        "Action": "MixMonitorMute",
        "Channel": _ours(customer),
        "Direction": "both",
        "State": state,
    }


def hang_up(channel_id: str) -> Action:
    """Return the order that ends one of our channels."""
    return {"Action": "Hangup", "Channel": _ours(channel_id), "Cause": NORMAL_CLEARING}


def _originate(channel: str, context: str, channel_id: str, seconds: float, variables: list[str]) -> Action:
    return {
        "Action": "Originate",
        # Comes back in OriginateResponse, also when there never was a channel.
        "ActionID": channel_id,
        "ChannelId": channel_id,
        "Channel": channel,
        "Context": context,
        "Exten": "s",
        "Priority": "1",
        "Timeout": str(round(1000 * float(_seconds(seconds, "ring time")))),
        "Async": "true",
        "Variable": variables,
    }


def _fit(pattern: re.Pattern[str], value: str, what: str) -> str:
    if not pattern.fullmatch(value) or ".." in value:
        raise BadInput(f"{value!r} cannot be used as {what} in an order to Asterisk")
    return value


def _seconds(value: float, what: str) -> str:
    if not 0 < value <= 3600:
        raise BadInput(f"{value!r} cannot be used as {what}: seconds, more than 0 and at most 3600")
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _whole(value: int, what: str) -> str:
    if not 0 < value <= LARGEST_PARAMETER:
        raise BadInput(f"{value!r} cannot be used as {what}: more than 0 and at most {LARGEST_PARAMETER}")
    return str(int(value))


def _ours(channel_id: str) -> str:
    call_id = call_of_channel(channel_id)
    if agent_of_channel(channel_id) is None and not (call_id and _HEX.fullmatch(call_id)):
        raise BadInput(f"{channel_id!r} is no channel of ours")
    return channel_id
