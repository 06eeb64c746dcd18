"""Scope 2 both ways: oracles, contracts, and what cannot be claimed."""

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.accounting.contracts import (
    Contract,
    ContractError,
    ContractKind,
)
from custom_components.carbon_meter.carbon.accounting.figures import Account, Matching
from custom_components.carbon_meter.carbon.accounting.location import (
    location_annual,
    location_hourly,
    weighted_intensity,
)
from custom_components.carbon_meter.carbon.accounting.market import MarketBased, market_based
from custom_components.carbon_meter.carbon.accounting.period import ReportedLoad
from custom_components.carbon_meter.carbon.accounting.scope2 import scope2_report
from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError

LOAD = [2000.0, 1000.0, 3000.0, 4000.0]
INTENSITY = [400.0, 300.0, 200.0, 500.0]
DELIVERED = [0.0, 2000.0, 4000.0, 1000.0]
HOUR = 3600.0
STARTS = np.arange(4) * HOUR

WIND = Contract(
    id="wind",
    kind=ContractKind.CERTIFICATE,
    intensity=0.0,
    market="DK1",
    profile=DELIVERED,
    carbon_free=True,
)
RESIDUAL = Contract(
    id="residual", kind=ContractKind.RESIDUAL_MIX, intensity=600.0, market="DK1", source="registry"
)


def load(energy=LOAD, starts=STARTS, seconds: float = HOUR) -> ReportedLoad:
    return ReportedLoad(load=energy, start_times=starts, seconds=seconds, market="DK1")


def market(*contracts: Contract, matching: Matching, **changes) -> MarketBased:
    return market_based(load(**changes), contracts, matching=matching, location=370.0)


def test_location_based() -> None:
    """Oracle: hourly 3700 g, by the flat mean of the intensities 3500 g, weighted CI 370."""
    hourly = location_hourly(LOAD, INTENSITY)
    annual = location_annual(LOAD, sum(INTENSITY) / 4)

    assert (hourly.value, annual.value) == (3700.0, 3500.0)
    assert weighted_intensity(LOAD, INTENSITY) == 370.0
    assert weighted_intensity([0.0], [300.0]) is None
    assert hourly.label.account is annual.label.account is Account.LOCATION_BASED
    assert (hourly.label.matching, annual.label.matching) == (Matching.HOURLY, Matching.ANNUAL)
    assert hourly.unit == "gCO2eq"


def test_market_based() -> None:
    """Oracle: residual 600, certificates at 0: annual 1800 g; hourly 3000 g with 5 kWh matched."""
    annual = market(WIND, RESIDUAL, matching=Matching.ANNUAL)
    hourly = market(WIND, RESIDUAL, matching=Matching.HOURLY)

    assert annual.figure.value == pytest.approx(1800.0, rel=1e-12)
    assert hourly.figure.value == pytest.approx(3000.0, rel=1e-12)
    assert annual.matched == pytest.approx(7000.0)
    assert hourly.matched == pytest.approx(5000.0)
    assert hourly.uses[0].matched.tolist() == [0.0, 1000.0, 3000.0, 1000.0]
    assert hourly.uses[0].excess == pytest.approx(2000.0)
    assert hourly.carbon_free.tolist() == [0.0, 1000.0, 3000.0, 1000.0]


def test_four_figures_side_by_side() -> None:
    report = scope2_report(load(), [WIND, RESIDUAL], intensity=INTENSITY, annual_factor=350.0)

    assert {str(figure.label): round(figure.value, 6) for figure in report.figures} == {
        "location based, hourly, average, electricity": 3700.0,
        "location based, annual, average, electricity": 3500.0,
        "market based, hourly, average, electricity": 3000.0,
        "market based, annual, average, electricity": 1800.0,
    }


def test_better_contracts_come_first_whatever_the_order() -> None:
    supplier = Contract(
        id="tariff", kind=ContractKind.SUPPLIER_RATE, intensity=250.0, market="DK1", share=0.5
    )
    ppa = Contract(id="ppa", kind=ContractKind.PPA, intensity=10.0, market="DK1", volume=2000.0)

    result = market(RESIDUAL, supplier, ppa, WIND, matching=Matching.ANNUAL)

    assert [use.contract.id for use in result.uses] == ["wind", "ppa", "tariff"]
    assert [round(float(use.matched.sum())) for use in result.uses] == [7000, 2000, 1000]
    assert result.figure.value == pytest.approx(0.0 + 20.0 + 250.0)
    assert not result.residual.any()


def test_a_suppliers_rate_covers_what_is_left() -> None:
    supplier = Contract(id="tariff", kind=ContractKind.SUPPLIER_RATE, intensity=250.0, market="DK1")

    result = market(WIND, supplier, RESIDUAL, matching=Matching.HOURLY)

    assert result.uses[1].matched.tolist() == [2000.0, 0.0, 0.0, 3000.0]
    assert result.uses[1].excess == 0.0
    assert result.figure.value == pytest.approx(1250.0)


def test_without_a_residual_mix_the_location_stands_in_and_is_told() -> None:
    result = market(WIND, matching=Matching.HOURLY)

    assert result.average.tolist() == [2000.0, 0.0, 0.0, 3000.0]
    assert result.average_carbon == pytest.approx(5.0 * 370.0)
    assert result.residual_carbon == 0.0


def test_more_certificates_than_load_do_not_make_it_negative() -> None:
    plenty = Contract(
        id="plenty", kind=ContractKind.CERTIFICATE, intensity=20.0, market="DK1", volume=1e9
    )

    result = market(plenty, RESIDUAL, matching=Matching.ANNUAL)

    assert result.figure.value == pytest.approx(200.0)
    assert result.uses[0].excess == pytest.approx(1e9 - 10_000.0)


@pytest.mark.parametrize(
    ("changes", "matching", "why"),
    [
        ({"market": "DE-LU"}, Matching.ANNUAL, "another market"),
        ({"market": "DE-LU"}, Matching.HOURLY, "another market"),
        ({"profile": None, "volume": 5000.0}, Matching.HOURLY, "nothing of single hours"),
        ({"profile": None, "share": 0.5}, Matching.HOURLY, "nothing of single hours"),
        ({"interval": 86_400.0}, Matching.HOURLY, "more than an hour"),
    ],
)
def test_what_cannot_be_claimed_is_refused_and_says_why(changes, matching, why) -> None:
    parameters = {
        name: getattr(WIND, name)
        for name in ("id", "kind", "intensity", "market", "profile", "carbon_free")
    }

    result = market(Contract(**{**parameters, **changes}), RESIDUAL, matching=matching)

    assert result.matched == 0.0
    assert result.figure.value == pytest.approx(6000.0)
    assert why in (result.uses[0].refused or "")
    assert result.uses[0].excess == result.uses[0].offered > 0.0


def test_a_contract_counts_only_while_it_is_valid() -> None:
    half = Contract(
        id="half",
        kind=ContractKind.CERTIFICATE,
        intensity=0.0,
        market="DK1",
        volume=50_000.0,
        valid_from=HOUR,
        valid_to=3 * HOUR,
    )

    annual = market(half, RESIDUAL, matching=Matching.ANNUAL)

    assert annual.uses[0].matched.tolist() == [0.0, 1000.0, 3000.0, 0.0]


def test_residual_mixes_follow_each_other() -> None:
    first = Contract(
        id="2025",
        kind=ContractKind.RESIDUAL_MIX,
        intensity=600.0,
        market="DK1",
        valid_to=2 * HOUR,
    )
    second = Contract(
        id="2026",
        kind=ContractKind.RESIDUAL_MIX,
        intensity=[0.0, 0.0, 500.0, 400.0],
        market="DK1",
        valid_from=2 * HOUR,
    )
    elsewhere = Contract(
        id="elsewhere", kind=ContractKind.RESIDUAL_MIX, intensity=1.0, market="SE3"
    )

    result = market(elsewhere, first, second, matching=Matching.HOURLY)

    assert result.residual_carbon == pytest.approx(3.0 * 600.0 + 3.0 * 500.0 + 4.0 * 400.0)
    assert not result.average.any()


def test_certificates_of_an_hour_match_five_minute_loads_by_the_hour() -> None:
    """Within its hour a certificate covers every interval to the same part."""
    starts = np.arange(24) * 300.0
    energy = np.where(np.arange(24) % 2, 200.0, 0.0)
    hourly = Contract(
        id="solar",
        kind=ContractKind.CERTIFICATE,
        intensity=0.0,
        market="DK1",
        profile=np.where(np.arange(24) < 12, 50.0, 200.0),
        interval=HOUR,
    )

    result = market(
        hourly, RESIDUAL, matching=Matching.HOURLY, energy=energy, starts=starts, seconds=300.0
    )

    assert result.uses[0].matched[:12].sum() == pytest.approx(600.0)
    assert result.uses[0].matched[1] == pytest.approx(100.0)
    assert result.uses[0].matched[12:].sum() == pytest.approx(1200.0)
    assert result.uses[0].excess == pytest.approx(1200.0)


def test_certificates_of_a_quarter_of_an_hour_match_by_the_quarter() -> None:
    starts = np.arange(4) * 900.0
    quarter = Contract(
        id="solar",
        kind=ContractKind.CERTIFICATE,
        intensity=0.0,
        market="DK1",
        profile=[100.0, 0.0, 0.0, 0.0],
        interval=900.0,
    )

    result = market(
        quarter, RESIDUAL, matching=Matching.HOURLY, energy=50.0, starts=starts, seconds=900.0
    )

    assert result.uses[0].matched.tolist() == [50.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    "changes",
    [
        {"volume": 10.0, "share": 0.5},
        {},
        {"kind": ContractKind.RESIDUAL_MIX, "volume": 1.0},
        {"volume": 10.0, "valid_from": 100.0, "valid_to": 100.0},
    ],
)
def test_contracts_that_say_too_little_or_two_things_are_refused(changes) -> None:
    with pytest.raises(ContractError, match=r"^c: ") as caught:
        Contract(
            **{"id": "c", "kind": ContractKind.PPA, "intensity": 0.0, "market": "X", **changes}
        )

    assert caught.value.contract == "c"


@pytest.mark.parametrize(
    "changes",
    [
        {"intensity": -1.0},
        {"intensity": float("nan")},
        {"volume": -1.0},
        {"volume": None, "share": 1.1},
        {"volume": None, "profile": [1.0, None]},
        {"interval": 0.0},
    ],
)
def test_contracts_with_impossible_numbers_are_refused(changes) -> None:
    whole = {"id": "c", "kind": ContractKind.PPA, "intensity": 0.0, "market": "X", "volume": 1.0}

    with pytest.raises(ImpossibleAmountError):
        Contract(**{**whole, **changes})


@pytest.mark.parametrize(
    ("energy", "starts", "seconds"),
    [
        ([1.0, -1.0, 0.0, 0.0], STARTS, HOUR),
        ([1.0, 2.0], STARTS, HOUR),
        (LOAD, [0.0, float("nan"), 1.0, 2.0], HOUR),
        (LOAD, STARTS, 0.0),
    ],
)
def test_loads_that_cannot_be_are_refused(energy, starts, seconds) -> None:
    with pytest.raises(ImpossibleAmountError):
        load(energy, starts, seconds)


def test_a_profile_of_another_length_is_refused() -> None:
    short = Contract(
        id="short", kind=ContractKind.PPA, intensity=0.0, market="DK1", profile=[1.0, 2.0]
    )
    with pytest.raises(ImpossibleAmountError, match="profile of short"):
        market(short, matching=Matching.HOURLY)


@settings(max_examples=100)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.sampled_from(Matching))
def test_every_watt_hour_has_one_factor(seed, count, matching) -> None:
    """Random contracts of all kinds: covered, residual and average are the load, once."""
    rng = np.random.default_rng(seed)
    starts = np.arange(count) * 900.0
    energy = rng.uniform(0.0, 1000.0, count) * (rng.random(count) < 0.8)
    contracts = []
    for number in range(rng.integers(0, 6)):
        kind = ContractKind(rng.choice(list(ContractKind)))
        covers = {
            "profile": {"profile": rng.uniform(0.0, 800.0, count)},
            "volume": {"volume": float(rng.uniform(0.0, 300.0 * count))},
            "share": {"share": float(rng.uniform(0.0, 1.0))},
        }[rng.choice(["profile", "volume", "share"])]
        contracts.append(
            Contract(
                id=str(number),
                kind=kind,
                intensity=float(rng.uniform(0.0, 900.0)),
                market=rng.choice(["DK1", "DK1", "SE3"]),
                valid_from=float(rng.uniform(0.0, 900.0 * count)) if rng.random() < 0.3 else None,
                **({} if kind is ContractKind.RESIDUAL_MIX else covers),
            )
        )

    result = market(*contracts, matching=matching, energy=energy, starts=starts, seconds=900.0)

    covered = sum((use.matched for use in result.uses), np.zeros(count))
    assert covered + result.residual + result.average == pytest.approx(energy, rel=1e-9, abs=1e-9)
    assert result.figure.value <= energy.sum() / 1000.0 * 900.0 * (1 + 1e-9)
    for use in result.uses:
        assert use.matched.sum() <= use.offered * (1 + 1e-9)
        assert (use.matched >= 0.0).all()


@given(st.lists(st.tuples(st.floats(0, 1e4), st.floats(0, 1e4)), min_size=1, max_size=48))
def test_matching_by_the_hour_never_claims_more_than_by_the_year(hours) -> None:
    energy, delivered = np.array(hours).T
    contract = Contract(
        id="c", kind=ContractKind.PPA, intensity=0.0, market="DK1", profile=delivered
    )
    starts = np.arange(len(hours)) * HOUR

    hourly, annual = (
        market(contract, RESIDUAL, matching=matching, energy=energy, starts=starts)
        for matching in (Matching.HOURLY, Matching.ANNUAL)
    )

    assert hourly.matched <= annual.matched * (1 + 1e-9) + 1e-9
    assert annual.matched == pytest.approx(min(energy.sum(), delivered.sum()), rel=1e-9, abs=1e-6)
