"""The forecast as a source on the ladder."""

import asyncio
from dataclasses import replace
import json
import threading

import numpy as np
import pytest

from custom_components.carbon_meter.carbon.factors.factor import Scope
from custom_components.carbon_meter.carbon.forecast.forecaster import Forecaster
from custom_components.carbon_meter.carbon.forecast.history import History
from custom_components.carbon_meter.carbon.forecast.source import ForecastSource
from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.intensity.checked import CheckedSource
from custom_components.carbon_meter.carbon.intensity.fixed import FixedSource
from custom_components.carbon_meter.carbon.intensity.kept import KeptSource
from custom_components.carbon_meter.carbon.intensity.ladder import Ladder
from custom_components.carbon_meter.carbon.intensity.source import SourceInfo
from tests.carbon.forecast.series import DAY, HOUR, START, grid, history, interval

INFO = SourceInfo(id="grid", name="Grid", scope=Scope.LIFE_CYCLE, licence="CC BY 4.0")


class Site:
    """A source with a history, and the time."""

    def __init__(self, recorded: History) -> None:
        self.now = float(recorded.end)
        self.threads: set[int] = set()
        self.source = ForecastSource(
            INFO, recorded, Forecaster(), clock=lambda: self.now, in_thread=self.in_thread
        )

    async def in_thread(self, work):
        def noted():
            self.threads.add(threading.get_ident())
            return work()

        return await asyncio.to_thread(noted)

    async def hour(self, value: float) -> None:
        """Let an hour pass."""
        told = interval(self.now, self.now + HOUR, value)
        self.now += HOUR
        self.source.history.append([told], self.now)
        await self.source.refresh()


async def test_the_hours_ahead_are_a_forecast() -> None:
    site = Site(history(grid(70 * 24)))
    assert site.source.forecast is None
    assert list(site.source.intervals(site.now, site.now + DAY)) == []
    await site.source.refresh()

    found = site.source.intervals(site.now + 1800, site.now + 3 * HOUR)
    forecast = site.source.forecast
    assert [(each.start, each.end) for each in found] == [
        (site.now + 1800, site.now + HOUR),
        (site.now + HOUR, site.now + 2 * HOUR),
        (site.now + 2 * HOUR, site.now + 3 * HOUR),
    ]
    assert [each.value for each in found] == forecast.p50[:3].tolist()
    assert {(each.grade, each.source) for each in found} == {(Grade.FORECAST, "forecast:grid")}
    assert len(site.source.intervals(site.now, site.now + 10 * DAY)) == 72
    assert threading.get_ident() not in site.threads


def test_it_is_named_after_what_it_rests_on() -> None:
    info = Site(History()).source.info

    assert (info.id, info.name) == ("forecast:grid", "Forecast from Grid")
    assert (info.scope, info.licence, info.kind) == (INFO.scope, INFO.licence, INFO.kind)
    assert CheckedSource(Site(History()).source, "forecast").refresh_after == HOUR


async def test_for_hours_that_have_passed_the_newest_forecast_made_before_holds() -> None:
    values = grid(72 * 24, seed=2)
    site = Site(history(values[: 70 * 24]))
    await site.source.refresh()
    said: list[float] = []
    begin = site.now
    for value in values[70 * 24 : 70 * 24 + 6]:
        said.append(float(site.source.forecast.p50[0]))
        await site.hour(float(value))

    found = site.source.intervals(begin, site.now)
    assert [each.value for each in found] == said
    assert found[0].start == begin
    assert len(site.source.intervals(begin, begin + 10 * DAY)) == 6 + 72


async def test_what_is_long_past_is_let_go() -> None:
    site = Site(history(grid(70 * 24)))
    await site.source.refresh()
    for value in grid(80):
        await site.hour(float(value))

    assert len(site.source.intervals(START, site.now + 10 * DAY)) == 48 + 72
    assert len(json.dumps(site.source.as_dict()["forecasts"])) < 20_000


async def test_its_errors_are_tracked() -> None:
    values = grid(76 * 24, seed=5)
    site = Site(history(values[: 70 * 24]))
    await site.source.refresh()
    for value in values[70 * 24 : 75 * 24]:
        await site.hour(float(value))

    first = site.source.track.error(1)
    assert first.hours == sum(range(1, 25)) + 24 * 96
    assert first.mae < 40
    assert 0.5 < first.coverage < 1
    assert site.source.track.error(3).hours > 0


async def test_the_forecast_stands_where_the_source_is_silent() -> None:
    site = Site(history(grid(70 * 24)))
    await site.source.refresh()
    live = KeptSource(INFO)
    live.take([interval(site.now, site.now + 2 * HOUR, 123.0)])
    ladder = Ladder([live, site.source, FixedSource(400)])

    found = ladder.intervals(site.now, site.now + 73 * HOUR)
    assert [each.grade for each in found] == [
        Grade.MEASURED,
        *[Grade.FORECAST] * 70,
        Grade.YEARLY,
    ]


async def test_it_does_not_learn_from_itself() -> None:
    site = Site(history(grid(70 * 24)))
    await site.source.refresh()
    before = site.source.history.end
    site.now += 5 * HOUR
    site.source.history.append(site.source.intervals(before, site.now), site.now)

    assert site.source.history.end == before


async def test_without_enough_history_it_knows_nothing() -> None:
    site = Site(History())
    await site.source.refresh()
    for value in grid(40):
        await site.hour(float(value))
    assert site.source.forecast is None

    for value in grid(20):
        await site.hour(float(value))
    assert len(site.source.forecast.p50) == 72


async def test_it_survives_a_restart() -> None:
    values = grid(72 * 24, seed=2)
    site = Site(history(values[: 70 * 24]))
    await site.source.refresh()
    for value in values[70 * 24 : 71 * 24]:
        await site.hour(float(value))
    stored = json.loads(json.dumps(site.source.as_dict(), allow_nan=False))
    again = Site(History())
    again.source.restore(stored)

    start, end = site.now - DAY, site.now + 3 * DAY
    before, after = site.source.intervals(start, end), again.source.intervals(start, end)
    assert [replace(each, value=0) for each in before] == [replace(each, value=0) for each in after]
    np.testing.assert_allclose(
        [each.value for each in before], [each.value for each in after], atol=0.0501
    )
    assert again.source.track.error(1).hours == site.source.track.error(1).hours
    again.now = site.now
    await again.source.refresh()
    np.testing.assert_allclose(again.source.forecast.p50, site.source.forecast.p50, rtol=0.02)


async def test_a_restart_with_a_finer_source_keeps_the_history() -> None:
    site = Site(history(grid(70 * 24)))
    await site.source.refresh()
    again = Site(History(1800))
    again.source.restore(site.source.as_dict())
    again.now = site.now
    await again.source.refresh()

    assert again.source.history.step == again.source.forecast.step == 1800
    assert again.source.history.end == site.source.history.end


@pytest.mark.parametrize("key", ["history", "track", "forecasts"])
async def test_a_file_that_is_garbage_changes_nothing(key) -> None:
    site = Site(history(grid(70 * 24)))
    await site.source.refresh()
    kept = site.source.forecast
    stored = site.source.as_dict() | {key: [{}]}

    with pytest.raises((ValueError, KeyError, TypeError)):
        site.source.restore(stored)
    assert site.source.forecast is kept
    assert site.source.history.days == 70
