"""The made-up signal: what Home Assistant makes of its templates is what the check expects."""

from datetime import UTC, datetime

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest

from custom_components.carbon_meter.carbon.intensity.live.shapes import Origin, forecast_of
from demo.grid_signal import HOURS, SENSOR, UNIT, intensity_at, template_sensor


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2026, 7, 1, 11, 30, tzinfo=UTC), HOURS[13]),
        (datetime(2026, 12, 1, 17, 59, 59, tzinfo=UTC), HOURS[18]),
        (datetime(2026, 12, 1, 18, tzinfo=UTC), HOURS[19]),
    ],
)
def test_it_goes_by_the_local_hour(moment: datetime, expected: float) -> None:
    assert intensity_at(moment.timestamp(), "Europe/Berlin") == expected


def test_a_day_has_a_dip_at_noon_and_a_peak_in_the_evening() -> None:
    assert len(HOURS) == 24
    assert HOURS.index(min(HOURS)) in range(11, 15)
    assert HOURS.index(max(HOURS)) in range(18, 21)


@pytest.fixture
def expected_lingering_timers() -> bool:
    """Let the template wait for its next minute when the test is over."""
    return True


# The hour that comes twice is among the forecast.
@pytest.mark.parametrize("day", [23, 24])
async def test_the_sensor_says_what_the_check_expects(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, day: int
) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    now = datetime(2026, 10, day, 12, 20, tzinfo=UTC)
    freezer.move_to(now)

    assert await async_setup_component(hass, "template", {"template": template_sensor()})
    await hass.async_block_till_done()

    state = hass.states.get(SENSOR)
    assert state is not None
    assert float(state.state) == intensity_at(now.timestamp(), "Europe/Berlin")
    origin = Origin(source="demo", unit=UNIT, zone=dt_util.get_default_time_zone())
    rows = forecast_of(state.attributes, origin, now=now.timestamp())
    assert (rows[0].start, rows[-1].end) == (
        now.timestamp() - 1200,
        now.timestamp() - 1200 + 48 * 3600,
    )
    assert all(row.value == intensity_at(row.start, "Europe/Berlin") for row in rows)
