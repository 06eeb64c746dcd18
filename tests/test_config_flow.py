"""Adding meters through the flows, against meters on real sockets."""

import asyncio
from collections.abc import AsyncGenerator

from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from custom_components.carbon_meter.const import DOMAIN
from hardware.virtual import Household, MeterSpec, VirtualClock, VirtualHome
from hardware.virtual.faults import BrokenFrame, Silent
from tests.common import LOOPBACK

SPECS = (
    MeterSpec(profile="eastron_sdm630", unit=1),
    MeterSpec(profile="eastron_sdm120", node="heat_pump", unit=2),
    MeterSpec(profile="sunspec_meter_integer", node="solar", unit=3),
)


@pytest.fixture
async def home(real_time: HomeAssistant) -> AsyncGenerator[VirtualHome]:
    """Return a home whose meters answer."""
    clock = VirtualClock()
    async with VirtualHome(SPECS, Household.simulated(clock.now()), clock=clock) as opened:
        yield opened
        for entry in real_time.config_entries.async_entries(DOMAIN):
            await real_time.config_entries.async_unload(entry.entry_id)
        await real_time.async_block_till_done(wait_background_tasks=True)


def address(home: VirtualHome, unit: int = 1) -> dict[str, object]:
    return {"host": LOOPBACK, "port": home.port, "unit": unit}


async def by_address(flows, menu):
    """Return the form that asks for an address."""
    return await flows.async_configure(menu["flow_id"], {"next_step_id": "address"})


async def found(hass: HomeAssistant, home: VirtualHome, unit: int = 1):
    """Return the form that confirms a meter."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "user"
    result = await by_address(hass.config_entries.flow, result)
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "address"
    result = await hass.config_entries.flow.async_configure(result["flow_id"], address(home, unit))
    assert result["errors"] == {}, result["description_placeholders"]
    assert result["step_id"] == "confirm"
    return result


async def site_of(hass: HomeAssistant, home: VirtualHome):
    """Return the entry of a new site with the grid meter."""
    form = await found(hass, home)
    result = await hass.config_entries.flow.async_configure(
        form["flow_id"], {"site": "Home", "name": "Grid"}
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    return result["result"]


async def ask(hass: HomeAssistant, user_input: dict[str, object]):
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await by_address(hass.config_entries.flow, result)
    return await hass.config_entries.flow.async_configure(result["flow_id"], user_input)


async def test_first_meter_creates_the_site(real_time: HomeAssistant, home: VirtualHome) -> None:
    form = await found(real_time, home)
    assert form["description_placeholders"]["meter"] == "Eastron SDM630"
    assert "kWh" in form["description_placeholders"]["values"]
    result = await real_time.config_entries.flow.async_configure(
        form["flow_id"], {"site": "My house", "name": "Grid", "role": "grid", "interval": 1}
    )
    await real_time.async_block_till_done(wait_background_tasks=True)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry = result["result"]
    assert entry.title == "My house"
    assert entry.unique_id is None
    (subentry,) = entry.subentries.values()
    assert subentry.title == "Grid"
    assert subentry.unique_id == f"eastron:{home['grid'].identity.serial}"
    assert dict(subentry.data) == {
        "driver": "modbus",
        "host": LOOPBACK,
        "port": home.port,
        "unit": 1,
        "profile": "eastron_sdm630",
        "base": 0,
        "manufacturer": "Eastron",
        "model": "SDM630",
        "serial": home["grid"].identity.serial,
        "role": "grid",
        "inverted": False,
        "power_inverted": False,
        "interval": 1,
        "write_interval": 10,
    }
    assert entry.runtime_data.meters[subentry.subentry_id].last_update_success


async def test_sunspec_meter_is_found_in_its_chain(
    real_time: HomeAssistant, home: VirtualHome
) -> None:
    form = await found(real_time, home, unit=3)
    result = await real_time.config_entries.flow.async_configure(
        form["flow_id"], {"site": "Home", "name": "Roof", "role": "solar"}
    )
    await real_time.async_block_till_done(wait_background_tasks=True)
    (subentry,) = result["result"].subentries.values()
    assert subentry.data["profile"] == "sunspec_meter_integer"
    assert subentry.data["base"] == 40070
    assert subentry.data["serial"] == home["solar"].identity.serial


async def test_further_meter_joins_the_site(real_time: HomeAssistant, home: VirtualHome) -> None:
    entry = await site_of(real_time, home)
    form = await found(real_time, home, unit=2)
    result = await real_time.config_entries.flow.async_configure(
        form["flow_id"], {"site": entry.entry_id, "name": "Heat pump", "role": "submeter"}
    )
    await real_time.async_block_till_done(wait_background_tasks=True)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "meter_added"
    assert result["description_placeholders"] == {"meter": "Heat pump", "site": "Home"}
    assert len(entry.runtime_data.meters) == 2
    assert all(meter.last_update_success for meter in entry.runtime_data.meters.values())


async def test_further_meter_can_be_another_site(
    real_time: HomeAssistant, home: VirtualHome
) -> None:
    await site_of(real_time, home)
    form = await found(real_time, home, unit=2)
    result = await real_time.config_entries.flow.async_configure(
        form["flow_id"], {"site": "Cabin", "name": "Cabin", "role": "grid"}
    )
    await real_time.async_block_till_done(wait_background_tasks=True)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Cabin"
    assert len(real_time.config_entries.async_entries(DOMAIN)) == 2


async def test_same_meter_is_added_once(real_time: HomeAssistant, home: VirtualHome) -> None:
    entry = await site_of(real_time, home)
    form = await found(real_time, home)
    result = await real_time.config_entries.flow.async_configure(
        form["flow_id"], {"site": entry.entry_id, "name": "Again"}
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_refused_then_corrected(real_time: HomeAssistant, home: VirtualHome) -> None:
    result = await ask(real_time, {**address(home), "port": 9})
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"base": "refused"}
    assert f"{LOOPBACK}:9" in result["description_placeholders"]["detail"]
    result = await real_time.config_entries.flow.async_configure(result["flow_id"], address(home))
    assert result["step_id"] == "confirm"


async def test_unknown_unit_of_a_gateway(real_time: HomeAssistant, home: VirtualHome) -> None:
    result = await ask(real_time, address(home, unit=77))
    assert result["errors"] == {"base": "no_such_unit"}


async def test_silent_device(
    real_time: HomeAssistant, home: VirtualHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.carbon_meter.drivers.modbus._PROBE_TIMEOUT", 0.2)
    home["grid"].apply(Silent())
    result = await ask(real_time, address(home))
    assert result["errors"] == {"base": "silent"}


async def test_garbled_device(
    real_time: HomeAssistant, home: VirtualHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.carbon_meter.drivers.modbus._PROBE_TIMEOUT", 0.5)
    home["grid"].apply(BrokenFrame())
    result = await ask(real_time, address(home))
    assert result["errors"] == {"base": "not_a_meter"}


async def test_server_that_is_no_meter(
    real_time: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.carbon_meter.drivers.modbus._PROBE_TIMEOUT", 0.5)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, LOOPBACK, 0)
    port = server.sockets[0].getsockname()[1]
    try:
        result = await ask(real_time, {"host": LOOPBACK, "port": port, "unit": 1})
    finally:
        server.close()
        await server.wait_closed()
    assert result["errors"] == {"base": "not_a_meter"}
    assert "HTTP/1.1 400" in result["description_placeholders"]["detail"]


async def test_unknown_model_shows_what_was_seen(
    real_time: HomeAssistant, home: VirtualHome
) -> None:
    # Without any profile every meter is an unknown one.
    libraries = await _libraries(real_time)
    object.__setattr__(libraries.profiles, "profiles", {})
    result = await ask(real_time, address(home, unit=3))
    assert result["errors"] == {"base": "unknown_model"}
    assert "SunSpec models 1, 203" in result["description_placeholders"]["detail"]


async def test_model_chosen_against_the_identification_is_checked(
    real_time: HomeAssistant, home: VirtualHome
) -> None:
    form = await found(real_time, home)
    result = await real_time.config_entries.flow.async_configure(
        form["flow_id"], {"site": "Home", "name": "Grid", "model": "schneider_iem3000"}
    )
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"base": "model_mismatch"}
    result = await real_time.config_entries.flow.async_configure(
        form["flow_id"], {"site": "Home", "name": "Grid", "model": "eastron_sdm72_v2"}
    )
    await real_time.async_block_till_done(wait_background_tasks=True)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    (subentry,) = result["result"].subentries.values()
    assert subentry.data["profile"] == "eastron_sdm72_v2"


async def test_meter_without_a_name_is_only_likely(real_time: HomeAssistant) -> None:
    async with VirtualHome.constant(1000, [MeterSpec(profile="eastron_sdm230")]) as home:
        result = await ask(real_time, address(home))
        assert result["step_id"] == "likely"
        assert result["errors"] == {}
        result = await real_time.config_entries.flow.async_configure(
            result["flow_id"], {"site": "Home", "name": "Grid", "model": "eastron_sdm230@0"}
        )
        await real_time.async_block_till_done(wait_background_tasks=True)
        assert result["type"] is FlowResultType.CREATE_ENTRY
        entry = result["result"]
        (subentry,) = entry.subentries.values()
        assert subentry.data["profile"] == "eastron_sdm230"
        real_time.config_entries.async_remove_subentry(entry, subentry.subentry_id)
        await real_time.async_block_till_done(wait_background_tasks=True)

        flows = real_time.config_entries.subentries
        result = await flows.async_init((entry.entry_id, "meter"), context={"source": SOURCE_USER})
        result = await by_address(flows, result)
        result = await flows.async_configure(result["flow_id"], address(home))
        assert result["step_id"] == "likely"
        result = await flows.async_configure(
            result["flow_id"], {"name": "Grid", "model": "eastron_sdm230@0"}
        )
        await real_time.async_block_till_done(wait_background_tasks=True)
        assert result["type"] is FlowResultType.CREATE_ENTRY
        await real_time.config_entries.async_unload(entry.entry_id)
        await real_time.async_block_till_done(wait_background_tasks=True)


async def test_solaredge_meters_are_taken_for_reversed(real_time: HomeAssistant) -> None:
    spec = MeterSpec(profile="sunspec_meter_integer", manufacturer="SolarEdge", model="WND-3Y")
    async with VirtualHome.constant(1000, [spec]) as home:
        form = await found(real_time, home)
        defaults = {key.schema: key.default() for key in form["data_schema"].schema}
        assert defaults["power_inverted"] is True
        assert defaults["inverted"] is False
        assert defaults["name"] == "SolarEdge WND-3Y"


async def test_subentry_flow_adds_and_refuses(real_time: HomeAssistant, home: VirtualHome) -> None:
    entry = await site_of(real_time, home)
    flows = real_time.config_entries.subentries
    result = await flows.async_init((entry.entry_id, "meter"), context={"source": SOURCE_USER})
    result = await by_address(flows, result)
    result = await flows.async_configure(result["flow_id"], {**address(home), "port": 9})
    assert result["errors"] == {"base": "refused"}
    result = await flows.async_configure(result["flow_id"], address(home, unit=2))
    assert result["step_id"] == "confirm"
    result = await flows.async_configure(
        result["flow_id"], {"name": "Heat pump", "role": "submeter"}
    )
    await real_time.async_block_till_done(wait_background_tasks=True)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert [subentry.title for subentry in entry.subentries.values()] == ["Grid", "Heat pump"]

    result = await flows.async_init((entry.entry_id, "meter"), context={"source": SOURCE_USER})
    result = await by_address(flows, result)
    result = await flows.async_configure(result["flow_id"], address(home, unit=2))
    result = await flows.async_configure(result["flow_id"], {"name": "Again"})
    assert result["reason"] == "already_configured"


async def test_reconfigure_insists_on_the_same_meter(
    real_time: HomeAssistant, home: VirtualHome
) -> None:
    entry = await site_of(real_time, home)
    (subentry,) = entry.subentries.values()
    flows = real_time.config_entries.subentries
    result = await flows.async_init(
        (entry.entry_id, "meter"),
        context={"source": SOURCE_RECONFIGURE, "subentry_id": subentry.subentry_id},
    )
    assert result["step_id"] == "reconfigure"
    settings = {"name": "Main", "role": "submeter", "inverted": True, "interval": 5}
    result = await flows.async_configure(result["flow_id"], {**address(home, unit=2), **settings})
    assert result["errors"] == {"base": "another_meter"}
    result = await flows.async_configure(result["flow_id"], {**address(home), **settings})
    await real_time.async_block_till_done(wait_background_tasks=True)
    assert result["reason"] == "reconfigure_successful"
    subentry = entry.subentries[subentry.subentry_id]
    assert subentry.title == "Main"
    assert subentry.data["role"] == "submeter"
    assert subentry.data["inverted"] is True
    assert subentry.data["interval"] == 5
    (meter,) = entry.runtime_data.meters.values()
    assert meter.update_interval.total_seconds() == 5


async def _libraries(hass: HomeAssistant):
    from custom_components.carbon_meter.libraries import (  # noqa: PLC0415
        async_get_libraries,
    )

    return await async_get_libraries(hass)


async def test_map_of_a_single_source_is_said_to_be_one(real_time: HomeAssistant) -> None:
    spec = MeterSpec(profile="eig_shark100")
    async with VirtualHome.constant(1000, [spec]) as home:
        form = await ask(real_time, address(home))
        assert form["step_id"] == "unconfirmed", form
        options = next(
            field.config["options"]
            for key, field in form["data_schema"].schema.items()
            if key.schema == "model"
        )
        assert "†" in options[0]["label"]
        result = await real_time.config_entries.flow.async_configure(
            form["flow_id"], {"site": "Home", "name": "Grid"}
        )
        assert result["type"] is FlowResultType.CREATE_ENTRY
        await real_time.async_block_till_done(wait_background_tasks=True)
        await real_time.config_entries.async_unload(result["result"].entry_id)
        await real_time.async_block_till_done(wait_background_tasks=True)


async def test_silent_meter_can_be_read_as_a_model_that_the_user_knows(
    real_time: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.carbon_meter.drivers.modbus._PROBE_TIMEOUT", 0.3)
    async with VirtualHome.constant(1000, [MeterSpec(profile="janitza_umg96")]) as home:
        home["grid"].apply(Silent())
        form = await ask(real_time, address(home))
        assert form["errors"] == {"base": "silent"}
        assert "model" in {key.schema for key in form["data_schema"].schema}
        home["grid"].clear()
        flows = real_time.config_entries.flow
        form = await flows.async_configure(
            form["flow_id"], {**address(home), "model": "janitza_umg96"}
        )
        assert form["step_id"] == "likely", form
        result = await flows.async_configure(form["flow_id"], {"site": "Home", "name": "Grid"})
        assert result["type"] is FlowResultType.CREATE_ENTRY
        (subentry,) = result["result"].subentries.values()
        assert subentry.data["profile"] == "janitza_umg96"
        await real_time.async_block_till_done(wait_background_tasks=True)
        await real_time.config_entries.async_unload(result["result"].entry_id)
        await real_time.async_block_till_done(wait_background_tasks=True)
