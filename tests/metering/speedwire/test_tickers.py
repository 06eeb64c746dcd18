"""Which telegrams are new."""

from dataclasses import replace

from hypothesis import given, strategies as st

from custom_components.carbon_meter.metering.speedwire.telegram import (
    SpeedwireMessage,
    parse_telegram,
)
from custom_components.carbon_meter.metering.speedwire.tickers import Tickers
from tests.metering.speedwire.captures import ENERGY_METER

FIRST = replace(parse_telegram(ENERGY_METER, 1000.0), ticker=50_000)
DAY = 86_400


def after(seconds: float, *, ticker: int, **changes: int) -> SpeedwireMessage:
    return replace(FIRST, ticker=ticker, time=1000.0 + seconds, **changes)


def test_duplicates_and_what_was_overtaken_are_old() -> None:
    tickers = Tickers()

    assert tickers.is_new(FIRST)
    assert not tickers.is_new(FIRST)
    assert tickers.is_new(after(1, ticker=51_000))
    assert not tickers.is_new(after(1, ticker=50_900))
    assert not tickers.is_new(after(1, ticker=50_000))
    assert tickers.is_new(after(1, ticker=51_001))


def test_meters_do_not_mix() -> None:
    tickers = Tickers()

    assert tickers.is_new(FIRST)
    assert tickers.is_new(replace(FIRST, serial=2))
    assert tickers.is_new(replace(FIRST, susy_id=270))
    assert not tickers.is_new(replace(FIRST, serial=2))


@given(st.integers(0, (1 << 32) - 1), st.lists(st.integers(1, 5 * DAY * 1000), min_size=1))
def test_a_meter_that_runs_on_is_never_taken_for_old(start, steps) -> None:
    """Also where the ticker begins again from zero, after 49 days."""
    tickers = Tickers()
    ticker = start
    assert tickers.is_new(after(0, ticker=ticker))
    elapsed = 0.0
    for step in steps:
        ticker = (ticker + step) % (1 << 32)
        elapsed += step / 1000
        assert tickers.is_new(after(elapsed, ticker=ticker))


def test_a_meter_that_was_switched_on_anew_is_heard_at_once() -> None:
    tickers = Tickers()
    tickers.is_new(FIRST)

    assert tickers.is_new(after(1, ticker=300))
    assert tickers.is_new(after(2, ticker=1300))


def test_a_ticker_that_stands_still_does_not_silence_the_meter() -> None:
    tickers = Tickers()
    tickers.is_new(FIRST)

    assert not tickers.is_new(after(9.9, ticker=FIRST.ticker))
    assert tickers.is_new(after(10, ticker=FIRST.ticker))


def test_a_clock_that_is_set_back_does_not_silence_the_meter() -> None:
    tickers = Tickers()
    tickers.is_new(FIRST)

    assert tickers.is_new(after(-3600, ticker=FIRST.ticker))


def test_made_up_serial_numbers_are_forgotten() -> None:
    tickers = Tickers()
    tickers.is_new(FIRST)
    for serial in range(255):
        tickers.is_new(replace(FIRST, serial=serial))
    assert not tickers.is_new(FIRST)

    for serial in range(1000, 2000):
        tickers.is_new(replace(FIRST, serial=serial))

    assert tickers.is_new(FIRST)
