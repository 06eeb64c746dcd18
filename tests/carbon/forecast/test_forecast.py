"""A forecast that is kept over a restart."""

import json

import numpy as np
import pytest

from custom_components.carbon_meter.carbon.forecast.forecast import Forecast
from tests.carbon.forecast.series import START


def forecast(hours: int = 5) -> Forecast:
    p50 = 100 + 10.0 * np.arange(hours)
    return Forecast(made=START + 7.5, start=START, step=3600, p10=p50 - 20, p50=p50, p90=p50 + 30)


def test_it_survives_a_restart() -> None:
    stored = json.loads(json.dumps(forecast().as_dict(), allow_nan=False))
    again = Forecast.from_dict(stored)

    assert (again.made, again.start, again.step) == (START + 7.5, START, 3600)
    assert again.end == START + 5 * 3600
    for row in ("p10", "p50", "p90"):
        np.testing.assert_array_equal(getattr(again, row), getattr(forecast(), row))


@pytest.mark.parametrize(
    "change",
    [
        {"p10": [1.0]},
        {"p50": [None, 1.0, 2.0, 3.0, 4.0]},
        {"p90": [-1.0, 1.0, 2.0, 3.0, 4.0]},
        {"p90": "none"},
        {"step": 0},
        {"start": None},
        {"made": "yesterday"},
    ],
)
def test_what_is_no_forecast_is_refused(change) -> None:
    with pytest.raises((ValueError, TypeError)):
        Forecast.from_dict(forecast().as_dict() | change)


def test_what_has_passed_can_be_kept_alone() -> None:
    assert forecast().until(START + 2 * 3600 + 1).p50.tolist() == [100, 110]
    assert len(forecast().until(START - 1).p50) == 0
    assert len(forecast().until(START + 10**6).p50) == 5
