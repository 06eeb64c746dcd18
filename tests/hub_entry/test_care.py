"""What an operator would forget is done once a day, at its hour."""

from datetime import timedelta

from homeassistant.util import dt as dt_util

from custom_components.carbon_meter.hub_entry.care import AUDIT_HOUR
from tests.hub_entry.village import Village
from tests.metering.json.broker import needs_mosquitto

pytestmark = needs_mosquitto


async def test_sums_are_worked_out_again_once_a_night(village: Village) -> None:
    hub = await village.open()
    day = dt_util.start_of_local_day() + timedelta(days=1)
    for hour in (0, AUDIT_HOUR - 1, AUDIT_HOUR + 1):
        await hub.care.async_run(day + timedelta(hours=hour), hub.status)
        assert hub.care.wrong is None, hour
    night = day + timedelta(hours=AUDIT_HOUR)
    await hub.care.async_run(night, hub.status)
    assert hub.care.wrong == 0
    hub.care.wrong = None
    await hub.care.async_run(night + timedelta(minutes=5), hub.status)
    assert hub.care.wrong is None
    await hub.care.async_run(night + timedelta(days=1), hub.status)
    assert hub.care.wrong == 0
