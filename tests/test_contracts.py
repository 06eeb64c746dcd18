"""Contracts as they are stored, as accounting uses them, and as broken ones are told."""

from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from hypothesis import given, strategies as st
import numpy as np
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.carbon_meter.carbon.accounting.contracts import (
    Contract,
    ContractError,
    ContractKind,
)
from custom_components.carbon_meter.carbon.accounting.figures import Matching
from custom_components.carbon_meter.carbon.accounting.market import market_based
from custom_components.carbon_meter.carbon.accounting.period import ReportedLoad
from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.contracts import (
    Terms,
    async_contracts,
    contract_of,
    contracts_of,
    statistics_of,
)

BERLIN = ZoneInfo("Europe/Berlin")
PLANT = "sensor.plant_energy"
CERTIFICATE = {
    "kind": "certificate",
    "coverage": "volume",
    "volume": 1000,
    "intensity": 0,
    "market": "DE",
    "source": "registry 17",
    "carbon_free": True,
}
PPA = {"kind": "ppa", "coverage": "statistic", "statistic": PLANT, "intensity": 12, "market": "DE"}
RATE = {"kind": "supplier_rate", "coverage": "all", "intensity": 250, "market": "DE"}
RESIDUAL = {"kind": "residual_mix", "intensity": 600, "market": "DE"}


def profiles(statistic: str) -> Any:
    """Return what one plant made in four hours."""
    return np.array([0.0, 2000.0, 4000.0, 1000.0]) if statistic == PLANT else None


TERMS = Terms(zone=BERLIN, profiles=profiles, market="DE")


def site_with(*contracts: dict[str, Any], **options: Any) -> MockConfigEntry:
    return MockConfigEntry(
        domain=DOMAIN,
        title="Home",
        options=options,
        subentries_data=[
            ConfigSubentryData(
                data=data, subentry_type="contract", title=f"Contract {number}", unique_id=None
            )
            for number, data in enumerate(contracts, start=1)
        ],
    )


def test_each_kind_is_read_in_the_units_of_accounting() -> None:
    entry = site_with(CERTIFICATE, PPA, RATE, RESIDUAL)
    certificate, ppa, rate, residual = contracts_of(entry, BERLIN, profiles)
    assert [contract.id for contract in (certificate, ppa, rate, residual)] == [*entry.subentries]
    assert (certificate.kind, certificate.volume) == (ContractKind.CERTIFICATE, 1_000_000.0)
    assert certificate.carbon_free
    assert certificate.source == "registry 17"
    assert not ppa.carbon_free
    assert list(ppa.profile) == [0.0, 2000.0, 4000.0, 1000.0]
    assert (rate.volume, rate.share, rate.profile) == (None, None, None)
    assert (residual.kind, residual.intensity) == (ContractKind.RESIDUAL_MIX, 600.0)


def test_the_stored_contracts_give_the_figures_of_the_standard() -> None:
    """Oracle: L = 2 1 3 4 kWh, certificates 0 2 4 1, residual mix 600: hourly 3000 g."""
    certificate = {**PPA, "kind": "certificate", "intensity": 0, "carbon_free": True}
    contracts = contracts_of(site_with(certificate, RESIDUAL), BERLIN, profiles)
    load = ReportedLoad(
        load=np.array([2000.0, 1000.0, 3000.0, 4000.0]),
        start_times=np.arange(4) * 3600.0,
        seconds=3600.0,
        market="DE",
    )
    hourly = market_based(load, contracts, matching=Matching.HOURLY, location=400.0)
    annual = market_based(load, contracts, matching=Matching.ANNUAL, location=400.0)
    assert hourly.figure.value == pytest.approx(3000.0, rel=1e-12)
    assert annual.figure.value == pytest.approx(1800.0, rel=1e-12)
    assert hourly.matched == pytest.approx(5000.0)


def test_days_are_local_and_the_last_one_counts() -> None:
    data = {**RATE, "valid_from": "2026-03-29", "valid_to": "2026-10-25"}
    contract = contract_of("c", data, TERMS)
    # Both are days on which the clock changes: the second one has 25 hours.
    assert contract.valid_from == datetime(2026, 3, 28, 23, tzinfo=UTC).timestamp()
    assert contract.valid_to == datetime(2026, 10, 25, 23, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Asia/Shanghai", "America/Havana"])
def test_one_day_is_what_lies_between_two_local_midnights(zone: str) -> None:
    """Havana changes the clock at midnight: the day begins at one."""
    day = "2026-03-08"
    terms = Terms(zone=ZoneInfo(zone), profiles=profiles, market="DE")
    contract = contract_of("c", {**RATE, "valid_from": day, "valid_to": day}, terms)
    starts = np.arange(contract.valid_from - 86400, contract.valid_to + 86400, 1800.0)
    inside = starts[contract.valid_in(starts)]
    assert {datetime.fromtimestamp(start, ZoneInfo(zone)).date() for start in inside} == {
        date(2026, 3, 8)
    }
    assert contract.valid_to - contract.valid_from == 3600 * (23 if "Havana" in zone else 24)


def test_share_minutes_and_part_of_the_year() -> None:
    share = contract_of("c", {**RATE, "coverage": "share", "share": 40}, TERMS)
    assert share.share == pytest.approx(0.4)
    quarters = contract_of("c", {**CERTIFICATE, "certificate_minutes": 15}, TERMS)
    assert quarters.interval == 900
    (half,) = contracts_of(site_with(CERTIFICATE), BERLIN, profiles, part_of_year=0.5)
    assert half.volume == 500_000.0


def test_only_what_the_coverage_names_is_used() -> None:
    data = {**CERTIFICATE, "share": 50, "statistic": PLANT}
    contract = contract_of("c", data, TERMS)
    assert (contract.volume, contract.share, contract.profile) == (1_000_000.0, None, None)


@pytest.mark.parametrize(
    ("told", "options", "market"),
    [
        (" de ", {}, "DE"),
        (None, {"details": {"market": "at"}, "zone": "DE"}, "AT"),
        (None, {"zone": "FR"}, "FR"),
        ("", {"details": "garbage"}, "001"),
    ],
)
def test_market_without_one_is_the_sites(told: str | None, options: Any, market: str) -> None:
    (contract,) = contracts_of(site_with({**RATE, "market": told}, **options), BERLIN, profiles)
    assert contract.market == market


BROKEN = [
    ({}, "None is no kind"),
    ({**RATE, "kind": ["ppa"]}, "no kind"),
    ({**CERTIFICATE, "kind": "promise"}, "promise"),
    ({**CERTIFICATE, "coverage": "all"}, "cannot cover 'all'"),
    ({**CERTIFICATE, "volume": None}, "volume is missing"),
    ({**CERTIFICATE, "volume": -1}, "negative"),
    ({**CERTIFICATE, "volume": "much"}, "not a number"),
    ({**CERTIFICATE, "volume": float("nan")}, "not finite"),
    ({**CERTIFICATE, "intensity": None}, "intensity"),
    ({**CERTIFICATE, "intensity": [1]}, "intensity"),
    ({**CERTIFICATE, "certificate_minutes": 0}, "no length"),
    ({**CERTIFICATE, "certificate_minutes": {}}, "not a number"),
    ({**RATE, "coverage": "share", "share": 101}, "more than all"),
    ({**RATE, "coverage": "share"}, "share is missing"),
    ({**RATE, "coverage": ["all"]}, "cannot cover"),
    ({**PPA, "statistic": "sensor.gone"}, "no statistic 'sensor.gone'"),
    ({**RATE, "valid_from": "2027-01-01", "valid_to": "2026-12-31"}, "ends before it begins"),
    ({**RATE, "valid_from": "first of May"}, "not a date"),
    ({**RATE, "valid_to": "9999-12-31"}, "not a date"),
    ({**RATE, "valid_to": 20261231}, "not a date"),
]


@pytest.mark.parametrize(("data", "problem"), BROKEN)
def test_broken_contract_is_refused_by_name(data: dict[str, Any], problem: str) -> None:
    with pytest.raises((ContractError, ImpossibleAmountError), match=problem):
        contract_of("c", MappingProxyType(data), TERMS)


@given(
    st.dictionaries(
        st.sampled_from([*CERTIFICATE, "share", "statistic", "valid_from", "valid_to"]),
        st.none()
        | st.booleans()
        | st.floats()
        | st.text(max_size=8)
        | st.lists(st.integers(), max_size=2)
        | st.dates().map(str),
    ),
    st.sampled_from([CERTIFICATE, PPA, RATE, RESIDUAL]),
)
def test_whatever_is_stored_is_a_contract_or_refused(
    changes: dict[str, Any], data: dict[str, Any]
) -> None:
    try:
        contract = contract_of("c", {**data, **changes}, TERMS)
    except ContractError, ImpossibleAmountError:
        return
    assert isinstance(contract, Contract)
    assert contract.intensity >= 0


async def test_broken_ones_are_left_out_and_told_until_mended(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    entry = site_with(CERTIFICATE, {**PPA, "statistic": "sensor.gone"})
    entry.add_to_hass(hass)
    kept, broken = entry.subentries.values()
    issues = ir.async_get(hass)
    issue_id = f"contract_{broken.subentry_id}"

    for _ in range(3):
        (contract,) = async_contracts(hass, entry, profiles)
        assert contract.id == kept.subentry_id
    issue = issues.async_get_issue(DOMAIN, issue_id)
    assert issue.translation_placeholders == {
        "contract": "Contract 2",
        "problem": "Contract 2: there is no statistic 'sensor.gone'",
    }
    assert caplog.text.count("The contract Contract 2 cannot be used") == 1

    hass.config_entries.async_update_subentry(entry, broken, data=PPA)
    assert len(async_contracts(hass, entry, profiles)) == 2
    assert issues.async_get_issue(DOMAIN, issue_id) is None


async def test_days_are_those_of_home_assistant(hass: HomeAssistant) -> None:
    await hass.config.async_set_time_zone("Asia/Kolkata")
    hass.config.country = "IN"
    entry = site_with({**RATE, "market": "", "valid_from": "2026-04-01"})
    (contract,) = async_contracts(hass, entry, profiles)
    assert contract.market == "IN"
    assert contract.valid_from == datetime(2026, 3, 31, 18, 30, tzinfo=UTC).timestamp()


def test_only_statistics_that_are_used_are_asked_for() -> None:
    entry = site_with(PPA, {**CERTIFICATE, "statistic": "sensor.other"}, RATE)
    assert statistics_of(entry) == {PLANT}


@given(st.dates(date(1970, 1, 2), date(2100, 1, 1)), st.integers(0, 400))
def test_validity_covers_whole_days(first: date, days: int) -> None:
    last = first + timedelta(days=days)
    contract = contract_of("c", {**RATE, "valid_from": str(first), "valid_to": str(last)}, TERMS)
    begins = datetime.fromtimestamp(contract.valid_from, BERLIN)
    ends = datetime.fromtimestamp(contract.valid_to, BERLIN)
    assert (begins.date(), begins.hour) == (first, 0)
    assert (ends.date(), ends.hour) == (last + timedelta(days=1), 0)
