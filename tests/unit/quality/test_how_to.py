"""The tables of the how-to page are taken as they stand there."""

import re
import tomllib
from pathlib import Path
from typing import Any

from cti.quality.reading import card_of, rule_of

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "judge-calls.md"


def tables() -> list[dict[str, Any]]:
    text = PAGE.read_text(encoding="utf-8")
    return [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", text, re.DOTALL)]


def test_rules_and_cards_of_the_page_are_taken() -> None:
    rules, cards = tables()
    codes = set()
    for given in rules["rules"]:
        # names of campaigns become ids before a rule is read
        codes.add(rule_of({**given, "campaigns": []}, where="rule").code)
    [card] = [card_of(given, where="card") for given in cards["cards"]]
    asked = {one.auto.rule for one in card.questions() if one.auto and one.auto.rule}
    assert asked <= codes == {"recorded", "promise"}
