"""Reads a campaign's rules from outside, and tells them. The only reader: API, command line and database share it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from cti.errors import BadInput
from cti.model.campaign_rules import LARGEST_PARAMETER, CampaignRules, MachineAction
from cti.model.lines import NODE_TRUNKS
from cti.model.pop_urls import template_problem as pop_problem
from cti.model.recordings import template_problem

_RULES: Final = TypeAdapter(with_config(ConfigDict(extra="forbid"))(CampaignRules))

_ENDPOINT: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_MODEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
LARGEST_PRIORITY: Final = 1000
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SOUND: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_/-]*")


def rules_of(given: Mapping[str, Any], *, where: str) -> CampaignRules:
    """Return the rules. Raises BadInput naming the key below `where`, for example `rules.pacing.drop_target`."""
    try:
        rules = _RULES.validate_python(given)
    except ValidationError as error:
        problems = (
            f"{'.'.join([where, *map(str, one['loc'])])}: {one['msg']}"
            for one in error.errors(include_url=False)
        )
        raise BadInput("; ".join(problems)) from None
    if unfit := [f"{where}.{problem}" for problem in _unfit(rules)]:
        raise BadInput("; ".join(unfit))
    return rules


def _unfit(rules: CampaignRules) -> Iterator[str]:
    """Give what has the right type and yet could never become an order to Asterisk."""
    for place, trunk in enumerate(rules.lines.trunks):
        if trunk != NODE_TRUNKS and not _ENDPOINT.fullmatch(trunk):
            yield f"lines.trunks.{place}: {trunk!r} is no name of a PJSIP endpoint, nor {NODE_TRUNKS!r}"
    wish = rules.transcription
    if wish.language and not _LANGUAGE.fullmatch(wish.language):
        yield f"transcription.language: {wish.language!r} is no language; write en, zh, ko, pt-BR, ..."
    if wish.model and not _MODEL.fullmatch(wish.model):
        yield f"transcription.model: {wish.model!r} is no name of a model profile"
    if not -LARGEST_PRIORITY <= wish.priority <= LARGEST_PRIORITY:
        yield f"transcription.priority: must be -{LARGEST_PRIORITY} to {LARGEST_PRIORITY}"
    machines = rules.machines
    if machines.voicemail and not _SOUND.fullmatch(machines.voicemail):
        yield f"machines.voicemail: {machines.voicemail!r} is no name in the node's sounds folder"
    if machines.detect and machines.action is MachineAction.VOICEMAIL and not machines.voicemail:
        yield "machines.voicemail: is missing; the action voicemail plays it"
    if rules.pop.url and (problem := pop_problem(rules.pop.url)):
        yield f"pop.url: {problem}"
    for code, rule in rules.material.by_disposition.items():
        for name, word in (("template", rule.template), ("channel", rule.channel)):
            if not _WORD.fullmatch(word):
                yield f"material.by_disposition.{code}.{name}: {word!r} must be letters, digits, . _ - (at most 64)"
    for name, value in machines.parameters.items():
        if not 0 < value <= LARGEST_PARAMETER:
            yield f"machines.parameters.{name}: must be more than 0 and at most {LARGEST_PARAMETER}"
    if rules.recording.template and (problem := template_problem(rules.recording.template)):
        yield f"recording.template: {problem}"


def rules_record(rules: CampaignRules) -> dict[str, Any]:
    """Return the rules as JSON values, all keys."""
    return dict(_RULES.dump_python(rules, mode="json"))


def merged(rules: CampaignRules, change: Mapping[str, Any], *, where: str) -> CampaignRules:
    """Return the rules with those keys changed that `change` names, subject by subject. Raises BadInput."""
    record = rules_record(rules)
    for subject, keys in change.items():
        known = record.get(subject)
        record[subject] = (
            known | dict(keys) if isinstance(known, dict) and isinstance(keys, Mapping) else keys
        )
    return rules_of(record, where=where)
