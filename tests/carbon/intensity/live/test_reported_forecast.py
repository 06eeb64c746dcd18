"""An entity with a forecast attribute, over time, outages and restarts."""

import json

from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.intensity.live.reported_forecast import (
    ForecastingReporter,
)
from custom_components.carbon_meter.carbon.intensity.reported import HOLD, ReportedSource
from custom_components.carbon_meter.carbon.intensity.source import IntensityInterval

T = 1_790_020_800.0
G = "gCO2eq/kWh"


def ahead(*hours: float, start: float = T) -> list[IntensityInterval]:
    return [
        IntensityInterval(
            start=start + 3600 * index,
            end=start + 3600 * (index + 1),
            value=value,
            grade=Grade.FORECAST,
            source="entity:sensor.co2",
        )
        for index, value in enumerate(hours)
    ]


def told(source: ForecastingReporter, start: float, end: float) -> list[tuple[float, float]]:
    return [(item.start - T, item.value) for item in source.intervals(T + start, T + end)]


def reporter() -> ForecastingReporter:
    return ForecastingReporter("entity:sensor.co2", "CO2")


def test_reports_count_before_the_last_word_and_the_forecast_after() -> None:
    source = reporter()
    source.forecast(ahead(10, 20, 30), T)
    source.report(T + 600, 100.0, G)
    source.heard(T + 1200)

    assert told(source, 0, 9 * 3600) == [(0, 10), (600, 100), (1200, 10), (3600, 20), (7200, 30)]


def test_without_a_forecast_it_is_as_any_reporter() -> None:
    source, plain = reporter(), ReportedSource("entity:sensor.co2", "CO2")
    for each in (source, plain):
        each.report(T, 100.0, G)
        each.heard(T + 600)
    assert source.intervals(T - 60, T + 9000) == plain.intervals(T - 60, T + 9000)


def test_beyond_the_forecast_the_last_value_holds_for_an_hour() -> None:
    source = reporter()
    source.report(T, 100.0, G)
    source.heard(T + 3000)
    source.forecast(ahead(10), T)
    assert told(source, 0, 36000) == [(0, 100), (3000, 10), (3600, 100)]
    assert source.intervals(T, T + 36000)[-1].end == T + 3000 + HOLD


def test_while_the_state_is_unknown_the_forecast_stands() -> None:
    source = reporter()
    source.forecast(ahead(10, 20), T)
    source.report(T, 100.0, G)
    source.lost(T + 600)
    source.heard(T + 1800)
    assert told(source, 0, 7200) == [(0, 100), (600, 10), (3600, 20)]


def test_a_newer_forecast_replaces_what_it_tells_of() -> None:
    source = reporter()
    source.forecast(ahead(10, 20, 30), T)
    source.forecast(ahead(21, start=T + 3600), T + 900)
    assert told(source, 0, 36000) == [(0, 10), (3600, 21), (7200, 30)]


def test_a_restart() -> None:
    source = reporter()
    source.forecast(ahead(10, 20, 30), T)
    source.report(T, 100.0, G)
    source.heard(T + 600)
    after = reporter()
    after.restore(json.loads(json.dumps(source.as_dict())))
    assert after.intervals(T, T + 36000) == source.intervals(T, T + 36000)


def test_what_a_reporter_without_forecasts_stored() -> None:
    plain = ReportedSource("entity:sensor.co2", "CO2")
    plain.report(T, 100.0, G)
    after = reporter()
    after.restore(plain.as_dict())
    assert told(after, 0, 60) == [(0, 100)]


def test_a_restart_before_anything_was_said() -> None:
    after = reporter()
    after.restore(json.loads(json.dumps(reporter().as_dict())))
    assert told(after, 0, 60) == []
