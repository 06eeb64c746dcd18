"""A constant intensity."""

import math

import pytest

from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.intensity.fixed import FixedSource


async def test_one_value_holds_for_all_time() -> None:
    source = FixedSource(35.5, name="Supplier")
    await source.refresh()

    (interval,) = source.intervals(-5.0, 1e10)

    assert (interval.start, interval.end, interval.value) == (-5.0, 1e10, 35.5)
    assert (interval.grade, interval.source) == (Grade.YEARLY, "fixed")
    assert (source.info.name, source.refresh_after) == ("Supplier", None)


@pytest.mark.parametrize(("start", "end"), [(5.0, 5.0), (6.0, 5.0)])
def test_no_time_has_no_intensity(start, end) -> None:
    assert list(FixedSource(1.0).intervals(start, end)) == []


@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf, -math.inf])
def test_what_is_no_intensity_is_refused(value) -> None:
    with pytest.raises(ValueError, match="an intensity is a number of at least 0"):
        FixedSource(value)


def test_electricity_without_carbon_is_possible() -> None:
    assert FixedSource(0.0).intervals(0, 1)[0].value == 0.0
