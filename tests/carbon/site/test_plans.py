"""Hours keep the plan that held when they were: meters that vanish, roles, areas, batteries."""

import json

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.intervals import HOUR
from custom_components.carbon_meter.carbon.site.book import SITE_OWNER, Restated, area_owner
from custom_components.carbon_meter.carbon.site.kept_plans import KeptPlans
from custom_components.carbon_meter.carbon.site.meters import Role, SiteMeter, SiteMeters
from custom_components.carbon_meter.carbon.site.plan import Arrangement
from tests.carbon.site.homes import (
    DAY,
    HOME,
    SLOTS,
    T,
    Truth,
    cells,
    enter,
    figures,
    imbalance,
    meter,
    plan_of,
    random_home,
)

ASKED = Restated(reason="asked")
NOON = T + 12 * HOUR


def without(*gone: str, **roles: Role) -> SiteMeters:
    """Return the home's meters without some, and with other roles."""
    return SiteMeters(
        SiteMeter(id=one.id, role=roles.get(one.id, one.role), parent=one.parent)
        for one in HOME.meters
        if one.id not in gone
    )


def before(found: dict, moment: int) -> dict:
    """Return the figures of hours before one."""
    return {key: value for key, value in found.items() if key[2] < moment}


def since(found: dict, moment: int) -> dict:
    return {key: value for key, value in found.items() if key[2] >= moment}


def parted(truth: Truth, gone: tuple[str, ...] = ()) -> Truth:
    """Return the second half of a day, without some meters."""
    half = 12 * SLOTS
    return Truth(
        flows={name: flow[:, half:] for name, flow in truth.flows.items() if name not in gone},
        grid=truth.grid[half:],
        start=NOON,
    )


def first_half(truth: Truth) -> Truth:
    half = 12 * SLOTS
    return Truth(
        flows={name: flow[:, :half] for name, flow in truth.flows.items()}, grid=truth.grid[:half]
    )


@pytest.mark.parametrize(
    "later",
    [
        without("pv"),
        without("cells"),
        without("kitchen"),
        without("grid"),
        without(kitchen=Role.SOLAR),
        without(pv=Role.SUBMETER),
        without(cells=Role.SUBMETER),
    ],
)
def test_hours_of_before_keep_what_they_were(new_book, later) -> None:
    truth = random_home(7, 24)
    enter(new_book(), first_half(truth), now=NOON + 1.0)
    book = new_book()
    book.enter([], [], now=NOON + 1.0)
    told = before(figures(book), NOON)

    book = new_book(plan_of(later))
    enter(book, parted(truth, tuple(set(HOME.ids) - set(later.ids))), now=NOON + 12 * HOUR)
    done = book.weigh_again(T, NOON, now=T + DAY, why=ASKED)

    # Whatever rounding does when days are weighed in other pieces.
    kept = before(figures(book), NOON)
    assert kept.keys() == told.keys()
    for key, value in told.items():
        assert kept[key] == pytest.approx(value, rel=1e-9), key
    assert done.audit is None


def test_the_present_plan_holds_from_the_hour_in_which_it_came(new_book) -> None:
    truth = random_home(8, 24)
    enter(new_book(), first_half(truth), now=NOON - 1.0)
    changed = without(kitchen=Role.SOLAR)
    book = new_book(plan_of(changed))
    enter(book, parted(truth), now=NOON + 0.5)

    found = figures(book)
    assert any(key[:2] == ("kitchen", "carbon") for key in before(found, NOON))
    assert not any(key[:2] == ("kitchen", "carbon") for key in since(found, NOON))
    assert any(key[:2] == ("kitchen", "generation") for key in found) is False
    only = new_book(plan_of(changed))
    only.enter([], [], now=T + 2 * DAY)
    assert figures(only) == found


def test_a_correction_of_the_past_is_asked_for_and_stays(new_book) -> None:
    truth = random_home(9, 24)
    truth.flows["kitchen"] = truth.flows["kitchen"][::-1]
    now = T + DAY + 5.0
    enter(new_book(), truth, now=now)
    right = without(kitchen=Role.SOLAR)
    book = new_book(plan_of(right))
    book.enter([], [], now=now + HOUR)

    done = book.weigh_again(T, T + DAY, now=now + HOUR, why=ASKED, with_present_plan=True)

    assert done.audit is not None
    assert set(done.audit.owners) == {SITE_OWNER, "oven"}
    assert done.totals["kitchen"]["generation"] == pytest.approx(truth.flows["kitchen"][1].sum())
    assert "carbon" not in done.totals["kitchen"]
    told = figures(book)
    again = new_book(plan_of(right)).weigh_again(T, T + DAY, now=now + HOUR, why=ASKED)
    assert again.audit is None
    assert figures(book) == pytest.approx(told, rel=1e-9)


def test_a_correction_of_some_hours_leaves_those_after_them(new_book) -> None:
    truth = random_home(10, 24)
    enter(new_book(), truth)
    book = new_book(plan_of(without("oven")))
    book.enter([], [], now=T + 30 * HOUR)
    told = figures(book)

    book.weigh_again(T, T + 3 * HOUR, now=T + 30 * HOUR, why=ASKED, with_present_plan=True)

    found = figures(book)
    assert not any(key[0] == "oven" for key in before(found, T + 3 * HOUR) if key[1] == "carbon")
    later = since(told, T + 3 * HOUR)
    assert since(found, T + 3 * HOUR) == pytest.approx(later, rel=1e-9)


def test_a_meter_that_is_replaced_within_an_hour_loses_nothing_of_it(new_book) -> None:
    """Half an hour of the old meter, half an hour of the new one: both are in the hour."""
    old = SiteMeters([meter("old", Role.GRID)])
    new = SiteMeters([meter("new", Role.GRID)])
    first = np.array([[100.0] * 6 + [0.0] * 6, [0.0] * 12])
    one = Truth(flows={"old": first}, grid=np.full(SLOTS, 500.0))
    other = Truth(flows={"new": first[:, ::-1]}, grid=np.full(SLOTS, 500.0))
    enter(new_book(plan_of(old)), one, now=T + 1800.0)
    done = enter(new_book(plan_of(new)), other, now=T + HOUR - 1.0)

    assert done.totals[SITE_OWNER]["carbon"] == pytest.approx(600.0)
    book = new_book(plan_of(new))
    assert enter(book, other, now=T + 3 * HOUR).totals[SITE_OWNER]["import"] == 1200.0


def test_a_battery_that_comes_later_begins_empty(new_book) -> None:
    truth = random_home(12, 24)
    enter(new_book(plan_of(without("cells"))), first_half(truth), now=NOON - 1.0)
    book = new_book()
    done = enter(book, parted(truth), now=NOON)

    assert set(done.batteries) == {"cells"}
    assert imbalance(done.totals, done.batteries.values()) < 1e-9
    assert not any(key[1] == "charge" for key in before(figures(book), NOON))


def test_what_a_battery_that_is_gone_holds_is_still_there(new_book, archive) -> None:
    truth = random_home(13, 24)
    held = enter(new_book(), first_half(truth), now=NOON - 1.0).batteries["cells"]
    book = new_book(plan_of(without("cells")))
    enter(book, parted(truth, ("cells",)), now=NOON)
    enter(book, parted(truth, ("cells",)), now=T + DAY + HOUR)
    assert book.enter([], [], now=T + DAY + HOUR).batteries == {}

    quiet = {name: np.zeros((2, SLOTS)) for name in HOME.ids}
    quiet["grid"][0] = 100.0
    later = Truth(flows=quiet, grid=np.full(SLOTS, 300.0), start=T + 3 * DAY)
    back = enter(new_book(), later, now=T + 3 * DAY + 1800.0)
    assert back.batteries["cells"].carbon == pytest.approx(held.carbon)
    _, states = archive.batteries(T + DAY)
    assert "cells" in states


def test_other_efficiencies_hold_from_when_they_are_known(new_book) -> None:
    truth = random_home(14, 24)
    enter(new_book(), first_half(truth), now=NOON - 1.0)
    told = before(figures(new_book()), NOON)
    worse = plan_of(batteries=lambda: {"cells": cells(charging=0.7, discharging=0.7)})
    book = new_book(worse)
    done = enter(book, parted(truth), now=T + DAY - 1.0)

    assert before(figures(book), NOON) == pytest.approx(told, rel=1e-9)
    assert imbalance(done.totals, done.batteries.values()) < 1e-9


def test_an_area_that_changes_keeps_its_past(new_book) -> None:
    truth = random_home(15, 24)
    enter(new_book(plan_of(areas={"room": ["oven"]})), first_half(truth), now=NOON - 1.0)
    book = new_book(plan_of(areas={"hall": ["oven"]}))
    enter(book, parted(truth), now=NOON + 1.0)
    book.weigh_again(T, T + DAY, now=T + 2 * DAY, why=ASKED)

    totals = book.archive.totals()
    parts = [totals[area_owner(area)]["carbon"] for area in ("room", "hall")]
    assert sum(parts) == pytest.approx(totals["oven"]["carbon"])
    assert min(parts) > 0.0


def test_the_order_of_meters_is_no_other_plan(new_book, archive) -> None:
    enter(new_book(), random_home(1, 1))
    turned = SiteMeters(reversed(HOME.meters))
    enter(new_book(plan_of(turned)), random_home(1, 1), now=T + DAY)

    assert len(archive.plans()) == 1


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5), st.integers(0, 3)), max_size=8))
def test_plans_hold_where_they_were_put(changes) -> None:
    """Beside a list with a plan for each hour."""
    kept = KeptPlans(_NoArchive())
    plans = [Arrangement.of(plan_of(SiteMeters([meter(name, Role.GRID)])), {}) for name in "abcd"]
    kept.begin(plans[0], T)
    hours = [T + number * HOUR for number in range(50)]
    expected = dict.fromkeys(hours, plans[0].text)
    for first, length, which in changes:
        start, end = T + first * HOUR, T + (first + length) * HOUR
        if length:
            kept.hold(start, end, plans[which])
            expected |= dict.fromkeys(range(start, end, HOUR), plans[which].text)
    assert {hour: kept.at(hour).text for hour in hours} == expected
    pieces = list(kept.stretches(T, T + 50 * HOUR))
    assert [end for _, end, _ in pieces][:-1] == [start for start, _, _ in pieces][1:]
    for start, end, plan in pieces:
        assert {expected[hour] for hour in range(start, end, HOUR)} == {plan.text}


class _NoArchive:
    """Keeps plans in a dictionary."""

    def __init__(self) -> None:
        self._rows: dict[int, str] = {}

    def put_plan(self, hour: int, plan: str) -> None:
        self._rows[hour] = plan

    def plans(self) -> list[tuple[int, str]]:
        return sorted(self._rows.items())

    def forget_plans(self, start: int, end: int | None = None) -> None:
        for hour in [h for h in self._rows if h >= start and (end is None or h < end)]:
            del self._rows[hour]


def test_a_plan_is_told_as_json_and_read_again() -> None:
    plan = Arrangement.of(plan_of(areas={"küche": ["kitchen"]}), {})

    assert Arrangement.from_text(plan.text).text == plan.text
    assert json.loads(plan.text)["batteries"]["cells"]["charging"] == 0.95
