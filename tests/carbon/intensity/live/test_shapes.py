"""Forecasts in the attributes of entities, as the integrations that are in use write them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.intensity.live.shapes import (
    Origin,
    forecast_of,
    unit_of,
    value_of,
)
from custom_components.carbon_meter.carbon.units import UnknownIntensityUnitError

T = 1_790_020_800.0  # 2026-09-21 20:00 UTC
G = "gCO2eq/kWh"


def origin(unit: str = G, zone: str = "Europe/Berlin") -> Origin:
    return Origin(source="entity:sensor.co2", unit=unit, zone=ZoneInfo(zone))


def told(
    document: object, unit: str = G, name: str | None = None, zone: str = "Europe/Berlin"
) -> list[tuple[float, float, float]]:
    found = forecast_of(document, origin(unit, zone), now=T, name=name)
    assert {each.grade for each in found} <= {Grade.FORECAST}
    assert {each.source for each in found} <= {"entity:sensor.co2"}
    return [(each.start - T, each.end - T, each.value) for each in found]


BERLIN = ZoneInfo("Europe/Berlin")
LOCAL = datetime(2026, 9, 21, 22, tzinfo=BERLIN)


@pytest.mark.parametrize(
    "attributes",
    [
        {
            "forecast": [
                {"from": "2026-09-21T20:00Z", "to": "2026-09-21T20:30Z", "intensity": 120},
                {"from": "2026-09-21T20:30Z", "to": "2026-09-21T21:00Z", "intensity": 80},
            ]
        },
        {
            "data": [
                {
                    "from": "2026-09-21T20:00Z",
                    "to": "2026-09-21T20:30Z",
                    "intensity": {"forecast": 120, "actual": None, "index": "low"},
                },
                {
                    "from": "2026-09-21T20:30Z",
                    "to": "2026-09-21T21:00Z",
                    "intensity": {"forecast": 80, "actual": None, "index": "low"},
                },
            ]
        },
        {
            "all_rates": [
                {"from": LOCAL, "to": LOCAL + timedelta(minutes=30), "intensity_forecast": 120},
                {
                    "from": LOCAL + timedelta(minutes=30),
                    "to": LOCAL + timedelta(hours=1),
                    "intensity_forecast": 80,
                },
            ]
        },
        {
            "forecast": [
                {"datetime": "2026-09-21T20:00:00.000Z", "carbonIntensity": 120},
                {"datetime": "2026-09-21T20:30:00.000Z", "carbonIntensity": 80},
            ]
        },
        {
            "raw_today": [
                {
                    "start": "2026-09-21T22:00:00+02:00",
                    "end": "2026-09-21T22:30:00+02:00",
                    "value": 120,
                }
            ],
            "raw_tomorrow": [
                {
                    "start": "2026-09-21T22:30:00+02:00",
                    "end": "2026-09-21T23:00:00+02:00",
                    "value": 80,
                }
            ],
        },
        {
            "forecast": {
                "zone": "DE",
                "data": [{"time": T, "value": 120}, {"time": T + 1800, "value": "80"}],
            }
        },
        {
            "records": [
                {"Minutes5UTC": "2026-09-21T20:00:00", "CO2Emission": 120},
                {"Minutes5UTC": "2026-09-21T20:30:00", "CO2Emission": 80},
            ]
        },
        {"forecast": {"2026-09-21T22:00:00": 120, "2026-09-21T22:30:00": 80}},
        [
            {"start": LOCAL.replace(tzinfo=None), "value": 120},
            {"start": LOCAL.replace(tzinfo=None) + timedelta(minutes=30), "value": 80},
        ],
    ],
)
def test_known_shapes(attributes) -> None:
    found = told(attributes)
    assert [(start, value) for start, _, value in found] == [(0, 120), (1800, 80)]
    assert found[-1][1] in (3600, 5400)


def test_a_unit_of_the_list_and_of_the_entity() -> None:
    rows = [{"point_time": "2026-09-21T20:00:00+00:00", "value": 1000}]
    wrapped = {"forecast": {"unit": "lbs_co2_per_mwh", "data": rows}}
    assert told(wrapped)[0][2] == 453.59237
    rows[0]["value"] = 0.12
    assert told({"forecast": rows}, "kg/kWh")[0][2] == 120


@pytest.mark.parametrize("unit", ["EUR/kWh", "%", ""])
def test_prices_and_percentages_are_refused(unit) -> None:
    rows = [{"start": "2026-09-21T20:00:00+00:00", "value": 0.31}]
    with pytest.raises(UnknownIntensityUnitError):
        told({"raw_today": rows}, unit)


def test_what_is_no_list_of_intensities_is_nothing() -> None:
    for attributes in (
        {},
        None,
        5,
        "forecast",
        {"forecast": None},
        {"forecast": 120},
        {"forecast": [1, 2, 3]},
        {"forecast": [{"temperature": 20}]},
        {"forecast": [{"datetime": "2026-09-21T20:00Z", "temperature": 20}]},
        {"forecast": [{"datetime": "soon", "value": 5}]},
        {"forecast": [{"datetime": "2026-09-21T20:00Z", "value": -5}]},
        {"country_code": "DE", "friendly_name": "x"},
    ):
        assert told(attributes) == []


def test_nulls_are_holes_and_zero_is_a_value() -> None:
    rows = [
        {"start": f"2026-09-21T{hour}:00:00Z", "value": value}
        for hour, value in ((20, 0), (21, None), (22, "unknown"), (23, 7))
    ]
    assert told({"forecast": rows}) == [(0, 3600, 0), (10800, 14400, 7)]


def test_the_attribute_that_the_user_names() -> None:
    rows = [{"start": "2026-09-21T20:00:00Z", "value": 5}]
    assert told({"mine": rows}) == []
    assert told({"mine": rows, "forecast": rows}, name="mine") == [(0, 3600, 5)]
    assert told({"forecast": rows}, name="mine") == []


def test_the_better_list_counts() -> None:
    rows = {"start": "2026-09-21T20:00:00Z"}
    found = told({"data": [rows | {"value": 1}], "forecast": [rows | {"value": 2}]})
    assert found == [(0, 3600, 2)]


def test_the_day_on_which_an_hour_comes_twice() -> None:
    local = [f"2026-10-25T{hour:02}:00:00" for hour in (0, 1, 2, 2, 3, 4)]
    rows = [{"hour": text, "value": index} for index, text in enumerate(local)]
    found = forecast_of({"raw_tomorrow": rows}, origin(), now=T)

    first = datetime(2026, 10, 24, 22, tzinfo=UTC).timestamp()
    assert [(each.start - first, each.value) for each in found] == [
        (index * 3600, index) for index in range(6)
    ]


def test_the_day_on_which_an_hour_is_skipped() -> None:
    local = [f"2026-03-29T{hour:02}:00:00" for hour in (1, 2, 3, 4)]
    rows = [{"hour": text, "value": index} for index, text in enumerate(local)]
    found = forecast_of({"raw_today": rows}, origin(), now=0.0)
    assert [each.value for each in found] == [0, 2, 3]
    assert found[1].start - found[0].start == 3600


def test_a_list_without_end_is_bounded() -> None:
    rows = [{"start": T + index * 300, "value": 5} for index in range(20_000)]
    assert len(told({"forecast": rows})) == 5000


def test_values_and_units_where_they_stand() -> None:
    assert value_of({"data": 1, "intensity": {"actual": None, "forecast": 7}}) == 7
    assert value_of({"value": {"value": {"value": {"value": {"value": 1}}}}}) is None
    assert unit_of({"units": {"carbonIntensity": "kg/kWh"}}, "x") == "kg/kWh"
    assert unit_of({"unit": 5}, "x") == "x"
    assert unit_of([], "x") == "x"


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=12) | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["forecast", "data", "start", "value", "unit", "time"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(anything)
def test_nothing_that_stands_there_breaks_it(document) -> None:
    try:
        found = forecast_of(document, origin(), now=T)
    except UnknownIntensityUnitError:
        return
    assert all(0 <= each.value <= 5000 and each.start < each.end for each in found)
