"""Card and ID numbers go, however they were said; everything else stays."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.model.secrets import MARKS, Secret
from cti.model.transcripts import Segment, Transcript
from cti.search.redaction import Redacted, redacted
from cti.search.secret_numbers import is_card, is_china_id, is_us_ssn
from tests.talk import A, C, a_transcript, said

ALL = frozenset(Secret) - {Secret.NUMBER}
CARD = "4111111111111111"
ID = "11010519491231002X"


def shown(*segments: Segment, kinds: frozenset[Secret] = ALL) -> list[str]:
    clean, _ = redacted(a_transcript("c", segments), kinds)
    return [segment.shown for segment in clean.segments]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param(f"it is {CARD} thanks", "it is [card] thanks", id="written"),
        pytest.param("card 4111-1111-1111-1111.", "card [card].", id="written with dashes"),
        pytest.param("4111 1111 1111 1111 right", "[card] right", id="in groups"),
        pytest.param("card " + " ".join(["four"] + ["one"] * 15), "card [card]", id="spoken"),
        pytest.param(
            "four double one one uh triple one one one one one and one one one one one yes",
            "[card] yes",
            id="double, triple and what is said between",
        ),
        pytest.param("forty one eleven eleven eleven eleven eleven eleven eleven", "[card]", id="in pairs"),
        pytest.param("三七八二八二二四六三一 零零零五", "[card]", id="spoken Chinese, a card of 15"),
        pytest.param("卡号是六二二二零二一二三四五六七八九四对吗", "卡号是[card]对吗", id="in one word"),
        pytest.param("四幺幺幺 三个一 一 一一一一 一一一一 对", "[card] 对", id="幺 and how many times"),
        pytest.param(f"身份证 {ID} 谢谢", "身份证 [id] 谢谢", id="an ID"),
        pytest.param("一一零一零五 一九四九 一二三一 零零二 叉", "[id]", id="a spoken ID"),
        pytest.param("social 123-45-6789 ok", "social [ssn] ok", id="a social security number"),
        pytest.param("one two three four five six seven eight nine", "[ssn]", id="a spoken one"),
        pytest.param("4111111111111112", "4111111111111112", id="a wrong check digit"),
        pytest.param("call me at 138 0013 8000", "call me at 138 0013 8000", id="a telephone number"),
        pytest.param("一下 两个 三点 四十", "一下 两个 三点 四十", id="numbers of everyday speech"),
        pytest.param("one two no three", "one two no three", id="a few digits"),
        pytest.param("４１１１１１１１１１１１１１１１", "[card]", id="full-width"),
    ],
)
def test_one_utterance(words: str, expected: str) -> None:
    assert shown(said(C, words)) == [expected]


def test_a_number_goes_across_utterances_and_what_the_other_says_between() -> None:
    segments = [
        said(C, "four one one one", at=0),
        said(A, "okay", at=2.5),
        said(C, "one one one one one one one one", at=3),
        said(A, "and the rest", at=7.5),
        said(C, "one one one one thanks", at=9),
    ]

    clean, spans = redacted(a_transcript("c", segments), ALL)

    assert [segment.shown for segment in clean.segments] == [
        "[card]",
        "okay",
        "[card]",
        "and the rest",
        "[card] thanks",
    ]
    assert spans == tuple(
        Redacted(kind=Secret.CARD, speaker=C, start=start, end=end)
        for start, end in ((0.0, 2.0), (3.0, 7.0), (9.0, 11.0))
    )
    assert [word.start for word in clean.segments[4].words] == [9.0, 11.0]


def test_a_long_silence_ends_a_number() -> None:
    halves = [said(C, "4111 1111", at=0), said(C, "1111 1111", at=60)]
    assert shown(*halves) == ["4111 1111", "1111 1111"]


def test_two_speakers_make_no_number_together() -> None:
    assert shown(said(C, "4111 1111", at=0), said(A, "1111 1111", at=2)) == ["4111 1111", "1111 1111"]


def test_the_written_text_is_cleared_in_its_place() -> None:
    segment = said(C, "卡 号 4111 1111 1111 1111 对")
    assert shown(replace(segment, text="卡号：4111 1111 1111 1111，对。")) == ["卡号：[card]，对。"]


def test_a_text_that_is_written_otherwise_than_spoken_gives_way_to_the_words() -> None:
    spoken = said(C, " ".join(["four"] + ["one"] * 15) + " thanks")
    assert shown(replace(spoken, text="4111 1111 1111 1111, thanks")) == ["[card] thanks"]
    silent = said(C, "my number")
    assert shown(replace(silent, text=f"my number {CARD}")) == ["my number"]


def test_only_the_kinds_that_are_asked_for_go() -> None:
    both = said(C, f"{CARD} and {ID}")
    assert shown(both, kinds=frozenset()) == [f"{CARD} and {ID}"]
    assert shown(said(C, f"{CARD} so {ID}"), kinds=frozenset({Secret.CHINA_ID})) == [f"{CARD} so [id]"]
    misheard = said(C, "4111111111111112")
    assert shown(misheard, kinds=frozenset({Secret.NUMBER})) == ["[number]"]


def test_check_digits() -> None:
    assert is_card(CARD)
    assert is_card("6222021234567894")
    assert not is_card("0000000000000000")
    assert is_china_id(ID)
    assert not is_china_id("110105194912310021")
    assert not is_china_id("11010519491331002X")
    assert is_us_ssn("123456789")
    assert not any(map(is_us_ssn, ("000456789", "666456789", "900456789", "123006789", "123450000")))


def luhn(body: str) -> str:
    """Return the body with its check digit."""
    return next(body + digit for digit in "0123456789" if is_card(body + digit))


CARDS = st.builds(
    luhn, st.from_regex(r"[2-6][0-9]{11,17}", fullmatch=True).filter(lambda body: len(body) >= 12)
)
ENGLISH = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
CHINESE = "零一二三四五六七八九"
WRITERS = st.sampled_from(
    [
        lambda digits: " ".join(ENGLISH[int(digit)] for digit in digits),
        lambda digits: " ".join(CHINESE[int(digit)] for digit in digits),
        lambda digits: "".join(CHINESE[int(digit)] for digit in digits),
        lambda digits: digits,
        lambda digits: " ".join(digits[n : n + 4] for n in range(0, len(digits), 4)),
    ]
)


@given(
    card=CARDS, writers=st.lists(WRITERS, min_size=3, max_size=3), cuts=st.tuples(*[st.integers(1, 11)] * 2)
)
def test_no_card_stays_however_it_is_spoken_and_cut(card: str, writers: list, cuts: tuple[int, int]) -> None:  # type: ignore[type-arg]
    first, second = sorted(cuts)
    parts = [card[:first], card[first:second], card[second:]]
    segments = [
        said(C, f"so {write(part)} yes" if not n else write(part), at=6.0 * n, each=0.2)
        for n, (write, part) in enumerate(zip(writers, parts, strict=True))
        if part
    ]
    segments[0] = said(C, "so " + writers[0](parts[0]), each=0.2)
    segments.append(said(C, "thanks", at=30))

    clean, spans = redacted(a_transcript("c", segments), frozenset({Secret.CARD}))

    left = [segment.shown for segment in clean.segments]
    assert left == ["so [card]", *["[card]"] * (len(segments) - 2), "thanks"]
    assert len(spans) == len(segments) - 1


@given(st.lists(st.text(max_size=20).filter(str.strip), min_size=1, max_size=8), st.booleans())
def test_anything_else_is_left_as_it_is_and_nothing_breaks(words: list[str], joined: bool) -> None:
    segment = said(C, " ".join(words))
    if not segment.words:
        return
    transcript = a_transcript("c", [replace(segment, text="".join(words)) if joined else segment])

    clean, spans = redacted(transcript, frozenset(Secret))

    if not spans and not any(mark in clean.segments[0].shown for mark in MARKS.values()):
        assert clean == transcript or joined
    again: Transcript = redacted(clean, frozenset(Secret))[0]
    assert again == clean
