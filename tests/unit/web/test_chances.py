"""A campaign's answer chances over the API."""

from datetime import timedelta

from cti.model.answer_chances import Bin, ChanceFit, Measures
from tests.builders import NOW
from tests.fakes.site import Site

FIT = ChanceFit(
    campaign_id=1,
    fitted_at=NOW,
    used=True,
    why="used: better",
    attempts=5000,
    answered=1400,
    held_out=1000,
    measures={"learned": Measures(brier=0.2, log_loss=0.6, calibration_error=0.01)},
    bins=(Bin(attempts=100, foretold=0.1, observed=0.12),),
    model={"format": 1, "intercept": -1.0, "weights": {"tries": -0.5}},
)


async def test_before_the_first_fit_there_is_none(site: Site) -> None:
    assert await site.told("GET", "campaigns/autumn/chances") == {"campaign": "autumn", "fit": None}


async def test_a_fit_is_told_with_its_measures_and_weights(site: Site) -> None:
    number = await site.store.chances.save_fit(FIT)
    fit = (await site.told("GET", "campaigns/1/chances"))["fit"]
    assert (fit["id"], fit["in_use"], fit["why"]) == (number, True, "used: better")
    assert fit["measures"] == {"learned": {"brier": 0.2, "log_loss": 0.6, "calibration_error": 0.01}}
    assert fit["bins"] == [{"attempts": 100, "foretold": 0.1, "observed": 0.12}]
    assert fit["weights"] == {"tries": -0.5}


async def test_an_old_fit_is_told_as_not_in_use(site: Site) -> None:
    await site.store.chances.save_fit(
        ChanceFit(
            **{name: getattr(FIT, name) for name in FIT.__slots__} | {"fitted_at": NOW - timedelta(days=8)}
        )
    )
    assert not (await site.told("GET", "campaigns/1/chances"))["fit"]["in_use"]


async def test_a_fit_is_ordered_for_soon(site: Site) -> None:
    number = await site.store.chances.save_fit(FIT)
    told = await site.told("POST", "campaigns/autumn/chances", status=202)
    assert told == {"campaign": "autumn", "newest": number}
    assert site.chances.ordered == [1]


async def test_agents_neither_see_nor_order_it(site: Site) -> None:
    for method in ("GET", "POST"):
        await site.refused(method, "campaigns/1/chances", as_="anna", status=403)
    assert site.chances.ordered == []


async def test_an_unknown_campaign_is_not_found(site: Site) -> None:
    await site.refused("POST", "campaigns/none/chances", status=404)
