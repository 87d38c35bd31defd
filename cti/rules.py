"""Reads a campaign's rules from outside, and tells them. The only reader: API, command line and database share it."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from cti.errors import BadInput
from cti.model.campaign_rules import CampaignRules

_RULES: Final = TypeAdapter(with_config(ConfigDict(extra="forbid"))(CampaignRules))


def rules_of(given: Mapping[str, Any], *, where: str) -> CampaignRules:
    """Return the rules. Raises BadInput naming the key below `where`, for example `rules.pacing.drop_target`."""
    try:
        return _RULES.validate_python(given)
    except ValidationError as error:
        problems = (
            f"{'.'.join([where, *map(str, one['loc'])])}: {one['msg']}"
            for one in error.errors(include_url=False)
        )
        raise BadInput("; ".join(problems)) from None


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
