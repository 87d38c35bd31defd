"""Made-up dialogue in Chinese and English, as an engine writes it down: sentences of a call centre among words whose
frequencies fall as in real speech (Zipf). No grammar, but the lengths and the repetition of real transcripts.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Final

from cti.model.transcripts import Segment, Speaker, Word

CHINESE: Final = 0.7
"""Share of calls in Chinese."""
SPLIT: Final = 0.3
"""Share of Chinese utterances that the engine split into words by spaces, as Vosk does."""
UTTERANCES: Final = 23
"""Of a call, on average."""
SPAN: Final = timedelta(days=90)
"""Over which the calls are spread."""
ZH_PLAIN: Final = (
    "您好 请问 有 什么 可以 帮您|我 想 申请 退款|这个 价格 太贵 了|麻烦您 提供 一下 身份证 号码|好的 谢谢|"
    "我们 公司 最近 有 优惠 活动|您 的 订单 已经 发货 了|请 稍等 我 帮您 查 一下|合同 需要 重新 签|"
    "不需要 谢谢 再见|什么时候 可以 到账|我 要 投诉|先生 您 方便 吗|这边 给您 登记 一下|嗯 对|可以 分期 付款 吗"
)
EN_PLAIN: Final = (
    "good morning how can i help you|i would like a refund please|that is too expensive for me|"
    "can i have your account number|thank you very much|we have a special offer this month|"
    "your order has been shipped|please hold on i will check that for you|the contract has to be signed again|"
    "no thank you goodbye|when will i get my money back|i want to make a complaint|is this a good time to talk|"
    "let me write that down|yes right|can i pay by instalments"
)
_COMMON: Final = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行"
    "学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前"
    "外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军"
    "很情者最立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别"
    "她手角期根论运农指几九区强放决西被干做必战先回则任取据处理世车价钱款单货退换账号码订购买卖服务客户电话费用申请"
)
_LETTERS: Final = "etaoinshrdlucmfwypvbgk"
_WORDS: Final = 6000
"""Different words of each language, besides those of the templates."""


def _made_words(seed: int) -> tuple[list[str], list[str]]:
    chance = random.Random(seed)
    chinese = ["".join(chance.choices(_COMMON, k=chance.choice((1, 2, 2, 2, 3)))) for _ in range(_WORDS)]
    english = ["".join(chance.choices(_LETTERS, k=chance.randint(2, 9))) for _ in range(_WORDS)]
    return chinese, english


MADE_ZH, MADE_EN = _made_words(7)
_WEIGHTS: Final = list(accumulate(1 / rank for rank in range(1, _WORDS + 1)))
_TEMPLATES_ZH: Final = [line.split() for line in ZH_PLAIN.split("|")]
_TEMPLATES_EN: Final = [line.split() for line in EN_PLAIN.split("|")]


@dataclass(frozen=True, slots=True)
class Talk:
    """A call and what was said in it."""

    placed_at: datetime
    chinese: bool
    segments: tuple[Segment, ...]


def talks(segments: int, *, now: datetime, seed: int = 1) -> Iterator[Talk]:
    """Give calls in the order of their times until there are so many segments."""
    chance = random.Random(seed)
    calls = max(1, segments // UTTERANCES)
    placed_at, step = now - SPAN, SPAN / calls
    left = segments
    while left > 0:
        count = min(left, chance.randint(UTTERANCES // 2, UTTERANCES + UTTERANCES // 2 + 1))
        chinese = chance.random() < CHINESE
        yield Talk(placed_at, chinese, _utterances(chance, count, chinese=chinese))
        placed_at += step
        left -= count


def _utterances(chance: random.Random, count: int, *, chinese: bool) -> tuple[Segment, ...]:
    at, made = 0.0, []
    for n in range(count):
        words = _line(chance, chinese=chinese)
        joined = chinese and chance.random() >= SPLIT
        made.append(_segment((Speaker.AGENT, Speaker.CUSTOMER)[n % 2], words, at, joined=joined))
        at = made[-1].end + chance.uniform(0.1, 1.5)
    return tuple(made)


def _line(chance: random.Random, *, chinese: bool) -> list[str]:
    template = chance.choice(_TEMPLATES_ZH if chinese else _TEMPLATES_EN)
    made = MADE_ZH if chinese else MADE_EN
    more = chance.choices(made, cum_weights=_WEIGHTS, k=chance.randint(2, 9))
    if chance.random() < 0.5:
        return more
    cut = chance.randint(0, len(more))
    return [*more[:cut], *template, *more[cut:]]


def _segment(speaker: Speaker, words: Sequence[str], at: float, *, joined: bool) -> Segment:
    heard, moment = [], at
    for word in words:
        end = moment + 0.06 * len(word) + 0.1
        heard.append(Word(text=word, start=round(moment, 2), end=round(end, 2), confidence=0.91))
        moment = end
    return Segment(speaker=speaker, words=tuple(heard), text="".join(words) if joined else "")
