"""What an accountant tells a site, through its options."""

import json
from pathlib import Path
from typing import Any

from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.carbon_meter import const
from custom_components.carbon_meter.carbon.factors.amounts import HeatingValue
from custom_components.carbon_meter.carbon.factors.factor import Scope
from custom_components.carbon_meter.carbon.supply.battery import Costing
from custom_components.carbon_meter.carriers import CarrierGap, Unit, fuels_for
from custom_components.carbon_meter.const import DOMAIN, Carrier
from custom_components.carbon_meter.details import battery_of, details_of
from custom_components.carbon_meter.flows.details import DetailsSteps
from hardware.virtual import MeterSpec
from tests.common import SiteUnderTest
from tests.drivers.test_entities import adopted
from tests.test_networks import METERS, WORKSHOP

KEPT = {"zone": "GB", "sources": [{"kind": "fixed", "value": 120.0}]}
TEXTS = json.loads((Path(const.__file__).parent / "translations" / "en.json").read_text())


def meter(quantity: str = "energy_import", **changes: Any) -> dict[str, Any]:
    """Return the data of a meter that is made of one entity."""
    return adopted([{"quantity": quantity, "entity": "sensor.any"}], changes)


def site_with(hass: HomeAssistant, **meters: dict[str, Any]) -> MockConfigEntry:
    """Return a site with meters by title, known to Home Assistant and not set up."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Home",
        minor_version=2,
        options=KEPT,
        subentries_data=[
            ConfigSubentryData(data=data, subentry_type="meter", title=title, unique_id=title)
            for title, data in meters.items()
        ],
    )
    entry.add_to_hass(hass)
    return entry


@pytest.fixture(autouse=True)
def at_home(hass: HomeAssistant, enable_custom_integrations: None) -> None:
    """Let Home Assistant be in the United Kingdom."""
    hass.config.country = "GB"


@pytest.fixture
def networks(hass: HomeAssistant, tmp_path: Path) -> Path:
    """Return the user's folder of networks."""
    hass.config.config_dir = str(tmp_path)
    folder = Path(hass.config.path(DOMAIN, "networks"))
    folder.mkdir(parents=True)
    return folder


def of(entry: MockConfigEntry, title: str) -> str:
    """Return the id of a meter."""
    return next(key for key, one in entry.subentries.items() if one.title == title)


async def menu(hass: HomeAssistant, entry: MockConfigEntry) -> Any:
    return await hass.config_entries.options.async_init(entry.entry_id)


async def answer(hass: HomeAssistant, form: Any, **fields: Any) -> Any:
    return await hass.config_entries.options.async_configure(form["flow_id"], fields)


async def step(hass: HomeAssistant, entry: MockConfigEntry, name: str) -> Any:
    """Return the form of a step of the menu."""
    return await answer(hass, await menu(hass, entry), next_step_id=name)


def choices(form: Any, field: str) -> list[str]:
    """Return what a field offers."""
    options = form["data_schema"].schema[field].config["options"]
    return [option if isinstance(option, str) else option["value"] for option in options]


def suggested(form: Any) -> dict[str, Any]:
    """Return what a form suggests."""
    return {
        str(key): key.description["suggested_value"]
        for key in form["data_schema"].schema
        if key.description and "suggested_value" in key.description
    }


async def test_only_what_the_site_has_is_offered(hass: HomeAssistant) -> None:
    plain = site_with(hass, Grid=meter(role="grid"), Water=meter("volume", carrier="water"))
    offered = (await menu(hass, plain))["menu_options"]
    assert {"details", "carriers", "network"} <= set(offered)
    assert "batteries" not in offered
    store = site_with(hass, Store=meter(role="battery"))
    offered = (await menu(hass, store))["menu_options"]
    assert {"details", "batteries", "network"} <= set(offered)
    assert "carriers" not in offered


async def test_details_are_kept_beside_other_options(hass: HomeAssistant) -> None:
    entry = site_with(hass)
    form = await step(hass, entry, "details")
    assert suggested(form) == {"market": "GB"}
    told = {
        "market": "GB",
        "floor_area": 140,
        "persons": 3,
        "product": "tonne",
        "product_quantity": 1200,
        "solar_scope": "life_cycle",
        "grid_carbon_free": 62,
        "loss_share": 7.5,
    }
    result = await answer(hass, form, **{**told, "product": " tonne "})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {**KEPT, "details": told}
    assert details_of(entry.options, None).solar_scope is Scope.LIFE_CYCLE
    form = await step(hass, entry, "details")
    assert suggested(form) == told
    await answer(hass, form)
    assert entry.options == {**KEPT, "details": {"solar_scope": "direct"}}


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"product": "tonne"}, {"product_quantity": "product_quantity_missing"}),
        ({"product_quantity": 3}, {"product": "product_missing"}),
        ({"product": "  ", "product_quantity": 3}, {"product": "product_missing"}),
    ],
)
async def test_half_a_product_is_none(
    hass: HomeAssistant, fields: dict[str, Any], errors: dict[str, str]
) -> None:
    entry = site_with(hass)
    result = await answer(hass, await step(hass, entry, "details"), **fields)
    assert result["errors"] == errors
    assert set(errors.values()) <= set(TEXTS["options"]["error"])
    result = await answer(hass, result, product="tonne", product_quantity=3)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_the_only_battery_is_not_asked_for(hass: HomeAssistant) -> None:
    entry = site_with(hass, Grid=meter(role="grid"), Store=meter(role="battery"))
    form = await step(hass, entry, "batteries")
    assert form["step_id"] == "battery"
    assert form["description_placeholders"] == {"meter": "Store"}
    told = {"capacity": 10.2, "efficiency": 92, "standby": 20, "costing": "fifo"}
    await answer(hass, form, **told)
    assert entry.options == {**KEPT, "batteries": {of(entry, "Store"): told}}
    battery = battery_of(entry.options, of(entry, "Store"))
    assert battery.capacity == pytest.approx(10_200)
    form = await step(hass, entry, "batteries")
    assert suggested(form) == told
    await answer(hass, form, standby=0, costing="weighted_average")
    assert battery_of(entry.options, of(entry, "Store")).round_trip is None


async def test_each_of_two_batteries_has_its_own(hass: HomeAssistant) -> None:
    entry = site_with(hass, One=meter(role="battery"), Two=meter(role="battery"))
    one, two = of(entry, "One"), of(entry, "Two")
    gone = {"batteries": {"gone": {"capacity": 1}, one: {"capacity": 5}}}
    hass.config_entries.async_update_entry(entry, options={**KEPT, **gone})
    form = await step(hass, entry, "batteries")
    assert choices(form, "meter") == [one, two]
    form = await answer(hass, form, meter=two)
    await answer(hass, form, capacity=10, costing="fifo")
    assert entry.options["batteries"] == {
        one: {"capacity": 5},
        two: {"capacity": 10, "standby": 0.0, "costing": "fifo"},
    }


@pytest.mark.parametrize(
    ("carrier", "quantity", "fields", "fuels"),
    [
        (
            "gas",
            "volume",
            {"fuel", "calorific_value", "heating_value", "factor"},
            ["natural_gas", "lpg", "none"],
        ),
        (
            "gas",
            "energy_import",
            {"fuel", "heating_value", "factor"},
            ["natural_gas", "lpg", "none"],
        ),
        (
            "heat",
            "energy_import",
            {"fuel", "factor"},
            ["district_heat", "district_cooling", "none"],
        ),
        ("water", "volume", {"fuel", "factor"}, ["water", "wastewater", "none"]),
        (
            "fuel",
            "volume",
            {"fuel", "calorific_value", "heating_value", "factor"},
            ["heating_oil", "kerosene", "lpg", "none"],
        ),
    ],
)
async def test_only_what_fits_the_meter_is_asked(
    hass: HomeAssistant, carrier: str, quantity: str, fields: set[str], fuels: list[str]
) -> None:
    entry = site_with(hass, Meter=meter(quantity, carrier=carrier))
    form = await step(hass, entry, "carriers")
    assert form["step_id"] == "carrier"
    assert {str(key) for key in form["data_schema"].schema} == fields
    assert choices(form, "fuel") == fuels
    defaults = {
        str(key): key.default() for key in form["data_schema"].schema if callable(key.default)
    }
    usual = {"gas": "natural_gas", "water": "water"}.get(carrier, "none")
    assert defaults["fuel"] == usual
    if "heating_value" in fields:
        assert defaults["heating_value"] == ("gross" if carrier == "gas" else "net")


async def test_gas_of_a_bill(hass: HomeAssistant) -> None:
    entry = site_with(
        hass, Gas=meter("volume", carrier="gas"), Water=meter("volume", carrier="water")
    )
    hass.config_entries.async_update_entry(entry, options={**KEPT, "zone": "DE"})
    form = await step(hass, entry, "carriers")
    assert choices(form, "meter") == [of(entry, "Gas"), of(entry, "Water")]
    form = await answer(hass, form, meter=of(entry, "Gas"))
    # In Germany only a factor by energy is known.
    form = await answer(hass, form, fuel="natural_gas", heating_value="gross")
    assert form["errors"] == {"calorific_value": "no_calorific_value"}
    told = {"fuel": "natural_gas", "calorific_value": 10.9, "heating_value": "gross"}
    result = await answer(hass, form, **told)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options["carriers"] == {of(entry, "Gas"): told}
    assert entry.options["zone"] == "DE"


async def test_where_no_factor_is_known_the_suppliers_is(hass: HomeAssistant) -> None:
    entry = site_with(hass, Heat=meter(carrier="heat"))
    hass.config_entries.async_update_entry(entry, options={**KEPT, "zone": "DE"})
    form = await answer(hass, await step(hass, entry, "carriers"), fuel="district_heat")
    assert form["errors"] == {"factor": "no_factor"}
    result = await answer(hass, form, fuel="district_heat", factor=80)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    result = await answer(hass, await step(hass, entry, "carriers"), fuel="none")
    assert entry.options["carriers"] == {of(entry, "Heat"): {"fuel": "none"}}


async def test_meter_whose_integration_is_missing(hass: HomeAssistant) -> None:
    entry = site_with(hass, Gas={**meter("volume", carrier="gas"), "driver": "gone.driver"})
    result = await step(hass, entry, "carriers")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "unknown_meter")


@pytest.mark.parametrize(
    ("name", "reason"), [("batteries", "no_battery"), ("carriers", "no_carrier")]
)
async def test_meter_that_is_removed_meanwhile(hass: HomeAssistant, name: str, reason: str) -> None:
    changes = {"role": "battery"} if name == "batteries" else {"carrier": "gas"}
    entry = site_with(hass, Only=meter(**changes))
    form = await menu(hass, entry)
    hass.config_entries.async_remove_subentry(entry, of(entry, "Only"))
    result = await answer(hass, form, next_step_id=name)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, reason)


async def test_network_is_chosen_once_it_fits(hass: HomeAssistant, networks: Path) -> None:
    entry = site_with(hass, **{title: meter() for title in METERS[:-1]})
    form = await step(hass, entry, "network")
    assert choices(form, "network") == []
    assert form["description_placeholders"]["folder"] == str(networks)

    (networks / "broken.yaml").write_text(WORKSHOP.replace("loss: 0.02", "loss: 2"))
    (networks / "works.yaml").write_text(WORKSHOP)
    form = await step(hass, entry, "network")
    assert choices(form, "network") == ["works.yaml", "broken.yaml"]
    form = await answer(hass, form, network="broken.yaml")
    assert form["errors"] == {"network": "network_unusable"}
    told = form["description_placeholders"]["problems"]
    assert told.startswith("- broken.yaml:6: branches.0.loss: 2 is no part of the energy")
    form = await answer(hass, form, network="works.yaml")
    told = form["description_placeholders"]["problems"]
    assert told == "- works.yaml:9: no meter of the site is called 'Press'"
    assert "network" not in entry.options

    # Mended while the form is open.
    (networks / "works.yaml").write_text(WORKSHOP.partition("loads:")[0])
    result = await answer(hass, form, network="works.yaml")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {**KEPT, "network": "works.yaml"}


async def test_network_that_is_gone_can_be_given_up(hass: HomeAssistant) -> None:
    entry = site_with(hass)
    hass.config_entries.async_update_entry(entry, options={**KEPT, "network": "gone.yaml"})
    form = await step(hass, entry, "network")
    assert choices(form, "network") == ["gone.yaml"]
    form = await answer(hass, form, network="gone.yaml")
    assert form["description_placeholders"]["problems"] == "- gone.yaml:1: there is no such file"
    await answer(hass, form)
    assert entry.options == KEPT


async def test_site_is_set_up_anew_with_what_was_told(site: SiteUnderTest) -> None:
    specs = [
        MeterSpec(profile="eastron_sdm120", unit=number, name=name, serial=str(number))
        for number, name in enumerate(("grid", "store"), start=1)
    ]
    await site.open(specs, meters={"grid": {}, "store": {"role": "battery"}})
    before = site.entry.runtime_data
    form = await step(site.hass, site.entry, "batteries")
    await answer(site.hass, form, capacity=10, costing="fifo")
    await site.settle()
    assert site.entry.runtime_data is not before
    store = of(site.entry, "Store")
    assert battery_of(site.entry.options, store).costing is Costing.FIFO


def test_every_choice_and_error_is_named() -> None:
    options, choosers = TEXTS["options"], TEXTS["selector"]
    assert set(DetailsSteps.MENU) <= set(options["step"]["init"]["menu_options"])
    assert {gap.value for gap in (CarrierGap.NO_FACTOR, CarrierGap.NO_CALORIFIC_VALUE)} <= set(
        options["error"]
    )
    for name, values in (
        ("solar_scope", Scope),
        ("costing", Costing),
        ("heating_value", HeatingValue),
        ("fuel", {"none"}.union(*(fuels_for(each, unit) for each in Carrier for unit in Unit))),
    ):
        assert set(choosers[name]["options"]) == set(values), name
    for step_id in ("details", "batteries", "battery", "carriers", "carrier", "network"):
        texts = options["step"][step_id]
        assert set(texts["data"]) == set(texts["data_description"]), step_id
