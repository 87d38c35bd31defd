"""What can be learned of a node by asking: version, rights, modules, dialplan, trunk. Changes nothing there."""

import re
from collections.abc import Sequence
from typing import Final

from cti.ami.actions import Action
from cti.ami.message import Message
from cti.ami.ports import AmiClient
from cti.errors import NodeError, NodeRefused
from cti.model.findings import Finding

OLDEST_VERSION: Final = 18

WRITE_RIGHTS: Final = {
    "call": ("Bridge", "Setvar"),
    "originate": ("Originate",),
    "system": ("ModuleCheck", "PJSIPShowContacts", "PJSIPShowEndpoint", "CoreShowChannels", "Hangup"),
    "reporting": ("ShowDialPlan",),
}
"""Right to the actions that show that we have it: ListCommands lists what this account may use and nothing else."""

MODULES: Final = (
    "app_bridgewait",
    "app_celgenuserevent",
    "app_exec",
    "app_mixmonitor",
    "app_playback",
    "app_userevent",
    "bridge_holding",
    "bridge_simple",
    "cel_custom",
    "chan_pjsip",
    "format_sln",
    "func_channel",
    "func_strings",
    "pbx_config",
    "res_pjsip",
)
DETECTION_MODULES: Final = ("app_amd", "app_waitforsilence", "res_tonedetect")
"""Wanted only where machines are looked for: without one the dialplan goes on, and knows less."""
CONTEXTS: Final = {"cti-customer": "s", "cti-detect": "s", "cti-agent": "s", "cti-probe": "answer"}
"""Context to the extension that must be in it."""

WITHOUT: Final = {
    "app_amd": "everybody who answers is taken for a person",
    "app_waitforsilence": "no voicemail is left",
    "res_tonedetect": "a fax is taken for a machine",
}
"""What lacks without a module for detection."""

_DIALPLAN_MEND: Final = (
    '#include "extensions_cti.conf" of this version from extensions.conf and run `dialplan reload`'
)
_MANAGER_MEND: Final = "take the `read` and `write` lines of manager_cti.conf and run `manager reload`"


async def ask(ami: AmiClient) -> list[Finding]:
    """Ask about version, rights, modules and dialplan. Raises NodeDown, NodeSilent when the node goes away."""
    return [
        await _version(ami),
        *await _write_rights(ami),
        await _modules(ami),
        await _detection(ami),
        *[await _context(ami, context, extension) for context, extension in CONTEXTS.items()],
    ]


async def ask_trunk(ami: AmiClient, trunk: str) -> Finding:
    """Ask whether the trunk's endpoint is there and its contact answers."""
    if not trunk:
        told = "the settings name no trunk for this node; campaigns must name theirs"
        return _finding(ami, "trunk", None, told)
    subject = f"trunk {trunk}"
    try:
        rows = await ami.collect({"Action": "PJSIPShowEndpoint", "Endpoint": trunk})
    except NodeRefused as error:
        mend = f"make the endpoint [{trunk}] in pjsip.conf, or name the right one as `trunk` in the settings"
        return _finding(ami, subject, _refused(error), str(error), mend)
    return trunk_finding(
        ami.node, subject, [row for row in rows if row.text("Event") == "ContactStatusDetail"]
    )


def trunk_finding(node: str, subject: str, contacts: Sequence[Message]) -> Finding:
    """Judge a trunk by what Asterisk says of its contacts."""
    standings = {contact.text("URI"): contact.text("Status") for contact in contacts}
    told = ", ".join(f"{uri} is {status}" for uri, status in standings.items()) or "it has no contact"
    if "Reachable" in standings.values():
        return Finding(node=node, subject=subject, ok=True, message=told)
    if "NonQualified" in standings.values():
        mend = (
            "set qualify_frequency on its aor: without it a dead trunk costs every call its whole ring time"
        )
        return Finding(
            node=node, subject=subject, ok=False, message=f"{told}: nobody asks whether it lives", mend=mend
        )
    mend = "check the contact of its aor and that the carrier answers OPTIONS from this machine"
    return Finding(node=node, subject=subject, ok=False, message=told, mend=mend)


async def _version(ami: AmiClient) -> Finding:
    try:
        version = (await ami.send({"Action": "CoreSettings"})).text("AsteriskVersion")
    except NodeRefused as error:
        return _finding(ami, "version", None, str(error), _MANAGER_MEND)
    return version_finding(ami.node, version)


def version_finding(node: str, version: str) -> Finding:
    """Judge a version text such as `22.10.1` or `certified/18.9-cert1`."""
    found = re.search(r"(\d+)\.", version)
    if not found:
        return Finding(
            node=node, subject="version", ok=None, message=f"the version {version!r} says no number"
        )
    ok = int(found[1]) >= OLDEST_VERSION
    mend = "" if ok else f"install Asterisk {OLDEST_VERSION} or newer"
    return Finding(node=node, subject="version", ok=ok, message=f"Asterisk {version}", mend=mend)


async def _write_rights(ami: AmiClient) -> list[Finding]:
    allowed = await ami.send({"Action": "ListCommands"})
    return [rights_finding(ami.node, right, allowed) for right in WRITE_RIGHTS]


def rights_finding(node: str, right: str, allowed: Message) -> Finding:
    """Judge a right by the actions that Asterisk lists for this account."""
    subject = f"AMI right {right} (write)"
    missing = [action for action in WRITE_RIGHTS[right] if action not in allowed]
    if missing:
        told = f"Asterisk does not let this account use {', '.join(missing)}"
        return Finding(node=node, subject=subject, ok=False, message=told, mend=_MANAGER_MEND)
    told = f"Asterisk lets this account use {', '.join(WRITE_RIGHTS[right])}"
    return Finding(node=node, subject=subject, ok=True, message=told)


async def _modules(ami: AmiClient) -> Finding:
    actions: list[Action] = [{"Action": "ModuleCheck", "Module": module} for module in MODULES]
    answers = await ami.send_all(*actions)
    refusals = {
        module: answer.text("Message")
        for module, answer in zip(MODULES, answers, strict=True)
        if answer.refused
    }
    if any("denied" in told.lower() for told in refusals.values()):
        return _finding(ami, "modules", None, "this account may not ask for modules", _MANAGER_MEND)
    if refusals:
        mend = f"load them in modules.conf: {' '.join(f'{module}.so' for module in refusals)}"
        return _finding(ami, "modules", False, f"not loaded: {', '.join(refusals)}", mend)
    return _finding(ami, "modules", True, f"all {len(MODULES)} that are needed are loaded")


async def _detection(ami: AmiClient) -> Finding:
    """Say what of machine detection this node can do; a node that can do none of it is a good one all the same."""
    answers = await ami.send_all(*({"Action": "ModuleCheck", "Module": one} for one in DETECTION_MODULES))
    lacking = [one for one, answer in zip(DETECTION_MODULES, answers, strict=True) if answer.refused]
    subject = "machine detection"
    if not lacking:
        return _finding(ami, subject, True, "answering machines, their beep and faxes can be heard")
    told = "; ".join(f"without {one} {WITHOUT[one]}" for one in lacking)
    return _finding(ami, subject, True, f"where a campaign looks for machines: {told}")


async def _context(ami: AmiClient, context: str, extension: str) -> Finding:
    subject = f"dialplan {context}"
    try:
        rows = await ami.collect({"Action": "ShowDialPlan", "Context": context})
    except NodeRefused as error:
        return _finding(ami, subject, _refused(error), str(error), _DIALPLAN_MEND)
    if not any(row.text("Extension") == extension for row in rows):
        return _finding(ami, subject, False, f"the context has no extension {extension}", _DIALPLAN_MEND)
    return _finding(ami, subject, True, f"the context is there with its extension {extension}")


def _refused(error: NodeError) -> bool | None:
    """Whether a refusal says that the thing is wrong, or only that we may not ask (None)."""
    return None if "denied" in str(error).lower() else False


def _finding(ami: AmiClient, subject: str, ok: bool | None, message: str, mend: str = "") -> Finding:
    return Finding(node=ami.node, subject=subject, ok=ok, message=message, mend=mend)
