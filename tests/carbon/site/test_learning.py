"""A battery of which nobody has told how efficient it is shows it in time."""

import numpy as np
import pytest

from custom_components.carbon_meter.carbon.intervals import HOUR
from custom_components.carbon_meter.carbon.site.book import Restated
from custom_components.carbon_meter.carbon.site.meters import Role, SiteMeters
from custom_components.carbon_meter.carbon.site.plan import USUAL_ONE_WAY
from tests.carbon.site.homes import DAY, SLOTS, T, Truth, cells, enter, figures, meter, plan_of

METERS = SiteMeters([meter("grid", Role.GRID), meter("cells", Role.BATTERY)])


def days(count: int, one_way: float) -> Truth:
    """Return days on which a battery of 5 kWh is filled at night and emptied by day."""
    charge, given = np.zeros((2, count, 24 * SLOTS))
    charge[:, : 4 * SLOTS] = 5000.0 / one_way / (4 * SLOTS)
    given[:, 12 * SLOTS : 20 * SLOTS] = 5000.0 * one_way / (8 * SLOTS)
    charge, given = charge.reshape(-1), given.reshape(-1)
    load = 100.0
    return Truth(
        flows={
            "grid": np.array([load + charge, np.zeros_like(charge)]),
            "cells": np.array([charge, given]),
        },
        grid=np.full(len(charge), 300.0),
    )


def efficiency(archive, hour: int) -> float:
    plans = [text for start, text in archive.plans() if start <= hour]
    return float(plans[-1].split('"charging":')[1].split(",")[0])


@pytest.mark.parametrize(
    ("plan", "start"),
    [
        (plan_of(METERS, batteries=dict), USUAL_ONE_WAY),
        (
            plan_of(
                METERS, batteries=lambda: {"cells": cells(capacity=5000.0)}, learning=["cells"]
            ),
            0.95,
        ),
    ],
)
def test_it_is_learned_and_holds_from_the_next_hour_on(new_book, archive, plan, start) -> None:
    truth = days(30, 0.9)
    book = new_book(plan)
    for day in range(30):
        hours = [T + day * DAY + number * HOUR for number in range(24)]
        book.enter(truth.entries(hours), [truth.told(h) for h in hours], now=hours[-1] + HOUR - 1.0)

    (_, first), *later = archive.plans()
    assert later, "nothing was learned"
    assert efficiency(archive, T) == pytest.approx(start)
    learned_from = later[0][0]
    assert learned_from > T + 9 * DAY
    assert efficiency(archive, int(truth.end)) == pytest.approx(0.9, abs=0.02)
    assert first
    told = figures(book)
    done = new_book(plan).weigh_again(
        T, int(truth.end), now=truth.end - 1.0, why=Restated(reason="x")
    )
    assert done.audit is None
    assert figures(book) == pytest.approx(told, rel=1e-9)


def test_what_was_told_is_believed(new_book, archive) -> None:
    book = new_book(plan_of(METERS))
    enter(book, days(30, 0.9))
    book.enter([], [], now=T + 31 * DAY)

    assert len(archive.plans()) == 1


def test_a_few_cycles_tell_nothing(new_book, archive) -> None:
    book = new_book(plan_of(METERS, batteries=dict))
    enter(book, days(5, 0.9))
    book.enter([], [], now=T + 7 * DAY)

    assert len(archive.plans()) == 1


def test_what_cannot_be_is_not_learned(new_book, archive) -> None:
    """A battery that gives more than it was seen to take, or next to nothing of it."""
    truth = days(40, 0.9)
    truth.flows["cells"][0] *= 0.5
    enter(new_book(plan_of(METERS, batteries=dict)), truth)
    truth.flows["cells"][0] *= 20.0
    enter(new_book(plan_of(METERS, batteries=dict)), truth, now=T + 50 * DAY)

    assert len(archive.plans()) == 1
