"""Gas, heat, water and fuels: grams per Wh or per litre, and why there are none."""

from datetime import date
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.carbon.accounting.figures import Account
from custom_components.carbon_meter.carbon.factors.factor import Carrier as Fuel, Stage
from custom_components.carbon_meter.carbon.factors.library import PACKAGED_FACTORS, load_library
from custom_components.carbon_meter.carriers import (
    CarrierAccount,
    CarrierGap,
    Unit,
    async_report_carrier,
    carrier_account,
    default_fuel,
    fuels_for,
    ledger_unit,
)
from custom_components.carbon_meter.const import DOMAIN, Carrier

LIBRARY = load_library()
VOLUME, ENERGY = {"volume"}, {"energy_import", "power"}
DAY = date(2025, 7, 1)


def meter(carrier: str) -> ConfigSubentry:
    return ConfigSubentry(
        data={"carrier": carrier, "role": "grid"},
        subentry_id="m",
        subentry_type="meter",
        title="Meter",
        unique_id=None,
    )


def asked(
    carrier: str, quantities: set[str], zone: str | None, **settings: Any
) -> tuple[CarrierAccount, None] | tuple[None, CarrierGap]:
    return carrier_account(
        {"carriers": {"m": settings}} if settings else {},
        meter(carrier),
        quantities=quantities,
        library=LIBRARY,
        zone=zone,
    )


def grams(
    carrier: str, quantities: set[str], zone: str | None, day: date = DAY, **settings: Any
) -> dict[tuple[Account, Stage], float]:
    """Return grams per kWh or per m³, by account and stage."""
    account, gap = asked(carrier, quantities, zone, **settings)
    assert gap is None
    return {
        (label.account, label.stage): value * 1000 for label, value in account.grams(day).items()
    }


USE = (Account.DIRECT, Stage.USE)
SUPPLY = (Account.VALUE_CHAIN, Stage.UPSTREAM)


@pytest.mark.parametrize(
    ("carrier", "quantities", "settings", "figures"),
    [
        # UK conversion factors 2025: per m³, then per gross and net kWh.
        ("gas", VOLUME, {}, {USE: 2066.72, SUPPLY: 336.6}),
        ("gas", ENERGY, {}, {USE: 182.96, SUPPLY: 30.21}),
        ("gas", ENERGY, {"heating_value": "net"}, {USE: 202.70, SUPPLY: 33.47}),
        ("gas", ENERGY, {"fuel": "lpg", "heating_value": "net"}, {USE: 230.32, SUPPLY: 27.36}),
        # What the bill says of the gas comes before the table's cubic metre.
        ("gas", VOLUME, {"calorific_value": 11.2}, {USE: 11.2 * 182.96, SUPPLY: 11.2 * 30.21}),
        (
            "heat",
            ENERGY,
            {"fuel": "district_heat"},
            {
                (Account.LOCATION_BASED, Stage.GENERATION): 175.29,
                (Account.VALUE_CHAIN, Stage.TRANSMISSION_DISTRIBUTION): 9.45,
                SUPPLY: 33.41,
            },
        ),
        ("water", VOLUME, {}, {(Account.VALUE_CHAIN, Stage.GENERATION): 191.3}),
        (
            "water",
            VOLUME,
            {"fuel": "wastewater"},
            {(Account.VALUE_CHAIN, Stage.GENERATION): 170.88},
        ),
        ("fuel", VOLUME, {"fuel": "heating_oil"}, {USE: 2_755_410.0, SUPPLY: 626_650.0}),
        ("fuel", VOLUME, {"fuel": "lpg"}, {USE: 1_557_130.0, SUPPLY: 185_510.0}),
        ("fuel", ENERGY, {"fuel": "kerosene"}, {USE: 259.75, SUPPLY: 54.24}),
    ],
)
def test_the_united_kingdom_as_printed(
    carrier: str, quantities: set[str], settings: dict[str, Any], figures: dict[Any, float]
) -> None:
    assert grams(carrier, quantities, "GB", **settings) == pytest.approx(figures, rel=1e-12)


def test_where_only_the_world_has_a_figure() -> None:
    """IPCC 2006: 56.1 t/TJ net is 201.96 g/kWh; a gross kWh has 0.9 of it."""
    gross = 56.1 * 3.6 * 0.9
    assert grams("gas", ENERGY, "DE") == pytest.approx({USE: gross})
    assert grams("gas", VOLUME, "DE", calorific_value=10.5) == pytest.approx({USE: 10.5 * gross})
    assert grams("gas", ENERGY, None, heating_value="net") == pytest.approx({USE: 56.1 * 3.6})
    oil = grams("fuel", VOLUME, "DE", fuel="heating_oil", calorific_value=10_000)
    assert oil == pytest.approx({USE: 10_000 * 74.1 * 3.6})


def test_carbon_of_plants_is_beside_the_scopes() -> None:
    """IPCC 2006: wood has 112 t/TJ."""
    wood = grams("fuel", ENERGY, "DE", fuel="wood")
    assert wood == pytest.approx({(Account.BIOGENIC, Stage.USE): 112 * 3.6})


def test_lpg_behind_a_gas_meter_is_no_liquid() -> None:
    account, gap = asked("gas", VOLUME, "GB", fuel="lpg")
    assert (account, gap) == (None, CarrierGap.NO_CALORIFIC_VALUE)
    # A cubic metre of propane vapour has about 28 kWh: 6 kg, not a tonne and a half.
    vapour = grams("gas", VOLUME, "GB", fuel="lpg", calorific_value=28.1, heating_value="gross")
    assert 5000 < vapour[USE] < 7000


@pytest.mark.parametrize(
    ("carrier", "quantities", "zone", "settings", "gap"),
    [
        ("gas", VOLUME, "DE", {}, CarrierGap.NO_CALORIFIC_VALUE),
        ("gas", VOLUME, "DE", {"calorific_value": "ten"}, CarrierGap.NO_CALORIFIC_VALUE),
        ("fuel", VOLUME, "DE", {"fuel": "heating_oil"}, CarrierGap.NO_CALORIFIC_VALUE),
        ("heat", ENERGY, "GB", {}, CarrierGap.NOT_CHOSEN),
        ("fuel", VOLUME, "GB", {}, CarrierGap.NOT_CHOSEN),
        ("fuel", VOLUME, "GB", {"fuel": "wood"}, CarrierGap.NOT_CHOSEN),
        ("heat", ENERGY, "DE", {"fuel": "district_heat"}, CarrierGap.NO_FACTOR),
        ("heat", VOLUME, "GB", {"fuel": "district_heat"}, CarrierGap.NOT_CHOSEN),
        ("water", VOLUME, "DE", {"fuel": "water"}, CarrierGap.NO_FACTOR),
        ("water", VOLUME, "DE", {}, CarrierGap.NOT_CHOSEN),
        ("gas", ENERGY, "GB", {"fuel": "none"}, CarrierGap.NOT_COUNTED),
        ("fuel", ENERGY, "GB", {"fuel": "wood_pellets"}, CarrierGap.NO_FACTOR),
    ],
)
def test_why_there_is_none(
    carrier: str, quantities: set[str], zone: str, settings: dict[str, Any], gap: CarrierGap
) -> None:
    assert asked(carrier, quantities, zone, **settings) == (None, gap)


@pytest.mark.parametrize(
    ("carrier", "quantities", "settings", "figures"),
    [
        ("gas", VOLUME, {"factor": 2000, "calorific_value": 11}, {USE: 2000}),
        ("gas", ENERGY, {"factor": 0}, {USE: 0}),
        (
            "heat",
            ENERGY,
            {"factor": 80, "fuel": "district_heat"},
            {(Account.LOCATION_BASED, Stage.GENERATION): 80},
        ),
        (
            "water",
            VOLUME,
            {"factor": 250, "fuel": "water"},
            {(Account.VALUE_CHAIN, Stage.GENERATION): 250},
        ),
        ("gas", VOLUME, {"factor": 5000, "fuel": "lpg"}, {USE: 5000}),
    ],
)
def test_own_factor_stands_alone(
    carrier: str, quantities: set[str], settings: dict[str, Any], figures: dict[Any, float]
) -> None:
    assert grams(carrier, quantities, "DE", **settings) == pytest.approx(figures)


def test_a_new_edition_holds_from_its_day() -> None:
    before = grams("gas", ENERGY, "GB", date(2025, 12, 31))
    after = grams("gas", ENERGY, "GB", date(2026, 1, 1))
    assert (before[USE], after[USE]) == pytest.approx((182.96, 182.31))


def test_before_any_edition_the_wider_zone_answers() -> None:
    """The packaged UK figures begin in 2024; what was counted before has the world's."""
    assert grams("gas", ENERGY, "GB", date(2020, 1, 1)) == pytest.approx({USE: 56.1 * 3.6 * 0.9})
    account, _ = asked("water", VOLUME, "GB")
    assert account.grams(date(2020, 1, 1)) == {}


def test_each_figure_names_its_table() -> None:
    account, _ = asked("gas", ENERGY, "GB")
    assert [factor.source.id for factor in account.factors(DAY)] == ["uk_desnz_2025"] * 2
    own, _ = asked("gas", ENERGY, "GB", factor=100)
    assert [factor.source.id for factor in own.factors(DAY)] == ["own"]


def test_what_a_life_cycle_figure_contains_is_not_added(tmp_path) -> None:
    (tmp_path / "own.yaml").write_text(
        """\
id: mine
title: Gas with its supply
publisher: Me
edition: "2025"
carrier: natural_gas
stage: use
scope: life_cycle
heating_value: gross
includes_td: true
factors:
  - {zone: GB, year: 2025, value: 0.215, unit: kgCO2eq/kWh}
""",
        encoding="utf-8",
    )
    library = load_library([PACKAGED_FACTORS, tmp_path])
    assert not library.problems
    account, _ = carrier_account({}, meter("gas"), quantities=ENERGY, library=library, zone="GB")
    assert list(account.grams(DAY).values()) == pytest.approx([0.215])


def test_the_unit_is_that_of_the_record() -> None:
    assert ledger_unit({"volume"}) is Unit.VOLUME
    assert ledger_unit({"volume", "energy_import"}) is Unit.ENERGY
    assert fuels_for(Carrier.ELECTRICITY, Unit.ENERGY) == ()
    for carrier in Carrier:
        for unit in Unit:
            assert default_fuel(carrier, unit) in (None, *fuels_for(carrier, unit))
    known = {fuel for carrier in Carrier for unit in Unit for fuel in fuels_for(carrier, unit)}
    assert known == set(Fuel) - {Fuel.ELECTRICITY}


@given(
    st.sampled_from(["gas", "heat", "water", "fuel"]),
    st.sampled_from([frozenset(VOLUME), frozenset(ENERGY)]),
    st.sampled_from(["GB", "DE", "AU-NSW", None]),
    st.dictionaries(
        st.sampled_from(["fuel", "calorific_value", "heating_value", "factor"]),
        st.none()
        | st.booleans()
        | st.floats()
        | st.sampled_from([*(fuel.value for fuel in Fuel), "none", "gross", "net"])
        | st.lists(st.integers(), max_size=2),
    ),
)
def test_whatever_is_stored_gives_grams_or_a_reason(
    carrier: str, quantities: frozenset[str], zone: str | None, settings: dict[str, Any]
) -> None:
    account, gap = asked(carrier, set(quantities), zone, **settings)
    assert (account is None) is (gap is not None)
    if account is not None:
        assert account.factors()
        assert all(value >= 0 for value in account.grams(DAY).values())


@pytest.mark.parametrize("carriers", [None, [], {"m": 7}, "gas"])
def test_options_that_are_none(carriers: object) -> None:
    account, gap = carrier_account(
        {"carriers": carriers}, meter("gas"), quantities=ENERGY, library=LIBRARY, zone="GB"
    )
    assert gap is None
    assert account.fuel is Fuel.NATURAL_GAS


async def test_what_the_user_can_do_is_told_until_done(hass: HomeAssistant) -> None:
    issues = ir.async_get(hass)
    for gap in (CarrierGap.NO_FACTOR, CarrierGap.NO_CALORIFIC_VALUE):
        async_report_carrier(hass, meter("gas"), gap, "DE")
        issue = issues.async_get_issue(DOMAIN, "carrier_m")
        assert issue.translation_key == f"carrier_{gap.value}"
        assert issue.translation_placeholders == {"meter": "Meter", "zone": "DE"}
    for gap in (None, CarrierGap.NOT_CHOSEN, CarrierGap.NOT_COUNTED):
        async_report_carrier(hass, meter("gas"), CarrierGap.NO_FACTOR, None)
        async_report_carrier(hass, meter("gas"), gap, "DE")
        assert issues.async_get_issue(DOMAIN, "carrier_m") is None
