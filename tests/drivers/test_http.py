"""Meters with JSON pages, from the flow to their entities, on a real web server."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest

from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.metering.json.profile import JsonProfile
from custom_components.carbon_meter.metering.json.web import Credentials
from custom_components.carbon_meter.metering.profile_library import load_profiles
from hardware.virtual import Household, VirtualClock
from hardware.virtual.faults import BrokenFrame, Fault, Garbage, NotAvailable, Refuse
from hardware.virtual.web import WebDevice, WebMeterSpec, WebPort
from tests.drivers.steps import (
    LOOPBACK,
    asked,
    confirmed,
    issues,
    meters,
    models,
    site_with,
    sites,
    state,
    unloaded,
)

PROFILES = load_profiles().of(JsonProfile)
LOCKED = Credentials(username="admin", password="right")

type Serve = Callable[..., Awaitable[WebPort]]


@pytest.fixture
async def serve(real_time: HomeAssistant) -> AsyncIterator[Serve]:
    """Return what serves the pages of a device; the sites are taken down before it."""
    async with AsyncExitStack() as stack:

        async def serving(
            profile: str, *specs: WebMeterSpec, credentials: Credentials | None = None
        ) -> WebPort:
            clock = VirtualClock()
            household = Household.constant(2400, clock.now() - 3600)
            device = WebDevice(PROFILES[profile], specs or (WebMeterSpec(),), household, clock)
            return await stack.enter_async_context(WebPort(device, credentials=credentials))

        yield serving
        await unloaded(real_time)


def address(served: WebPort, **more: str) -> dict[str, object]:
    return {"host": LOOPBACK, "port": served.port, "ssl": False, **more}


def two_clamps() -> tuple[WebMeterSpec, ...]:
    return (
        WebMeterSpec(settings={"channel": 0}, initial_import=5e6),
        WebMeterSpec(settings={"channel": 1}, initial_import=9e6),
    )


async def test_page_becomes_a_meter(real_time: HomeAssistant, serve: Serve) -> None:
    served = await serve("shelly_pro3em_triphase", WebMeterSpec(initial_import=5e6))
    form = await asked(real_time, "http", address(served))
    assert form["step_id"] == "confirm"
    assert "kWh" in form["description_placeholders"]["values"]
    await confirmed(real_time, form, name="Grid")
    (entry,) = sites(real_time)
    (subentry,) = entry.subentries.values()
    assert dict(subentry.data) == {
        "driver": "http",
        "host": LOOPBACK,
        "port": served.port,
        "ssl": False,
        "instance": {},
        "profile": "shelly_pro3em_triphase",
        "manufacturer": "Shelly",
        "model": "SPEM-003CEBEU",
        "serial": "AABBCCDDEEFF",
        "role": "grid",
        "inverted": False,
        "power_inverted": False,
        "interval": 900,
        "write_interval": 10,
    }
    assert subentry.unique_id == "shelly:AABBCCDDEEFF"
    assert float(state(real_time, meters(real_time)["Grid"], "power")) == pytest.approx(
        2400, rel=0.01
    )
    energy = float(state(real_time, meters(real_time)["Grid"], "energy_import"))
    assert energy == pytest.approx(5000 + 2.4, abs=0.1)


async def test_every_channel_of_a_device_is_a_meter(real_time: HomeAssistant, serve: Serve) -> None:
    served = await serve("shelly_gen1_em", *two_clamps())
    form = await asked(real_time, "http", address(served))
    first, second = models(form)
    await confirmed(real_time, form, name="First", model=first)
    form = await asked(real_time, "http", address(served))
    result = await confirmed(real_time, form, name="Again", model=first)
    assert result["reason"] == "already_configured"
    form = await asked(real_time, "http", address(served))
    result = await confirmed(real_time, form, name="Second", model=second, role="submeter")
    assert result["reason"] == "meter_added"
    both = meters(real_time)
    assert [both[name].subentry.data["instance"] for name in ("First", "Second")] == [
        {"channel": 0},
        {"channel": 1},
    ]
    endings = [both[name].subentry.unique_id.rpartition(":")[2] for name in both]
    assert endings == ["0", "1"]
    energies = [float(state(real_time, both[name], "energy_import")) for name in both]
    assert energies == pytest.approx([5002.4, 9002.4], abs=0.1)


async def test_another_device_at_the_address_is_not_read(
    real_time: HomeAssistant, serve: Serve
) -> None:
    served = await serve("shelly_pro3em_triphase")
    await confirmed(real_time, await asked(real_time, "http", address(served)), name="Grid")
    (entry,) = sites(real_time)
    (subentry,) = entry.subentries.values()
    other = {**subentry.data, "serial": "112233445566"}
    real_time.config_entries.async_update_subentry(entry, subentry, data=other)
    await real_time.async_block_till_done(wait_background_tasks=True)
    meter = meters(real_time)["Grid"]
    assert not meter.last_update_success
    assert "AABBCCDDEEFF" in str(meter.last_exception)


async def test_wrong_password_is_told_and_mended_by_reconfiguring(
    real_time: HomeAssistant, serve: Serve
) -> None:
    served = await serve("shelly_gen1_em", *two_clamps(), credentials=LOCKED)
    form = await asked(real_time, "http", address(served))
    assert form["errors"] == {"base": "auth"}
    flow = real_time.config_entries.flow
    wrong = address(served, username="admin", password="wrong")
    form = await flow.async_configure(form["flow_id"], wrong)
    assert form["errors"] == {"base": "auth"}
    right = address(served, username="admin", password="right")
    form = await flow.async_configure(form["flow_id"], right)
    await confirmed(real_time, form, name="Grid")
    (entry,) = sites(real_time)
    assert state(real_time, meters(real_time)["Grid"], "power") != "unavailable"
    assert issues(real_time) == set()

    # Somebody changes the password on the device.
    assert served._doorkeeper is not None
    served._doorkeeper.credentials = Credentials(username="admin", password="newer")
    for _ in range(3):
        await meters(real_time)["Grid"].async_refresh()
    assert state(real_time, meters(real_time)["Grid"], "power") == "unavailable"
    assert issues(real_time) == {"meter_auth"}

    (subentry,) = entry.subentries.values()
    subflows = real_time.config_entries.subentries
    result = await subflows.async_init(
        (entry.entry_id, "meter"),
        context={"source": SOURCE_RECONFIGURE, "subentry_id": subentry.subentry_id},
    )
    settings = {"name": "Grid", "role": "grid", "interval": 900}
    result = await subflows.async_configure(result["flow_id"], {**right, **settings})
    assert result["errors"] == {"base": "auth"}
    newer = address(served, username="admin", password="newer")
    result = await subflows.async_configure(result["flow_id"], {**newer, **settings})
    assert result["reason"] == "reconfigure_successful"
    await real_time.async_block_till_done()
    assert issues(real_time) == set()
    assert state(real_time, meters(real_time)["Grid"], "power") != "unavailable"


async def test_removed_meter_asks_for_no_password(real_time: HomeAssistant, serve: Serve) -> None:
    served = await serve("shelly_gen1_em", *two_clamps(), credentials=LOCKED)
    given = {"driver": "http", "profile": "shelly_gen1_em", **address(served, username="admin")}
    entry = site_with(
        {"name": "Open", **given, "password": "right", "instance": {"channel": 0}},
        {"name": "Shut", **given, "password": "wrong", "instance": {"channel": 1}},
    )
    entry.add_to_hass(real_time)
    await real_time.config_entries.async_setup(entry.entry_id)
    await real_time.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert issues(real_time) == {"meter_auth"}
    shut = meters(real_time)["Shut"].subentry.subentry_id
    real_time.config_entries.async_remove_subentry(entry, shut)
    await real_time.async_block_till_done()
    assert issues(real_time) == set()


@pytest.mark.parametrize(
    "fault", [Refuse(code=500), Garbage(), BrokenFrame()], ids=["refuse", "garbage", "broken"]
)
async def test_what_is_no_meter_is_told(
    real_time: HomeAssistant, serve: Serve, fault: Fault
) -> None:
    served = await serve("shelly_gen1_em", *two_clamps())
    served.apply(fault)
    form = await asked(real_time, "http", address(served))
    assert form["step_id"] == "address"
    assert form["errors"] == {"base": "unknown_page"}
    served.clear()
    form = await real_time.config_entries.flow.async_configure(form["flow_id"], address(served))
    assert form["step_id"] == "confirm"


async def test_closed_port_is_refused(real_time: HomeAssistant) -> None:
    form = await asked(real_time, "http", {"host": LOOPBACK, "port": 9, "ssl": False})
    assert form["errors"] == {"base": "refused"}
    form = await real_time.config_entries.flow.async_configure(
        form["flow_id"], {"host": "user@somewhere", "port": 80, "ssl": False}
    )
    assert form["errors"] == {"base": "unreachable"}


async def test_page_that_fails_is_told_once_and_comes_back_once(
    real_time: HomeAssistant, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    served = await serve("shelly_gen1_em", *two_clamps())
    form = await asked(real_time, "http", address(served))
    await confirmed(real_time, form, name="Grid")
    grid = meters(real_time)["Grid"]
    served.apply(Refuse(code=503))
    for _ in range(3):
        await grid.async_refresh()
    assert state(real_time, grid, "power") == "unavailable"
    assert caplog.text.count("Error fetching Grid data") == 1
    served.clear()
    await grid.async_refresh()
    assert state(real_time, grid, "power") != "unavailable"
    assert caplog.text.count("Fetching Grid data recovered") == 1


async def test_null_is_unknown_and_not_zero(real_time: HomeAssistant, serve: Serve) -> None:
    served = await serve("shelly_gen1_em", *two_clamps())
    form = await asked(real_time, "http", address(served))
    await confirmed(real_time, form, name="Grid")
    grid = meters(real_time)["Grid"]
    served.apply(NotAvailable(quantities=("power",)))
    await grid.async_refresh()
    assert state(real_time, grid, "power") == "unknown"
    assert float(state(real_time, grid, "energy_import")) > 5000


async def test_settings_that_do_not_fit_leave_the_meter_out(
    real_time: HomeAssistant, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    served = await serve("shelly_gen1_em", *two_clamps())
    given = {"driver": "http", "profile": "shelly_gen1_em", **address(served)}
    entry = site_with(
        {"name": "Good", **given, "instance": {"channel": 0}},
        {"name": "Odd", **given, "instance": {"no such": "setting"}},
    )
    entry.add_to_hass(real_time)
    await real_time.config_entries.async_setup(entry.entry_id)
    await real_time.async_block_till_done()
    assert set(meters(real_time)) == {"Good"}
    assert "no such" in caplog.text
    assert real_time.config_entries.async_entries(DOMAIN) == [entry]
