"""Contracts over part of a year, over two years, and beside gaps."""

from dataclasses import replace
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.accounting.contracts import Contract, ContractKind
from custom_components.carbon_meter.carbon.accounting.figures import total
from custom_components.carbon_meter.carbon.accounting.period import ReportedLoad
from custom_components.carbon_meter.carbon.accounting.scope2 import scope2_report
from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.carbon.report.report import AccountedSite, data_for
from tests.carbon.accounting.factor_rows import factor
from tests.carbon.report.sites import HOUR, MARKET, always, at, report, series, terms

NEW_YEAR = at(2026, 1, 1)

CERTIFICATES = Contract(
    id="certificates",
    kind=ContractKind.CERTIFICATE,
    intensity=0.0,
    market=MARKET,
    volume=6000.0,
    carbon_free=True,
)
RESIDUAL = Contract(id="residual", kind=ContractKind.RESIDUAL_MIX, intensity=500.0, market=MARKET)


def test_a_report_of_part_of_a_year_has_its_share_of_the_years_matching() -> None:
    """6 of 10 kWh are covered in the year: 1.2 of the first 2, and 1.8 of the next 3."""
    site = series([2000.0, 3000.0, 5000.0], starts=NEW_YEAR + np.arange(3) * HOUR)
    account = AccountedSite(site, terms(contracts=[CERTIFICATES, RESIDUAL]))

    first, second = (
        account.report(NEW_YEAR + hour * HOUR, NEW_YEAR + (hour + 1) * HOUR) for hour in (0, 1)
    )

    assert [told.market_annual.contracts[0].covered for told in (first, second)] == [1200.0, 1800.0]
    assert [told.market_annual.figure.value for told in (first, second)] == [400.0, 600.0]
    (year,) = first.years
    assert (year.year, year.load, year.share) == (2026, 10_000.0, 0.2)
    assert (year.from_start, year.over) == (True, False)


def test_a_volume_is_there_once_in_each_calendar_year() -> None:
    """4 kWh before the new year of Denmark and 16 kWh after it: 6 are offered in each year."""
    zone = ZoneInfo("Europe/Copenhagen")
    turn = at(2026, 1, 1, zone=zone)
    site = series([2000.0, 2000.0, 8000.0, 8000.0], starts=turn + np.arange(-2, 2) * HOUR)
    account = AccountedSite(site, terms(zone=zone, contracts=[CERTIFICATES]))

    old = account.report(turn - 2 * HOUR, turn).market_annual.contracts[0]
    new = account.report(turn, turn + 2 * HOUR).market_annual.contracts[0]
    both = account.report(turn - 2 * HOUR, turn + 2 * HOUR)

    assert (old.offered, old.covered, old.excess) == (6000.0, 4000.0, 2000.0)
    assert (new.offered, new.covered, new.excess) == (6000.0, 6000.0, 0.0)
    assert both.market_annual.covered == 10_000.0
    assert [(year.year, year.share) for year in both.years] == [(2025, 1.0), (2026, 1.0)]
    assert [(year.from_start, year.over) for year in both.years] == [(False, True), (True, False)]


def test_what_a_contract_is_refused_for_is_told() -> None:
    contracts = [
        CERTIFICATES,
        replace(CERTIFICATES, id="abroad", market="NO2"),
        replace(CERTIFICATES, id="expired", valid_to=NEW_YEAR),
        Contract(
            id="monthly",
            kind=ContractKind.CERTIFICATE,
            intensity=0.0,
            market=MARKET,
            profile=[500.0, 500.0],
            interval=30 * 86400.0,
        ),
    ]
    site = series([2000.0, 3000.0], starts=NEW_YEAR + np.arange(2) * HOUR)
    told = report(site, terms(contracts=contracts))

    hourly = {use.contract.id: use.refused for use in told.market_hourly.contracts}
    assert hourly == {
        "certificates": "it says nothing of single hours",
        "abroad": "it belongs to another market",
        "expired": "it says nothing of single hours",
        "monthly": "its certificates are of more than an hour",
    }
    annual = {use.contract.id: use.refused for use in told.market_annual.contracts}
    assert annual == {
        "certificates": None,
        "abroad": "it belongs to another market",
        "expired": "it is not valid in this time",
        "monthly": None,
    }
    assert told.market_annual.figure.value == 0.0
    assert told.market_hourly.figure.value == 2000.0


def test_an_intensity_that_nobody_knows_is_not_zero_carbon() -> None:
    site = series([1000.0, 2000.0, 4000.0], intensity=[100.0, float("nan"), 300.0])
    told = report(site)

    assert told.location_hourly.figure.value == 1300.0
    assert (told.location_hourly.quantity, told.location_hourly.unweighed) == (7000.0, 2000.0)
    assert told.market_hourly.total.unweighed == 2000.0
    assert told.energy.unweighed == 2000.0
    assert told.location_annual.unweighed == told.market_annual.total.unweighed == 0.0


def test_what_a_contract_covers_needs_no_intensity_of_the_grid() -> None:
    rate = Contract(
        id="rate", kind=ContractKind.SUPPLIER_RATE, intensity=50.0, market=MARKET, share=0.75
    )
    site = series([1000.0, 2000.0], intensity=[None, 300.0], grade=[None, "measured"])
    told = report(site, terms(contracts=[rate])).market_hourly

    assert told.total.unweighed == 250.0
    assert told.figure.value == 37.5 + 75.0 + 150.0


def test_days_without_a_factor_are_unweighed() -> None:
    told = report(series([1000.0, 500.0]), terms(factors=always(None)))

    assert (told.location_annual.figure.value, told.location_annual.unweighed) == (0.0, 1500.0)
    assert {part.unknown for part in told.stages.values()} == {1500.0}


def test_a_contract_that_does_not_fit_the_intervals_is_refused() -> None:
    short = Contract(
        id="short", kind=ContractKind.PPA, intensity=0.0, market=MARKET, profile=[1.0, 2.0, 3.0]
    )
    with pytest.raises(ImpossibleAmountError, match="profile of short"):
        AccountedSite(series([1.0, 2.0]), terms(contracts=[short]))


def test_the_data_of_a_report_are_whole_years_and_whole_hours() -> None:
    nepal = ZoneInfo("Asia/Kathmandu")
    reach = data_for(at(2025, 12, 31, 23, nepal), at(2026, 1, 1, 1, nepal), nepal)

    assert reach.start == at(2025, 1, 1, 0, nepal) - 900
    assert reach.end == at(2027, 1, 1, 0, nepal) + 2700
    assert data_for(NEW_YEAR, at(2027, 1, 1), terms().zone).end == at(2027, 1, 1)


amounts = st.floats(0, 1e5)
contracts = st.lists(
    st.builds(
        Contract,
        id=st.uuids().map(str),
        kind=st.sampled_from([ContractKind.CERTIFICATE, ContractKind.PPA]),
        intensity=st.floats(0, 900),
        market=st.sampled_from([MARKET, "elsewhere"]),
        volume=amounts,
        valid_from=st.none() | st.just(2 * HOUR),
    )
    | st.builds(
        Contract,
        id=st.uuids().map(str),
        kind=st.sampled_from(
            [ContractKind.CERTIFICATE, ContractKind.PPA, ContractKind.SUPPLIER_RATE]
        ),
        intensity=st.floats(0, 900),
        market=st.just(MARKET),
        profile=st.lists(amounts, min_size=12, max_size=12),
        interval=st.sampled_from([None, 900.0, 3600.0, 7200.0]),
    )
    | st.builds(
        Contract,
        id=st.uuids().map(str),
        kind=st.just(ContractKind.SUPPLIER_RATE),
        intensity=st.floats(0, 900),
        market=st.just(MARKET),
        share=st.none() | st.floats(0, 1),
    )
    | st.builds(
        Contract,
        id=st.uuids().map(str),
        kind=st.just(ContractKind.RESIDUAL_MIX),
        intensity=st.floats(0, 900),
        market=st.sampled_from([MARKET, "elsewhere"]),
        valid_to=st.none() | st.just(2 * HOUR),
    ),
    max_size=5,
)


@given(
    st.lists(amounts, min_size=12, max_size=12),
    st.lists(st.floats(0, 900), min_size=12, max_size=12),
    contracts,
)
def test_a_whole_year_is_what_the_accounting_says(load, intensity, held) -> None:
    """Without gaps and within one year the report is `scope2_report`, contract by contract."""
    site = series(load, starts=np.arange(12) * 900.0, seconds=900.0, intensity=intensity)
    told = report(site, terms(contracts=held, factors=always(factor(333.0))))
    expected = scope2_report(
        ReportedLoad(load=load, start_times=site.starts, seconds=900.0, market=MARKET),
        held,
        intensity=intensity,
        annual_factor=333.0,
    )

    assert [figure.value for figure in told.scope2] == pytest.approx(
        [figure.value for figure in expected.figures], rel=1e-12, abs=1e-12
    )
    assert [figure.label for figure in told.scope2] == [figure.label for figure in expected.figures]
    for mine, its in (
        (told.market_hourly, expected.market_hourly),
        (told.market_annual, expected.market_annual),
    ):
        assert mine.residual_carbon.value == pytest.approx(
            its.residual_carbon, rel=1e-12, abs=1e-12
        )
        assert mine.average_carbon.value == pytest.approx(its.average_carbon, rel=1e-12, abs=1e-12)
        parts = [*(use.carbon for use in mine.contracts), mine.residual_carbon]
        assert total([*parts, mine.average_carbon]).value == pytest.approx(mine.figure.value)
        for use, known in zip(mine.contracts, its.uses, strict=True):
            assert use.contract.id == known.contract.id
            assert use.covered == pytest.approx(float(known.matched.sum()), rel=1e-12, abs=1e-12)
            assert use.offered == pytest.approx(known.offered, rel=1e-12, abs=1e-12)
            assert use.refused == known.refused
            assert use.covered + use.excess == pytest.approx(use.offered, rel=1e-9, abs=1e-6)
