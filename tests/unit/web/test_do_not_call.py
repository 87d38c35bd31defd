"""The do-not-call list and registers over the API."""

from typing import Any

import pytest

from tests.fakes.site import Site


async def test_numbers_are_listed_found_and_taken_out(site: Site) -> None:
    listed = await site.told(
        "POST",
        "do-not-call",
        json={"numbers": ["030 901820", "+4931*"], "reason": "asked", "until": "2027-01-01T00:00:00Z"},
        status=201,
    )
    entries = (await site.told("GET", "do-not-call"))["entries"]
    gone = await site.told(
        "POST", "do-not-call/remove", json={"number": "+49 30 901820", "reason": "a mistake"}
    )
    checked = await site.told("GET", "do-not-call/check", params={"number": "+4930901820"})

    assert listed == {"added": 2, "changed": 0}
    assert [(one["number"], one["campaign_id"], one["added_by"]) for one in entries] == [
        ("+4930901820", None, "lead"),
        ("+4931*", None, "lead"),
    ]
    assert entries[0]["until"] == "2027-01-01T00:00:00.000000Z"
    assert gone == {"removed": "+4930901820"}
    assert checked["listed"] == []
    assert [(one["change"], one["reason"]) for one in checked["history"]] == [
        ("added", "asked"),
        ("removed", "a mistake"),
    ]


async def test_one_wrong_number_lists_none(site: Site) -> None:
    error = await site.refused(
        "POST", "do-not-call", json={"numbers": ["+4930901820", "call me"]}, status=422
    )

    assert "'call me'" in error["message"]
    assert (await site.told("GET", "do-not-call"))["entries"] == []


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        pytest.param({"numbers": []}, 422, "numbers", id="none"),
        pytest.param(
            {"numbers": ["+4930901820"], "until": "2020-01-01T00:00:00Z"}, 422, "over already", id="over"
        ),
        pytest.param({"numbers": ["+4930901820"], "campaign": "spring"}, 404, "'spring'", id="campaign"),
        pytest.param({"numbers": ["+4930901820"], "why": "x"}, 422, "no such field", id="field"),
        pytest.param({"numbers": ["*"]}, 422, "'*'", id="everybody"),
    ],
)
async def test_a_wrong_entry_is_refused(site: Site, body: dict[str, Any], status: int, said: str) -> None:
    assert said in (await site.refused("POST", "do-not-call", json=body, status=status))["message"]


async def test_a_file_of_numbers_is_listed_for_one_campaign(site: Site) -> None:
    told = await site.told(
        "POST",
        "do-not-call/import?campaign=autumn&reason=letters",
        data="number\n030 901820\n# a remark\n\n+4930901821,further\nnonsense\n",
        status=201,
    )
    entries = (await site.told("GET", "do-not-call?campaign=autumn"))["entries"]

    assert (told["taken"], told["refused_count"]) == (2, 1)
    assert told["refused"] == [{"line": 6, "reason": "'nonsense' is no number"}]
    assert [(one["number"], one["campaign_id"]) for one in entries] == [
        ("+4930901820", 1),
        ("+4930901821", 1),
    ]


async def test_a_file_without_a_number_is_refused_as_a_whole(site: Site) -> None:
    error = await site.refused("POST", "do-not-call/import", data="a\nb\n", status=422)

    assert error["message"] == "no line holds a number, 1 are refused; line 2: 'b' is no number"


async def test_a_register_is_imported_counts_and_is_ended(site: Site) -> None:
    made = await site.told(
        "POST",
        "do-not-call/registers?name=tps&source=tps.txt&as_of=2026-11-01",
        data="+4930901820\n+4930901821\n",
        status=201,
    )
    checked = await site.told("GET", "do-not-call/check", params={"number": "+4930901821"})
    registers = (await site.told("GET", "do-not-call/registers"))["registers"]
    await site.told("DELETE", "do-not-call/registers/tps")

    assert (made["register"]["numbers"], made["replaced"]) == (2, None)
    assert [(one["where"], one["register"]) for one in checked["listed"]] == [
        ("register tps of 2026-11-01", True)
    ]
    assert registers == [made["register"]]
    assert (await site.told("GET", "do-not-call/registers"))["registers"] == []
    await site.refused("DELETE", "do-not-call/registers/tps", status=404)


async def test_a_register_that_shrinks_is_replaced_only_when_told_so(site: Site) -> None:
    many = "\n".join(f"+49309{n:07d}" for n in range(10))
    path = "do-not-call/registers?name=tps"
    await site.told("POST", path, data=many, status=201)

    error = await site.refused("POST", path, data="+493090000000\n", status=409)
    [still] = (await site.told("GET", "do-not-call/registers"))["registers"]
    made = await site.told("POST", f"{path}&may_shrink=true", data="+493090000000\n", status=201)

    assert "1 numbers where the register tps" in error["message"]
    assert still["numbers"] == 10
    assert (made["register"]["numbers"], made["replaced"]["numbers"]) == (1, 10)


async def test_a_register_that_is_mostly_nonsense_leaves_the_old_one(site: Site) -> None:
    path = "do-not-call/registers?name=tps"
    await site.told("POST", path, data="+4930901820\n", status=201)

    await site.refused("POST", path, data="+4930901821\nx\ny\n", status=422)

    [still] = (await site.told("GET", "do-not-call/registers"))["registers"]
    assert still["numbers"] == 1
