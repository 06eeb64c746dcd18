"""Messages become readings: parts are put together, nothing old is mixed in."""

import json

import pytest

from custom_components.carbon_meter.metering.json.listener import MqttJsonMeter, seconds_of


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


GLOW = "glow/C4DD57000001/SENSOR/electricitymeter"


def glow(timestamp: object) -> str:
    return json.dumps(
        {
            "electricitymeter": {
                "timestamp": timestamp,
                "energy": {"import": {"cumulative": 6613.405, "units": "kWh"}},
                "power": {"value": 0.951, "units": "kW"},
            }
        }
    )


def test_one_value_for_each_topic_is_put_together(profiles, clock) -> None:
    meter = MqttJsonMeter(profiles["dsmr_reader"], clock=clock)
    assert "dsmr/reading/electricity_delivered_1" in meter.topics
    assert meter.hear("dsmr/reading/electricity_delivered_1", b"1.5") is None
    reading = meter.hear("dsmr/reading/electricity_delivered_2", b"2.25")
    assert dict(reading.values) == {"energy_import": 3750.0}
    assert meter.hear("dsmr/reading/electricity_currently_delivered", "0.5").values == {
        "energy_import": 3750.0
    }
    reading = meter.hear("dsmr/reading/electricity_currently_returned", "0.000")
    assert dict(reading.values) == {"energy_import": 3750.0, "power": 500.0}


def test_nothing_older_than_its_age_is_mixed_in(profiles, clock) -> None:
    meter = MqttJsonMeter(profiles["openwb2"], {"counter": 3}, clock=clock)
    meter.hear("openWB/counter/3/get/imported", "5000")
    clock.now += meter.profile.max_age
    assert dict(meter.hear("openWB/counter/3/get/power", "100").values) == {
        "power": 100,
        "energy_import": 5000,
    }
    clock.now += 0.5
    reading = meter.hear("openWB/counter/3/get/power", "101")
    assert dict(reading.values) == {"power": 101}
    assert reading.time == clock.now


def test_changes_are_merged_into_the_whole(profiles, clock) -> None:
    meter = MqttJsonMeter(profiles["shelly_gen2"], {"prefix": "shellypro3em-1"}, clock=clock)
    whole = {"id": 0, "total_act_power": 300.0, "a_act_power": 100.0, "a_voltage": 230.0}
    meter.hear("shellypro3em-1/status/em:0", json.dumps(whole))
    clock.now += 100
    change = {"method": "NotifyStatus", "params": {"ts": 1.0, "em:0": {"total_act_power": 250.0}}}
    reading = meter.hear("shellypro3em-1/events/rpc", json.dumps(change))
    assert dict(reading.values) == {"power": 250, "power_l1": 100, "voltage_l1": 230}
    clock.now += 100  # the whole is too old by now, the change is not
    energy = {"params": {"emdata:0": {"total_act": 7.5}}}
    reading = meter.hear("shellypro3em-1/events/rpc", json.dumps(energy))
    assert dict(reading.values) == {"power": 250, "energy_import": 7.5}
    other = {"method": "NotifyStatus", "params": {"temperature:0": {"tC": 39.0}}}
    assert meter.hear("shellypro3em-1/events/rpc", json.dumps(other)) is None


@pytest.mark.parametrize("age", [0, 299])
def test_a_kept_message_counts_with_its_own_time(profiles, clock, age) -> None:
    meter = MqttJsonMeter(profiles["glow_hildebrand"], {"device": "C4DD57000001"}, clock=clock)
    reading = meter.hear(GLOW, glow(clock.now - age), retained=True)
    assert dict(reading.values) == {"power": 951.0, "energy_import": 6613405.0}
    assert reading.time == clock.now - age


@pytest.mark.parametrize(
    "timestamp",
    [1_799_999_000, "2022-06-11T20:38:00Z", "2022-06-11T20:38:00", None, True, "soon", 1.9e9, 1e99],
)
def test_a_kept_message_of_another_time_does_not(profiles, clock, timestamp) -> None:
    meter = MqttJsonMeter(profiles["glow_hildebrand"], {"device": "C4DD57000001"}, clock=clock)
    assert meter.hear(GLOW, glow(timestamp), retained=True) is None
    # The same message as it is sent now is a reading of now.
    assert meter.hear(GLOW, glow(timestamp)).time == clock.now


@pytest.mark.parametrize(
    "payload", [b"", b"\xff\xfe", b"{", "[" * 100_000, b"x" * 2_000_000, "null", "{}", "[]", "true"]
)
def test_nonsense_is_no_reading(profiles, clock, payload) -> None:
    meter = MqttJsonMeter(profiles["tasmota"], {"topic": "plug"}, clock=clock)
    assert meter.hear("tele/plug/SENSOR", payload) is None
    assert meter.hear("tele/other/SENSOR", '{"ENERGY": {"Power": 1}}') is None


def test_a_text_where_a_number_belongs_is_a_fault(profiles, clock) -> None:
    meter = MqttJsonMeter(profiles["openwb2"], {"counter": 0}, clock=clock)
    reading = meter.hear("openWB/counter/0/get/power", "much")
    assert reading.values == {}
    assert [str(fault) for fault in reading.faults] == ["power (power): 'much' is not a number"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "needs the setting 'counter'"),
        ({"counter": "+"}, "wildcard"),
        ({"counter": "#"}, "cannot be the setting|wildcard"),
        ({"counter": "1", "x": 2}, "has no setting 'x'"),
        ({"counter": "a'b"}, "cannot be the setting"),
    ],
)
def test_settings_must_fit(profiles, settings, message) -> None:
    with pytest.raises(ValueError, match=message):
        MqttJsonMeter(profiles["openwb2"], settings)


def test_times() -> None:
    assert seconds_of("1970-01-01T00:01:00Z") == 60
    assert seconds_of("1970-01-01T01:01:00+01:00") == 60
    assert seconds_of(60) == 60.0
    assert [seconds_of(raw) for raw in (-1, 0, float("nan"), 1e12, [], "")] == [None] * 6
