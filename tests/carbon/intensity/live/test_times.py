"""Moments as providers write them, on days when clocks change too."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.carbon.intensity.live.retry_after import http_date, retry_after
from custom_components.carbon_meter.carbon.intensity.live.times import (
    instant,
    local_instant,
    unix_instant,
    utc,
)

BERLIN = ZoneInfo("Europe/Berlin")
NOON = 1_795_348_800.0  # 2026-11-22 12:00 UTC


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T12:00Z",
        "2026-11-22T12:00:00Z",
        "2026-11-22T12:00:00.000Z",
        "2026-11-22T13:00:00+01:00",
        "2026-11-22T22:00:00+10:00",
        " 2026-11-22 12:00:00+00:00 ",
        datetime(2026, 11, 22, 12, tzinfo=UTC),
    ],
)
def test_a_moment_with_an_offset(text) -> None:
    assert instant(text) == NOON


def test_a_moment_without_an_offset_needs_a_zone() -> None:
    assert instant("2026-11-22T12:00") is None
    assert instant("2026-11-22T12:00", UTC) == NOON
    assert instant("2026-11-22T13:00", BERLIN) == NOON
    assert instant("2026-11-22T12", UTC) == NOON


@pytest.mark.parametrize(
    "value",
    [None, "", "soon", "2026-13-01T00:00Z", "1970-01-01T00:00Z", "9999-12-31T23:59Z", 5, [], True],
)
def test_what_names_no_moment(value) -> None:
    assert instant(value, UTC) is None


def test_unix_times_in_seconds_and_milliseconds() -> None:
    assert unix_instant(1_795_348_800) == NOON
    assert unix_instant(1_795_348_800_000) == NOON
    for value in (True, "1795348800", None, 0, -1, 5, 1e30, float("nan"), float("inf")):
        assert unix_instant(value) is None


def test_an_hour_that_comes_twice_is_told_apart_in_a_list() -> None:
    # On 2026-10-25 the clocks of Berlin go back from 3:00 to 2:00.
    texts = ["01:30", "02:00", "02:30", "02:00", "02:30", "03:00"]
    moments: list[float] = []
    for text in texts:
        value = datetime.fromisoformat(f"2026-10-25T{text}")
        moment = local_instant(value, BERLIN, moments[-1] if moments else None)
        assert moment is not None
        moments.append(moment)

    first = moments[0]
    assert [moment - first for moment in moments] == [0, 1800, 3600, 5400, 7200, 9000]


def test_an_hour_that_the_clocks_skip_is_no_moment() -> None:
    skipped = datetime(2026, 3, 29, 2, 30)  # noqa: DTZ001
    assert local_instant(skipped, BERLIN) is None
    assert local_instant(skipped - timedelta(hours=1), BERLIN) is not None


@given(st.integers(0, 366 * 96))
def test_every_quarter_of_a_year_comes_back(quarter) -> None:
    moment = 1_767_225_600.0 + quarter * 900
    shown = datetime.fromtimestamp(moment, BERLIN).replace(tzinfo=None)
    assert local_instant(shown, BERLIN, moment - 900) == moment


def test_a_moment_as_a_provider_wants_it() -> None:
    assert utc(NOON, "%Y%m%d%H%M") == "202611221200"


def test_http_dates_in_all_their_forms() -> None:
    for text in (
        "Sun, 22 Nov 2026 12:00:00 GMT",
        "Sunday, 22-Nov-26 12:00:00 GMT",
        "Sun Nov 22 12:00:00 2026",
    ):
        assert http_date(text) == NOON
    for text in (None, "", "tomorrow", "Sun, 99 Nov 2026 12:00:00 GMT"):
        assert http_date(text) is None


def test_how_long_a_server_asks_to_wait() -> None:
    assert retry_after("120", NOON) == 120
    assert retry_after(" 0 ", NOON) == 0
    assert retry_after("Sun, 22 Nov 2026 12:01:00 GMT", NOON) == 60
    assert retry_after("Sun, 22 Nov 2026 11:59:00 GMT", NOON) == 0
    for text in (None, "", "-1", "1.5", "٣", "9" * 400, "soon"):
        assert retry_after(text, NOON) is None
