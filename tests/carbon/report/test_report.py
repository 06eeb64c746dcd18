"""What a report tells beside scope 2, and what it refuses."""

from dataclasses import replace
from datetime import date
import json
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.accounting.carbon_free import carbon_free_score
from custom_components.carbon_meter.carbon.accounting.contracts import Contract, ContractKind
from custom_components.carbon_meter.carbon.accounting.figures import Account, Label, Matching
from custom_components.carbon_meter.carbon.accounting.normalised import Denominator, Reference
from custom_components.carbon_meter.carbon.archive.rows import UNKNOWN_GRADE
from custom_components.carbon_meter.carbon.factors.amounts import Measure
from custom_components.carbon_meter.carbon.factors.editions import Span
from custom_components.carbon_meter.carbon.factors.factor import Scope, Stage
from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.intensity.source import IntensityKind
from custom_components.carbon_meter.carbon.report.periods import Period, bounds
from custom_components.carbon_meter.carbon.report.report import AccountedSite
from custom_components.carbon_meter.carbon.report.series import UNKNOWN, CarrierSeries
from tests.carbon.accounting.factor_rows import factor
from tests.carbon.report.sites import HOUR, MARKET, always, at, report, series, terms

NAN = float("nan")


def carrier(account: Account, stage: Stage, name: str, carbon: list[float]) -> CarrierSeries:
    label = Label(account=account, stage=stage, carrier=name)
    return CarrierSeries(label=label, carbon=np.array(carbon), quantity=np.full(len(carbon), 10.0))


def test_what_no_meter_counts_is_what_the_others_leave() -> None:
    site = series(
        [500.0, 0.0],
        solar=[1000.0, 3000.0],
        charge=[200.0, 1000.0],
        discharge=[0.0, 100.0],
        grid_export=[0.0, 1600.0],
    )
    energy = report(site).energy

    assert energy.consumption == 1300.0 + 500.0
    assert (energy.residual, energy.unmetered, energy.unaccounted) == (0.0, 0.0, 0.0)
    assert energy.self_consumption == (4000.0 - 1600.0) / 4000.0
    assert energy.self_sufficiency == (1800.0 - 500.0) / 1800.0


def test_meters_that_disagree_are_told_by_which_way() -> None:
    """In one hour 300 Wh left without having come, in another 200 came without leaving."""
    site = series([500.0, 700.0], consumption=[800.0, 500.0])
    energy = report(site).energy

    assert (energy.unmetered, energy.unaccounted, energy.residual) == (300.0, 200.0, -100.0)
    assert report(series([0.0], grid_export=50.0)).energy.unmetered == 50.0


def test_rounding_is_no_disagreement() -> None:
    site = series([0.1, 0.3], solar=[0.2, 0.6], consumption=[0.3, 0.9])

    assert report(site).energy.residual == 0.0


def test_shares_of_nothing_are_absent() -> None:
    energy = report(series([0.0])).energy

    assert report(series([0.0])).location_hourly.intensity is None
    assert (energy.self_consumption, energy.self_sufficiency, energy.coverage) == (None, None, None)
    assert report(series([0.0])).carbon_free.score is None


def test_energy_by_grade() -> None:
    site = series(
        [1.0, 2.0, 4.0, 8.0],
        intensity=[100.0, 100.0, NAN, 100.0],
        grade=[Grade.MEASURED, Grade.FORECAST, Grade.MEASURED, "typical_hour"],
    )
    energy = report(site).energy

    assert {grade: wh for grade, wh in energy.by_grade.items() if wh} == {
        Grade.MEASURED: 1.0,
        Grade.FORECAST: 2.0,
        Grade.TYPICAL: 8.0,
    }
    assert energy.unweighed == 4.0
    assert energy.coverage == 11.0 / 15.0
    for unknown in (UNKNOWN, UNKNOWN_GRADE):
        assert report(replace(site, grade=np.array([0, 2, unknown, 3]))) == report(site)


def test_carriers_have_their_accounts_and_heat_is_in_every_total_of_scope_2() -> None:
    site = series(
        [1000.0, 1000.0],
        carriers=[
            carrier(Account.DIRECT, Stage.USE, "natural_gas", [200.0, NAN]),
            carrier(Account.VALUE_CHAIN, Stage.UPSTREAM, "natural_gas", [30.0, 30.0]),
            carrier(Account.LOCATION_BASED, Stage.GENERATION, "district_heat", [5.0, 6.0]),
            carrier(Account.BIOGENIC, Stage.USE, "wood", [7.0, 7.0]),
            carrier(Account.DIRECT, Stage.USE, "heating_oil", [100.0, 1.0]),
        ],
    )
    told = report(site, terms(loss_share=0.5))

    totals = {
        (figure.label.account, figure.label.matching, figure.label.carrier): figure.value
        for figure in told.totals
    }
    assert totals == {
        (Account.LOCATION_BASED, Matching.HOURLY, None): 811.0,
        (Account.LOCATION_BASED, Matching.ANNUAL, None): 711.0,
        (Account.MARKET_BASED, Matching.HOURLY, None): 811.0,
        (Account.MARKET_BASED, Matching.ANNUAL, None): 711.0,
        (Account.DIRECT, None, None): 301.0,
        (Account.VALUE_CHAIN, None, None): 760.0,
        (Account.BIOGENIC, None, "wood"): 14.0,
        (Account.AVOIDED, None, "electricity"): 0.0,
    }
    assert told.carriers[0].figure.value == 200.0
    assert (told.carriers[0].quantity, told.carriers[0].unweighed) == (20.0, 10.0)
    assert [figure.value for figure in told.scope2] == [800.0, 700.0, 800.0, 700.0]


def test_average_and_marginal_avoided_stay_apart_and_out_of_the_inventory() -> None:
    site = series(
        [100.0, 100.0],
        grid_export=[1000.0, 1000.0],
        intensity=[400.0, NAN],
        marginal=[600.0, 700.0],
    )
    told = report(site)

    assert (told.avoided.figure.value, told.avoided.unweighed) == (400.0, 1000.0)
    assert told.avoided_marginal is not None
    assert told.avoided_marginal.figure.value == 1300.0
    kinds = [f.label.kind for f in told.totals if f.label.account is Account.AVOIDED]
    assert kinds == [IntensityKind.AVERAGE, IntensityKind.MARGINAL]
    assert report(replace(site, marginal=None)).avoided_marginal is None


def test_what_the_supply_carried_is_beside_the_inventory() -> None:
    site = series([1000.0, 500.0], consumption_carbon=[90.0, NAN])
    told = report(site)

    assert told.consumed is not None
    assert (told.consumed.figure.value, told.consumed.unweighed) == (90.0, 500.0)
    assert told.consumed.figure.label.account is Account.CONSUMED
    assert told.exported is None
    assert told.location_hourly.figure.value == 600.0


def test_a_factor_that_changes_in_the_year_holds_from_its_day() -> None:
    """In New York the first of July begins four hours after that of UTC."""
    new_york = ZoneInfo("America/New_York")
    days = [
        Span(start=date(2026, 1, 1), end=date(2026, 7, 1), factor=factor(300.0)),
        Span(start=date(2026, 7, 1), end=date(2027, 1, 1), factor=factor(200.0)),
    ]
    starts = at(2026, 7, 1) + np.arange(6) * HOUR
    told = report(series(np.full(6, 1000.0), starts=starts), terms(zone=new_york, factors=days))

    assert told.location_annual.figure.value == 4 * 300.0 + 2 * 200.0
    assert told.stages[Stage.GENERATION].figure.value == 1600.0


def test_stages_of_a_table_with_upstream_and_losses_in_one() -> None:
    combined = factor(70.0, stage=Stage.UPSTREAM_AND_LOSSES)
    told = report(series([1000.0]), terms(losses=always(combined)))

    assert told.stages[Stage.UPSTREAM_AND_LOSSES].figure.value == 70.0
    for stage in (Stage.UPSTREAM, Stage.TRANSMISSION_DISTRIBUTION):
        assert (told.stages[stage].figure.value, told.stages[stage].contained) == (0.0, 1000.0)
    assert told.stages[Stage.USE].figure.value == 0.0


def test_upstream_has_a_factor_of_its_own() -> None:
    supply = factor(45.0, stage=Stage.UPSTREAM)
    told = report(series([2000.0]), terms(upstream=always(supply)))

    assert told.stages[Stage.UPSTREAM].figure.value == 90.0
    assert told.stages[Stage.TRANSMISSION_DISTRIBUTION].unknown == 2000.0
    assert Stage.UPSTREAM_AND_LOSSES not in told.stages


@pytest.mark.parametrize("share", [1.0, -0.1, NAN])
def test_factors_that_do_not_fit_leave_generation_and_are_told(share) -> None:
    told = report(series([1000.0]), terms(loss_share=share))

    assert told.stages[Stage.GENERATION].figure.value == 350.0
    assert told.stages[Stage.TRANSMISSION_DISTRIBUTION].unknown == 1000.0
    assert len(told.stage_problems) == 1
    combined = factor(70.0, stage=Stage.UPSTREAM_AND_LOSSES)
    life_cycle = factor(500.0, of_table={"scope": Scope.LIFE_CYCLE})
    twice = report(series([1000.0]), terms(factors=always(life_cycle), losses=always(combined)))
    assert "test has it already" in twice.stage_problems[0]


def test_per_square_metre_person_and_product() -> None:
    """A tenth of a leap year makes a tenth of the year's products; the floor stays what it is."""
    references = [
        Reference(denominator=Denominator.AREA, quantity=100.0),
        Reference(denominator=Denominator.PERSON, quantity=4.0),
        Reference(denominator=Denominator.PRODUCT, quantity=366.0, name="loaf"),
    ]
    start = at(2028, 3, 1)
    site = series([1000.0, 3000.0], starts=[start, start + HOUR])
    told = AccountedSite(site, terms(references=references)).report(start, start + 36.6 * 86400)

    hourly = {
        figure.unit: figure.value
        for figure in told.normalised
        if (figure.label.account, figure.label.matching)
        == (Account.LOCATION_BASED, Matching.HOURLY)
    }
    assert hourly == pytest.approx(
        {"gCO2eq/m²": 16.0, "gCO2eq/person": 400.0, "gCO2eq/loaf": 1600.0 / 36.6}, rel=1e-12
    )
    assert len(told.normalised) == 3 * len(told.totals)


def test_products_over_the_turn_of_a_year_are_of_both_years() -> None:
    """A day of a common year and one of a leap year: 1/365 + 1/366 of a year."""
    loaves = Reference(denominator=Denominator.PRODUCT, quantity=1000.0, name="loaf")
    start = at(2027, 12, 31)
    account = AccountedSite(
        series([1000.0], starts=[start]), terms(references=[loaves], factors=always(None))
    )
    told = account.report(start, start + 2 * 86400)

    assert told.normalised[0].value == pytest.approx(400.0 / (1000.0 / 365 + 1000.0 / 366))
    assert account.report(start, start).normalised == ()


def test_stored_solar_is_clean_when_it_comes_back() -> None:
    """4 kWh of solar stored, 3 given: all of it clean. What the grid stored is not."""
    solar = series([0.0, 0.0], solar=[5000.0, 0.0], charge=[4000.0, 0.0], discharge=[0.0, 3000.0])
    grid = series([4000.0, 0.0], charge=[4000.0, 0.0], discharge=[0.0, 3000.0])

    assert report(solar).carbon_free.matched == 4000.0
    assert report(grid).carbon_free.matched == 0.0


def test_a_battery_gives_the_mix_of_what_it_holds() -> None:
    """3 of 4 kWh were solar, as the supply mix tells; half of the content is used at night."""
    site = series(
        [3000.0, 0.0, 0.0],
        solar=[3000.0, 0.0, 0.0],
        charge=[4000.0, 0.0, 0.0],
        discharge=[0.0, 2000.0, 2000.0],
        solar_charge=[3000.0, 0.0, 0.0],
    )
    account = AccountedSite(site, terms())

    night = account.report(HOUR, 2 * HOUR).carbon_free
    assert (night.matched, night.load) == (1500.0, 2000.0)
    # Not told how much of the charge is solar, only what the import cannot have been counts.
    guess = AccountedSite(replace(site, solar_charge=None), terms()).report(HOUR, 2 * HOUR)
    assert guess.carbon_free.matched == 500.0


energies = st.just(0.0) | st.floats(0.01, 1e4)


@given(st.lists(st.tuples(energies, energies, energies, st.floats(0, 1)), min_size=1, max_size=10))
def test_the_score_is_that_of_hourly_blocks(hours) -> None:
    """Quarter hours within an hour lend to each other, hours do not."""
    used, solar, delivered, share = (np.repeat(part, 4) for part in np.array(hours).T)
    weights = np.tile([0.5, 2.0, 0.0, 1.5], len(hours)) / 4
    turned = weights[::-1]
    wind = Contract(
        id="wind",
        kind=ContractKind.PPA,
        intensity=0.0,
        market=MARKET,
        profile=delivered * turned,
        carbon_free=True,
    )
    site = series(
        used * weights,
        starts=np.arange(len(used)) * 900.0,
        seconds=900.0,
        solar=solar / 4,
        consumption=used * weights,
        carbon_free=share,
    )
    told = report(site, terms(contracts=[wind])).carbon_free.score

    load, own, delivered, share = np.array(hours).T
    expected = carbon_free_score(load, own + delivered, share)
    if expected is None:
        assert told is None
        return
    assert told is not None
    assert told.score == pytest.approx(expected.score, rel=1e-9, abs=1e-12)
    assert told.contracted == pytest.approx(expected.contracted, rel=1e-9, abs=1e-12)
    assert told.volumetric == pytest.approx(expected.volumetric, rel=1e-9, abs=1e-12)
    assert told.excess == pytest.approx(expected.excess, rel=1e-9, abs=1e-6)


def test_a_grid_whose_carbon_free_part_nobody_tells_counts_as_none() -> None:
    told = report(series([1000.0, 1000.0], carbon_free=[0.5, NAN])).carbon_free

    assert (told.by_grid, told.share_unknown) == (500.0, 1000.0)


def test_an_action_can_answer_with_it() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    site = series(
        [1234.5678914, 1.0],
        starts=at(2026, 10, 25, 2, berlin) + np.arange(2) * HOUR,
        intensity=[123.456, NAN],
        carriers=[carrier(Account.DIRECT, Stage.USE, "natural_gas", [1.0, NAN])],
    )
    contract = Contract(
        id="rate", kind=ContractKind.SUPPLIER_RATE, intensity=1.0, market=MARKET, share=0.5
    )
    people = Reference(denominator=Denominator.PERSON, quantity=2.0)
    told = report(site, terms(zone=berlin, contracts=[contract], references=[people])).as_dict()

    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["start"] == "2026-10-25T02:00:00+02:00"
    assert told["end"] == "2026-10-25T03:00:00+01:00"
    assert told["seconds"] == told["covered_seconds"] == 7200.0
    assert told["scope_2"]["location_hourly"] == {
        "kg_co2eq": 0.152415,
        "quantity_kwh": 1.235568,
        "unweighed_kwh": 0.001,
    }
    assert told["energy"]["import_by_grade_kwh"]["measured"] == 1.234568
    assert told["supply"] == {"consumed": None, "exported": None}
    assert told["avoided_by_export"]["marginal"] is None
    assert {row["per"] for row in told["normalised"]} == {"person"}


def test_an_interval_belongs_to_the_period_in_which_it_begins() -> None:
    account = AccountedSite(series([1.0, 2.0, 4.0]), terms())

    assert account.report(1.0, HOUR + 1.0).energy.grid_import == 2.0
    assert account.report(HOUR, 2 * HOUR).covered == HOUR
    assert account.report(-1e9, 1e9).energy.grid_import == 7.0
    assert account.report(5.0, 1.0).energy.grid_import == 0.0


@pytest.mark.parametrize(("start", "end"), [(NAN, 1.0), (0.0, NAN), (0.0, float("inf"))])
def test_a_period_has_a_beginning_and_an_end(start, end) -> None:
    with pytest.raises(ImpossibleAmountError):
        AccountedSite(series([1.0]), terms()).report(start, end)


def test_a_site_without_a_single_interval_has_a_report() -> None:
    contract = Contract(id="v", kind=ContractKind.PPA, intensity=1.0, market=MARKET, volume=5.0)
    account = AccountedSite(series([]), terms(contracts=[contract]))
    told = account.report(0.0, 86400.0)

    assert [figure.value for figure in told.scope2] == [0.0] * 4
    assert (told.covered, told.years) == (0.0, ())


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"grid_import": [1.0, NAN]}, "grid_import"),
        ({"grid_export": -1.0}, "grid_export"),
        ({"solar": [1.0, 2.0, 3.0]}, "solar"),
        ({"charge": "much"}, "charge"),
        ({"intensity": [-1.0, 1.0]}, "intensity"),
        ({"intensity": float("inf")}, "intensity"),
        ({"carbon_free": 1.5}, "carbon_free"),
        ({"starts": [0.0, 0.0]}, "starts"),
        ({"starts": [3600.0, 0.0]}, "starts"),
        ({"seconds": 0.0}, "seconds"),
        ({"grade": [None, Grade.MEASURED]}, "grade"),
        ({"grade": ["good", "bad"]}, "grade"),
        ({"grade": [Grade.MEASURED]}, "grade"),
        ({"grade": 7}, "grade"),
        ({"grade": np.array([0, 9])}, "grade"),
        ({"carriers": [carrier(Account.DIRECT, Stage.USE, "lpg", [-1.0, 0.0])]}, "lpg"),
    ],
)
def test_numbers_that_cannot_be_are_refused_by_name(changes, name) -> None:
    with pytest.raises(ImpossibleAmountError, match=name):
        series([1.0, 2.0], **changes) if "grid_import" not in changes else series(**changes)


@pytest.mark.parametrize(
    "row", [factor(1.0, stage=Stage.UPSTREAM), factor(1.0, measure=Measure.VOLUME)]
)
def test_a_factor_of_something_else_is_refused(row) -> None:
    with pytest.raises(ImpossibleAmountError, match="factors: test has"):
        terms(factors=always(row))


def test_a_day_of_a_running_year_is_told_as_such() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    day = bounds(Period.DAY, at(2026, 10, 25, 12, berlin), berlin)
    site = series(np.full(25, 100.0), starts=day.start + np.arange(25) * HOUR)
    (year,) = AccountedSite(site, terms(zone=berlin)).report(day.start, day.end).years

    assert (year.from_start, year.over, year.share) == (False, False, 1.0)
