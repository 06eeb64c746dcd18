"""How far a meter can be believed, as sensors: against its own power, and what is set apart."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
import math

from homeassistant.helpers.entity import Entity
import pytest

from custom_components.carbon_meter.carbon.ledger import Direction
from custom_components.carbon_meter.metering.dlt645.profile import Dlt645Profile
from custom_components.carbon_meter.metering.incidents import Reason
from custom_components.carbon_meter.metering.profile_library import load_profiles
from hardware.virtual import MeterSpec
from hardware.virtual.dlt645 import Dlt645Gateway, Dlt645Spec, VirtualDlt645Meter
from hardware.virtual.faults import Jump, Reset, Spike
from tests.common import LOOPBACK, SiteUnderTest
from tests.drivers.steps import site_with
from tests.foreign import say

NUMBER = "112233445566"
PROFILE = load_profiles().of(Dlt645Profile)["dlt645_single_phase"]
ROLLS_AT = 1e9
"""Wh: six digits of kWh before the point."""

type Opened = Callable[..., Awaitable[None]]


@pytest.fixture
async def own_values(site: SiteUnderTest) -> AsyncIterator[Opened]:
    """Return what opens a site whose meter says what a test computes."""
    async with AsyncExitStack() as stack:

        async def opening(values: Callable[[], Mapping[str, float]], interval: int = 300) -> None:
            meter = VirtualDlt645Meter(Dlt645Spec(address=NUMBER, profile=PROFILE), values)
            gateway = await stack.enter_async_context(Dlt645Gateway([meter]))
            site.entry = site_with(
                {
                    "name": "Grid",
                    "driver": "dlt645",
                    "profile": PROFILE.id,
                    "host": LOOPBACK,
                    "port": gateway.port,
                    "address": NUMBER,
                    "interval": interval,
                }
            )
            site.entry.add_to_hass(site.hass)
            assert await site.hass.config_entries.async_setup(site.entry.entry_id)
            await site.settle()

        yield opening
        await site.close()


class Wave:
    """A load that comes and goes with the hours, 2 kW on average, and a counter beside it."""

    def __init__(self, site: SiteUnderTest, *, scale: float = 1.0, start: float = 1e6) -> None:
        self._site = site
        self._begin = site.clock.now()
        self._scale, self._start = scale, start
        self._turn = 2 * math.pi / 21600

    @property
    def time(self) -> float:
        return self._site.clock.now() - self._begin

    def energy(self) -> float:
        """Return the Wh that flowed so far."""
        swing = 1000 / self._turn * (1 - math.cos(self._turn * self.time))
        return (2000 * self.time + swing) / 3600

    def __call__(self) -> dict[str, float]:
        time = self.time
        power = 2000 + 1000 * math.sin(self._turn * time)
        return {
            "voltage": 230.0 + time % 7 / 10,
            "current": power / 230,
            "power": power,
            "energy_import": self._start + self._scale * self.energy(),
            "energy_export": 0.0,
        }


@pytest.mark.parametrize("scale", [1.05, 1.0, 0.9])
async def test_counter_that_is_scaled_errs_by_its_scale(
    site: SiteUnderTest,
    own_values: Opened,
    monkeypatch: pytest.MonkeyPatch,
    scale: float,
) -> None:
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)
    await own_values(Wave(site, scale=scale))
    await site.advance(25 * 3600, step=300)
    wrong = 100 * (scale - 1)
    state = site.hass.states.get(site.entity_id("metering_error_day"))
    error = site.meter().watch.own_error(86400)
    assert float(state.state) == pytest.approx(wrong, abs=error.percent_uncertainty)
    assert error.percent_uncertainty < 3
    assert state.attributes["counted"] == pytest.approx(48 * scale, rel=0.01)
    assert state.attributes["integrated"] == pytest.approx(48, rel=0.01)
    assert state.attributes["uncertainty"] == pytest.approx(error.uncertainty / 1000, abs=1e-3)
    assert state.attributes["compared_share"] == 100
    assert state.attributes["unit_of_measurement"] == "%"
    # The load of this hour is another one, the error is the same.
    hour = site.meter().watch.own_error(3600)
    assert site.value("metering_error_hour") == pytest.approx(wrong, abs=hour.percent_uncertainty)


async def test_error_is_not_told_before_it_is_known(
    site: SiteUnderTest, own_values: Opened
) -> None:
    await own_values(Wave(site, scale=1.05))
    await site.advance(12 * 3600, step=300)
    assert site.hass.states.get(site.entity_id("metering_error_day")).state == "unknown"


async def test_error_outlives_a_restart(site: SiteUnderTest, own_values: Opened) -> None:
    await own_values(Wave(site, scale=1.05))
    await site.advance(25 * 3600, step=300)
    before = site.value("metering_error_day")
    await site.unload()
    await site.load()
    assert site.value("metering_error_day") == before


async def test_rollover_loses_nothing_and_is_told(
    site: SiteUnderTest, own_values: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    wave = Wave(site, start=ROLLS_AT - 1000)
    await own_values(wave, interval=60)
    await site.advance(3600, step=60)
    account = site.meter().account
    assert [incident.reason for incident in account.incidents] == [Reason.ROLLOVER]
    # Counted to ten watt-hours.
    assert account.ledger.total.import_energy == pytest.approx(wave.energy(), abs=20)
    assert caplog.text.count("energy_import: rollover (") == 1
    assert site.value("energy_set_apart") == 0


async def test_energy_set_apart_has_its_reasons_and_outlives_a_restart(
    site: SiteUnderTest,
) -> None:
    spec = MeterSpec(profile="schneider_iem3000", initial_import=5e6)
    await site.open([spec], watts=3600.0)
    assert site.value("energy_set_apart") == 0
    await site.advance(60)
    site.home["grid"].apply(Jump(by=1e6))
    await site.advance(60)
    site.home["grid"].apply(Spike(quantity="energy_import", value=9e9))
    await site.advance(60)
    site.home["grid"].apply(Reset(quantities=("energy_import",)))
    await site.advance(60)

    def shown() -> tuple[float, dict[str, float]]:
        state = site.hass.states.get(site.entity_id("energy_set_apart"))
        reasons = {
            key: value for key, value in state.attributes.items() if key.startswith("import_")
        }
        return float(state.state), reasons

    total, reasons = shown()
    assert reasons == {
        "import_jump": pytest.approx(1000, abs=0.1),
        "import_spike": pytest.approx(9e6 - 6000, abs=10),
    }
    assert total == pytest.approx(sum(reasons.values()))
    apart = site.meter().account.set_apart[Direction.IMPORT]
    assert total == pytest.approx(sum(apart.values()) / 1000)
    # What was set apart is in no sum.
    assert site.meter().account.ledger.total.import_energy < 300
    await site.unload()
    await site.load()
    assert shown() == (total, reasons)


async def test_volume_that_is_set_apart_is_no_energy(site: SiteUnderTest) -> None:
    for litres in (1000, 1010):
        say(site.hass, "sensor.water", litres, unit="L", device_class="water")
    site.entry = site_with(
        {
            "name": "Grid",
            "driver": "entities",
            "entities": [{"quantity": "volume", "entity": "sensor.water"}],
            "carrier": "water",
            "profile": "adopted",
        }
    )
    site.entry.add_to_hass(site.hass)
    await site.hass.config_entries.async_setup(site.entry.entry_id)
    await site.advance(120)
    for _ in range(12):
        say(site.hass, "sensor.water", 9_001_010, unit="L", device_class="water")
        await site.advance(10)
    assert site.value("volume_set_apart") == pytest.approx(9000, abs=1)
    attributes = site.hass.states.get(site.entity_id("volume_set_apart")).attributes
    assert attributes["unit_of_measurement"] == "m³"
    with pytest.raises(AssertionError, match="no entity energy_set_apart"):
        site.entity_id("energy_set_apart")


@pytest.mark.parametrize("key", ["power_mean", "power_minimum", "power_maximum"])
async def test_power_between_two_writings_can_be_entities(
    site: SiteUnderTest, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)
    meters = {"grid": {"interval": 1, "write_interval": 60}}
    await site.open([MeterSpec(profile="schneider_iem3000")], watts=500.0, meters=meters)
    await site.advance(120, step=1)
    for second in range(60):
        site.home.force("house", 540.0 if second == 17 else 480.0 if second == 40 else 500.0)
        await site.advance(1, step=1)
    wanted = {"power_mean": 500.3, "power_minimum": 480, "power_maximum": 540}[key]
    assert site.value(key) == pytest.approx(wanted, abs=0.5)
    attribute = key.removeprefix("power_")
    shown = site.hass.states.get(site.entity_id("power")).attributes
    assert site.value(key) == pytest.approx(shown[attribute])
    await site.home.modbus.close()
    await site.advance(60, step=10)
    assert site.hass.states.get(site.entity_id(key)).state == "unknown"


async def test_every_quantity_that_is_no_counter_is_summed_up(
    site: SiteUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)
    await site.open(watts=3000.0, meters={"grid": {"interval": 1}})
    await site.advance(30, step=1)
    for quantity in site.meter().profile.quantities:
        attributes = site.hass.states.get(site.entity_id(quantity)).attributes
        summary = {"mean", "minimum", "maximum", "samples"} & attributes.keys()
        if "energy" in quantity:
            assert not summary, quantity
            continue
        assert len(summary) == 4, quantity
        assert attributes["minimum"] <= attributes["mean"] <= attributes["maximum"]
        assert attributes["samples"] == pytest.approx(10, abs=1)
