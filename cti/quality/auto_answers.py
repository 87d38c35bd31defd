"""What the service answers by itself on a card, by rules and figures. Pure."""

from collections.abc import Mapping
from typing import Any

from cti.model.judgements import Judgement
from cti.model.keyword_rules import hit_record
from cti.model.reviews import NO, YES, AnsweredBy, ScoreAnswer
from cti.model.score_cards import AutoAnswer, ScoreCard


def auto_answers(card: ScoreCard, judgement: Judgement | None) -> dict[str, ScoreAnswer]:
    """Return the answers that can be given, by question; a question of which nothing is known has none."""
    if judgement is None:
        return {}
    answers = {}
    for question in card.questions():
        found = _answered(question.auto, judgement) if question.auto else None
        if found is not None:
            yes, evidence = found
            answers[question.code] = ScoreAnswer(
                value=YES if yes else NO,
                answered_by=AnsweredBy.SERVICE,
                share=1.0 if yes else 0.0,
                evidence=evidence,
            )
    return answers


def _answered(auto: AutoAnswer, judgement: Judgement) -> tuple[bool, Mapping[str, Any]] | None:
    if auto.rule:
        return _by_rule(auto.rule, judgement)
    figure = getattr(judgement.figures, auto.figure, None)
    if figure is None:
        return None
    yes = (auto.at_least is None or figure >= auto.at_least) and (
        auto.at_most is None or figure <= auto.at_most
    )
    return yes, {
        "figure": auto.figure,
        "value": figure,
        "at_least": auto.at_least,
        "at_most": auto.at_most,
    }


def _by_rule(code: str, judgement: Judgement) -> tuple[bool, Mapping[str, Any]] | None:
    for verdict in judgement.verdicts:
        if verdict.code == code:
            evidence = {
                "rule": code,
                "version": verdict.version,
                "hits": [hit_record(hit) for hit in verdict.hits],
            }
            return not verdict.broken, evidence
    return None
