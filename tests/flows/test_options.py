"""Choosing where the carbon intensity comes from."""

from datetime import timedelta

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.config_validation import custom_serializer
from homeassistant.util import dt as dt_util
import probatio
import pytest

from custom_components.carbon_meter.carbon.intensity.live.catalogue import PROVIDERS
from custom_components.carbon_meter.flows import source_trial
from custom_components.carbon_meter.sources.opening import DATA_PATIENCE
from tests.carbon.intensity.provider_server import KEY, PASSWORD, USER, ProviderServer, saying
from tests.common import SiteUnderTest
from tests.flows.sources import UNIT, Options, choices, site_with, suggested

NESO = {"kind": "live", "provider": "neso", "zone": "GB"}
FIXED = {"kind": "fixed", "value": 120.0}
MAPS = {"kind": "live", "provider": "electricity_maps", "zone": "FR", "key": KEY}
TOPIC = {"kind": "topic", "topic": "grid/co2", "unit": UNIT}
GONE = {"kind": "plugin", "offer": "gone.grid"}


async def flow_of(hass: HomeAssistant, *sources: dict, **options) -> Options:
    """Return the flow at the list of sources of a site."""
    entry = await site_with(hass, {"sources": list(sources), **options}, load=False)
    flow = Options(hass, entry)
    await flow.open("sources")
    return flow


async def test_a_live_provider_of_the_country(
    real_time: HomeAssistant, providers: ProviderServer
) -> None:
    real_time.config.country = "GB"
    flow = await flow_of(real_time, zone="GB", network="n", unknown={"a": 1})
    assert flow.result["menu_options"] == ["add_source", "marginal"]
    assert flow.said("sources") == "-"
    await flow.go("add_source")
    assert flow.result["menu_options"] == ["live", "entity", "topic", "fixed"]
    await flow.go("live")
    offered = choices(flow.result, "provider")
    assert offered[:2] == ["neso", "neso_regional"]
    assert set(offered) == set(PROVIDERS) - {"watttime"}
    # The one that is ticked already: there is nothing else to say.
    await flow.answer()
    assert flow.result["step_id"] == "live_confirm"
    assert flow.said("source") == "NESO Carbon Intensity: Great Britain"
    assert flow.said("intensity").endswith(f" {UNIT}")
    assert dt_util.parse_datetime(flow.said("time")) is not None
    assert dt_util.parse_datetime(flow.said("forecast")) is not None
    assert flow.said("licence") == "CC BY 4.0"
    assert "National Energy System Operator" in flow.said("attribution")
    await flow.answer()
    assert flow.result["menu_options"][0] == "save"
    assert flow.said("sources") == "1. NESO Carbon Intensity: Great Britain"
    assert flow.entry.options["sources"] == []
    await flow.save()
    assert flow.entry.options == {
        "sources": [NESO],
        "zone": "GB",
        "network": "n",
        "unknown": {"a": 1},
    }


async def test_a_key_is_tried_before_it_is_kept(
    real_time: HomeAssistant, providers: ProviderServer
) -> None:
    real_time.config.country = "FR"
    flow = await flow_of(real_time)
    await flow.go("add_source")
    await flow.go("live")
    await flow.answer(provider="electricity_maps")
    assert flow.result["step_id"] == "access_key"
    assert suggested(flow.result, "zone") == "FR"
    assert flow.said("register") == PROVIDERS["electricity_maps"].register
    await flow.answer(zone="FR", key="wrong-key")
    assert flow.result["errors"] == {"key": "provider_auth"}
    assert "Electricity Maps" in flow.said("detail")
    assert "wrong-key" not in str(flow.result["description_placeholders"])
    await flow.answer(zone="fr", key=f" {KEY} ")
    assert flow.result["step_id"] == "live_confirm"
    await flow.answer()
    await flow.save()
    assert flow.entry.options["sources"] == [MAPS]


TROUBLE = {
    "in trouble": (saying(503), "provider_temporary"),
    "a page for people": (saying(200, "<html>soon</html>"), "provider_temporary"),
    "another shape": (saying(200, '{"nothing": 1}'), "provider_changed"),
    "too many": (saying(429), "provider_limited"),
    "another plan": (saying(403), "provider_plan"),
}


@pytest.mark.parametrize(("trouble", "key"), TROUBLE.values(), ids=TROUBLE)
async def test_trouble_is_told_and_can_be_tried_again(
    trouble, key: str, real_time: HomeAssistant, providers: ProviderServer
) -> None:
    flow = await flow_of(real_time)
    await flow.go("add_source")
    await flow.go("live")
    providers.trouble = trouble
    await flow.answer(provider="neso")
    # A provider without any field has a form all the same, to try it again.
    assert flow.result["step_id"] == "access_free"
    assert flow.result["data_schema"].schema == {}
    assert flow.result["errors"] == {"base": key}
    assert len(flow.said("detail")) > 1
    assert flow.entry.options == {"sources": []}


async def test_a_zone_that_is_unknown_there(
    real_time: HomeAssistant, providers: ProviderServer
) -> None:
    real_time.config.country = "FR"
    flow = await flow_of(real_time)
    await flow.go("add_source")
    await flow.go("live")
    await flow.answer(provider="energy_charts")
    assert suggested(flow.result, "zone") == "FR"
    await flow.answer(zone="FR")
    assert flow.result["errors"] == {"zone": "provider_zone"}
    await flow.answer(zone="nowhere")
    assert flow.result["errors"] == {"zone": "provider_zone"}
    await flow.answer(zone="DE")
    assert flow.said("source") == "Energy-Charts: Germany"


async def test_zone_of_a_place_in_denmark(
    real_time: HomeAssistant, providers: ProviderServer
) -> None:
    real_time.config.country = "DK"
    real_time.config.latitude, real_time.config.longitude = 55.68, 12.57
    flow = await flow_of(real_time)
    await flow.go("add_source")
    await flow.go("live")
    assert choices(flow.result, "provider")[0] == "energinet"
    await flow.answer()
    assert suggested(flow.result, "zone") == "DK2"


async def test_a_provider_that_is_silent(
    real_time: HomeAssistant, providers: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silence(_request):
        await providers.hang.wait()

    flow = await flow_of(real_time)
    await flow.go("add_source")
    await flow.go("live")
    providers.trouble = silence
    real_time.data[DATA_PATIENCE] = 0.1
    await flow.answer(provider="neso")
    assert flow.result["errors"] == {"base": "provider_temporary"}
    real_time.data[DATA_PATIENCE] = 60.0
    monkeypatch.setattr(source_trial, "_LIMIT", 0.1)
    await flow.open("sources", "add_source", "live")
    await flow.answer(provider="eco2mix")
    assert flow.result["errors"] == {"base": "provider_temporary"}
    assert "no answer in time" in flow.said("detail")


async def test_a_provider_that_knows_nothing_of_now(
    real_time: HomeAssistant, providers: ProviderServer
) -> None:
    providers.delay = 10 * 86400.0
    flow = await flow_of(real_time)
    await flow.go("add_source")
    await flow.go("live")
    await flow.answer(provider="eco2mix")
    assert flow.result["step_id"] == "live_confirm"
    assert [flow.said(name) for name in ("intensity", "time", "forecast")] == ["-", "-", "-"]


async def test_order_is_saved_once(real_time: HomeAssistant, providers: ProviderServer) -> None:
    flow = await flow_of(real_time, NESO, FIXED, GONE)
    names = ["NESO Carbon Intensity: Great Britain", f"120 {UNIT}", "gone.grid"]
    assert flow.said("sources").splitlines() == [
        f"{position}. {name}" for position, name in enumerate(names, 1)
    ]
    assert flow.result["menu_options"] == [
        "add_source",
        "order",
        "edit_source",
        "remove_sources",
        "marginal",
    ]
    await flow.go("order")
    fields = probatio.to_field_list(flow.result["data_schema"], custom_serializer=custom_serializer)
    assert fields[0]["selector"]["select"]["reorder"] is True
    assert fields[0]["default"] == ["0", "1", "2"]
    await flow.answer(sources=["2", "0", "2"])
    assert flow.said("sources").startswith("1. gone.grid")
    assert flow.entry.options["sources"] == [NESO, FIXED, GONE]
    await flow.save()
    assert flow.entry.options["sources"] == [GONE, NESO, FIXED]


async def test_what_has_not_changed_need_not_be_saved(
    real_time: HomeAssistant, providers: ProviderServer
) -> None:
    flow = await flow_of(real_time, NESO, FIXED)
    await flow.go("order")
    await flow.answer(sources=["0", "1"])
    assert "save" not in flow.result["menu_options"]
    await flow.go("remove_sources")
    await flow.answer(sources=[])
    assert "save" not in flow.result["menu_options"]


async def test_sources_are_removed(real_time: HomeAssistant, providers: ProviderServer) -> None:
    flow = await flow_of(real_time, NESO, FIXED, GONE)
    await flow.go("remove_sources")
    await flow.answer(sources=["0", "2"])
    assert flow.said("sources") == f"1. 120 {UNIT}"
    await flow.save()
    assert flow.entry.options["sources"] == [FIXED]


async def test_editing_keeps_the_key_and_the_place(
    real_time: HomeAssistant, providers: ProviderServer
) -> None:
    flow = await flow_of(real_time, MAPS, FIXED)
    await flow.go("edit_source")
    await flow.answer(source="0")
    assert flow.result["step_id"] == "access_key"
    assert suggested(flow.result, "zone") == "FR"
    assert suggested(flow.result, "key") is None
    await flow.answer(zone="US-CAL-CISO")
    await flow.answer()
    await flow.save()
    assert flow.entry.options["sources"] == [{**MAPS, "zone": "US-CAL-CISO"}, FIXED]


@pytest.mark.parametrize(
    ("source", "step"),
    [
        ({"kind": "entity", "entity_id": "sensor.co2"}, "entity"),
        (TOPIC, "topic"),
        (FIXED, "fixed"),
        (GONE, "plugin"),
        ({**MAPS, "provider": "watttime", "username": USER, "password": PASSWORD}, None),
    ],
)
async def test_editing_opens_the_form_of_the_kind(
    source, step, real_time: HomeAssistant, providers: ProviderServer
) -> None:
    real_time.states.async_set("sensor.co2", "210", {"unit_of_measurement": UNIT})
    flow = await flow_of(real_time, source)
    await flow.go("edit_source")
    await flow.answer(source="0")
    assert flow.result["step_id"] == (step or "access_account")
    for field, value in source.items():
        if field not in ("kind", "provider", "key", "password", "username"):
            assert suggested(flow.result, field) == value


async def test_what_nobody_knows_any_more_is_kept_until_it_is_removed(
    real_time: HomeAssistant, providers: ProviderServer
) -> None:
    later = {"kind": "telepathy", "strength": 3}
    closed = {"kind": "live", "provider": "closed", "zone": "X"}
    half = {"kind": "live"}
    flow = await flow_of(real_time, later, closed, half)
    assert flow.said("sources") == "1. telepathy\n2. closed: X\n3. ?: ?"
    assert "edit_source" not in flow.result["menu_options"]
    await flow.go("add_source")
    await flow.go("fixed")
    await flow.answer(value=120)
    await flow.go("edit_source")
    assert choices(flow.result, "source") == ["3"]
    await flow.answer(source="3")
    await flow.answer(value=130)
    await flow.save()
    assert flow.entry.options["sources"] == [later, closed, half, {"kind": "fixed", "value": 130}]
    await flow.open("sources", "remove_sources")
    await flow.answer(sources=["0", "1", "2"])
    await flow.save()
    assert flow.entry.options["sources"] == [{"kind": "fixed", "value": 130}]


async def test_the_same_source_twice(real_time: HomeAssistant, providers: ProviderServer) -> None:
    real_time.states.async_set("sensor.co2", "210", {"unit_of_measurement": UNIT})
    entity = {"kind": "entity", "entity_id": "sensor.co2"}
    flow = await flow_of(real_time, NESO, FIXED, entity, TOPIC)
    for kind, fields in (
        ("fixed", {"value": 7}),
        ("entity", {"entity_id": "sensor.co2"}),
        ("topic", {"topic": "grid/co2", "unit": "kg/kWh"}),
        ("live", {"provider": "neso"}),
    ):
        await flow.open("sources", "add_source", kind)
        await flow.answer(**fields)
        assert flow.result["errors"] == {"base": "already_listed"}, kind


async def test_the_marginal_source_stands_by_itself(
    real_time: HomeAssistant, providers: ProviderServer
) -> None:
    flow = await flow_of(real_time, FIXED)
    await flow.go("marginal")
    assert flow.said("present") == "-"
    assert choices(flow.result, "provider") == ["watttime"]
    await flow.answer(provider="watttime")
    assert flow.result["step_id"] == "access_account"
    # A country is no region there.
    assert suggested(flow.result, "zone") == ""
    await flow.answer(zone="CAISO_NORTH", username=USER, password="wrong")
    assert flow.result["errors"] == {"password": "provider_auth"}
    await flow.answer(zone="CAISO_NORTH", username=USER, password=PASSWORD)
    await flow.answer()
    assert flow.said("sources") == f"1. 120 {UNIT}"
    await flow.save()
    marginal = {
        "kind": "live",
        "provider": "watttime",
        "zone": "CAISO_NORTH",
        "username": USER,
        "password": PASSWORD,
    }
    assert flow.entry.options == {"sources": [FIXED], "marginal": marginal}

    await flow.open("sources", "marginal")
    assert flow.said("present") == "WattTime: CAISO_NORTH"
    assert choices(flow.result, "provider") == ["watttime", "none"]
    await flow.answer(provider="watttime")
    assert suggested(flow.result, "zone") == "CAISO_NORTH"
    await flow.answer(zone="CAISO_NORTH")
    await flow.answer()
    assert "save" not in flow.result["menu_options"]
    await flow.go("marginal")
    await flow.answer(provider="none")
    await flow.save()
    assert flow.entry.options == {"sources": [FIXED]}


async def test_an_entity_with_a_forecast(real_time: HomeAssistant) -> None:
    begin = dt_util.utcnow().replace(minute=0, second=0, microsecond=0)
    rows = [
        {"start": (begin + timedelta(hours=n)).isoformat(), "value": 0.1 * n} for n in range(1, 5)
    ]
    real_time.states.async_set(
        "sensor.co2",
        "0.21",
        {"unit_of_measurement": "kg/kWh", "friendly_name": "Grid", "forecast": rows},
    )
    flow = await flow_of(real_time)
    await flow.go("add_source")
    await flow.go("entity")
    await flow.answer(entity_id="sensor.co2")
    assert flow.result["step_id"] == "reported_confirm"
    assert flow.said("source") == "Grid (sensor.co2)"
    assert flow.said("intensity") == f"210 {UNIT}"
    end = dt_util.as_local(begin + timedelta(hours=5))
    assert flow.said("forecast") == f"{end:%Y-%m-%d %H:%M}"
    await flow.answer()
    await flow.save()
    assert flow.entry.options["sources"] == [{"kind": "entity", "entity_id": "sensor.co2"}]


async def test_entities_that_are_no_source(real_time: HomeAssistant) -> None:
    flow = await flow_of(real_time)
    own = er.async_get(real_time).async_get_or_create("sensor", "carbon_meter", "x_intensity")
    real_time.states.async_set(own.entity_id, "210", {"unit_of_measurement": UNIT})
    real_time.states.async_set("sensor.share", "50", {"unit_of_measurement": "%"})
    real_time.states.async_set("sensor.wild", "60000", {"unit_of_measurement": UNIT})
    await flow.go("add_source")
    await flow.go("entity")
    for entity_id, error, detail in (
        (own.entity_id, "own_entity", "-"),
        ("sensor.share", "unknown_unit", "%"),
        ("sensor.missing", "unknown_unit", "-"),
        ("sensor.wild", "unreadable", f"60000.0 {UNIT} is not a possible carbon intensity"),
    ):
        await flow.answer(entity_id=entity_id)
        assert flow.result["errors"] == {"entity_id": error}
        assert flow.said("unit") == flow.said("detail") == detail


async def test_an_entity_that_knows_nothing_now(real_time: HomeAssistant) -> None:
    prices = [{"start": dt_util.utcnow().isoformat(), "value": 30, "unit": "EUR/MWh"}]
    real_time.states.async_set(
        "sensor.co2",
        "unavailable",
        {"unit_of_measurement": UNIT, "rates": {"unit": "EUR/MWh", "data": prices}},
    )
    flow = await flow_of(real_time)
    await flow.go("add_source")
    await flow.go("entity")
    await flow.answer(entity_id="sensor.co2")
    assert flow.result["step_id"] == "reported_confirm"
    assert [flow.said(name) for name in ("intensity", "forecast")] == ["-", "-"]


async def test_fixed_value_is_used_at_once(site: SiteUnderTest) -> None:
    await site.open()
    flow = Options(site.hass, site.entry)
    await flow.open("sources", "add_source", "fixed")
    await flow.answer(value=123.4)
    await flow.go("save")
    await site.settle()
    assert site.value("carbon_intensity", None) == 123.4
    assert site.value("carbon_rate") == pytest.approx(site.value("power") / 1000 * 123.4)


async def test_zone_is_chosen_by_name_and_nothing_else_changes(site: SiteUnderTest) -> None:
    site.hass.config.country = "FR"
    await site.open(options={"details": {"persons": 2}})
    assert site.value("carbon_intensity", None) < 100
    flow = Options(site.hass, site.entry)
    await flow.open("zone")
    assert suggested(flow.result, "zone") == "FR"
    await flow.answer(zone="PL")
    await site.settle()
    assert flow.result["type"] is FlowResultType.CREATE_ENTRY
    assert site.entry.options == {"details": {"persons": 2}, "zone": "PL", "sources": []}
    assert site.value("carbon_intensity", None) > 500
    await flow.open("zone")
    assert suggested(flow.result, "zone") == "PL"


async def test_no_country_gives_the_worlds_average(site: SiteUnderTest) -> None:
    site.hass.config.country = None
    await site.open()
    assert site.value("carbon_intensity", None) == 472.94  # Ember 2024, World


async def test_what_the_entity_does_not_know_is_filled_with_the_zone(site: SiteUnderTest) -> None:
    site.hass.states.async_set("sensor.co2", "300", {"unit_of_measurement": UNIT})
    await site.open(options={"zone": "NO"})
    flow = Options(site.hass, site.entry)
    await flow.open("sources", "add_source", "entity")
    await flow.answer(entity_id="sensor.co2")
    await flow.answer()
    await flow.go("save")
    await site.settle()
    assert site.entry.options["zone"] == "NO"
    assert site.value("carbon_intensity", None) == 300
    site.hass.states.async_set("sensor.co2", "unavailable", {"unit_of_measurement": UNIT})
    await site.settle()
    assert site.value("carbon_intensity", None) < 50
