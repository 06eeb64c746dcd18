"""Whatever comes in whatever order: the book ends with the truth, and no gram is lost."""

from pathlib import Path
import tempfile

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.archive.archive import Archive
from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.intervals import HOUR
from custom_components.carbon_meter.carbon.site.book import SITE_OWNER, Restated, SiteBook
from custom_components.carbon_meter.carbon.site.meters import Role, SiteMeters
from tests.carbon.site.homes import (
    HOME,
    SLOTS,
    T,
    Truth,
    cells,
    energy_imbalance,
    enter,
    figures,
    imbalance,
    meter,
    plan_of,
    random_home,
)

seeds = st.integers(0, 2**32 - 1)


@st.composite
def trees(draw):
    """Return meters that hang on each other in any way."""
    names = [f"m{number}" for number in range(draw(st.integers(1, 7)))]
    roles = st.sampled_from([Role.SUBMETER, Role.SUBMETER, Role.SOLAR, Role.BATTERY, Role.GRID])
    return SiteMeters(
        [
            meter("grid", Role.GRID),
            *(meter(name, draw(roles), draw(st.none() | st.sampled_from(names))) for name in names),
        ]
    )


def anything(meters: SiteMeters, seed: int, hours: int) -> Truth:
    """Return flows that need not fit: resets, gaps and meters that disagree are in them."""
    rng = np.random.default_rng(seed)
    count = hours * SLOTS
    shape = (2, count)
    flows = {
        name: rng.uniform(0.0, 10.0 ** rng.integers(0, 4), shape) * (rng.random(shape) < 0.4)
        for name in meters.ids
    }
    return Truth(flows=flows, grid=rng.uniform(0.0, 900.0, count))


def batteries_of(meters: SiteMeters, seed: int):
    rng = np.random.default_rng(seed)
    kinds = [
        {
            "charging": float(rng.uniform(0.7, 1.0)),
            "discharging": float(rng.uniform(0.7, 1.0)),
            "standby": float(rng.choice([0.0, 20.0])),
            "capacity": rng.choice([None, 2000.0]),
        }
        for _ in meters.ids
    ]
    return lambda: {
        name: cells(**kinds[place])
        for name, place in meters.place.items()
        if meters.role(name) is Role.BATTERY
    }


@settings(max_examples=60)
@given(trees(), seeds)
def test_no_gram_and_no_watt_hour_is_lost(meters, seed) -> None:
    with tempfile.TemporaryDirectory() as folder:
        archive = Archive(Path(folder) / "site.db")
        book = SiteBook(archive, plan_of(meters, batteries=batteries_of(meters, seed)))
        done = enter(book, anything(meters, seed, 30))

        assert imbalance(done.totals, done.batteries.values()) < 1e-9
        assert energy_imbalance(done.totals) < 1e-9
        hours = figures(book)
        for owner, of_owner in done.totals.items():
            for name, total in of_owner.items():
                parts = [v for (o, n, _), v in hours.items() if (o, n) == (owner, name)]
                assert sum(parts) == pytest.approx(total, rel=1e-9)
                assert min(parts, default=0.0) >= 0.0
        archive.close()


actions = st.one_of(
    st.tuples(st.just("enter"), st.sets(st.integers(0, 29), min_size=1, max_size=6)),
    st.tuples(st.just("wrong energy"), st.integers(0, 29)),
    st.tuples(st.just("meter"), st.integers(0, 29), st.sampled_from(HOME.ids)),
    st.tuples(st.just("worse grid"), st.integers(0, 29)),
    st.tuples(st.just("revise"), st.integers(0, 29)),
    st.tuples(st.just("restart")),
    st.tuples(st.just("crash"), st.integers(0, 29)),
    st.tuples(st.just("again"), st.integers(0, 29)),
)


class CrashError(Exception):
    """The power fails."""


def act(book: SiteBook, truth: Truth, kind: str, how: list) -> None:
    """Do what may happen to a book before it is told the truth."""
    now = truth.end + 60.0
    if kind == "enter":
        hours = [T + number * HOUR for number in how[0]]
        book.enter(truth.entries(hours), [truth.told(h) for h in hours], now=now)
        return
    hour = T + how[0] * HOUR
    if kind == "wrong energy":
        wrong = [truth.entry(name, hour, scale=1.7) for name in truth.flows]
        book.enter(wrong, [truth.told(hour)], now=now)
    elif kind == "meter":
        book.enter([truth.entry(how[1], hour, scale=0.5)], [], now=now)
    elif kind == "worse grid":
        book.enter([], [truth.told(hour, grade=Grade.FORECAST, scale=0.5)], now=now)
    elif kind == "revise":
        book.enter([], [truth.told(hour, scale=1.3)], now=now)
    elif kind == "crash":
        with pytest.raises(CrashError):
            crash(book, truth, hour)
    else:
        book.weigh_again(hour, hour + HOUR, now=now, why=Restated(reason="x"))


def crash(book: SiteBook, truth: Truth, hour: int) -> None:
    """Let the power fail before the transaction around an entry ends."""
    with book.archive.transaction():
        book.enter([truth.entry("grid", hour, scale=9.0)], [], now=truth.end)
        raise CrashError


def assert_same(found, expected) -> None:
    """Compare hourly figures; what rounding leaves of nothing is nothing."""
    for key in found.keys() | expected.keys():
        assert found.get(key, 0.0) == pytest.approx(expected.get(key, 0.0), rel=1e-9, abs=1e-7), key


@settings(max_examples=40)
@given(seeds, st.lists(actions, max_size=12), st.permutations(range(30)))
def test_the_end_is_that_of_entering_the_truth_once(seed, history, order) -> None:
    truth = random_home(seed, 30)
    plan = plan_of(areas={"room": ["kitchen"], "stove": ["oven"]})
    now = truth.end + 60.0
    with tempfile.TemporaryDirectory() as folder:
        archive = Archive(Path(folder) / "site.db")
        book = SiteBook(archive, plan)
        for kind, *how in history:
            if kind == "restart":
                archive.close()
                archive = Archive(Path(folder) / "site.db")
                book = SiteBook(archive, plan)
            else:
                act(book, truth, kind, how)
        for number in order:
            hour = T + number * HOUR
            book.enter(truth.entries([hour]), [truth.told(hour)], now=now)
        ended = figures(book)
        archive.close()
    with tempfile.TemporaryDirectory() as folder:
        archive = Archive(Path(folder) / "site.db")
        once = SiteBook(archive, plan)
        done = enter(once, truth)
        assert_same(ended, figures(once))
        assert imbalance(done.totals, done.batteries.values()) < 1e-9
        assert done.totals[SITE_OWNER]["carbon"] == pytest.approx(
            truth.flows["grid"][0] @ truth.grid / 1000.0, rel=1e-9
        )
        before = figures(once)
        enter(once, truth)
        assert figures(once) == before
        archive.close()


@settings(max_examples=30)
@given(trees(), seeds, st.data())
def test_a_meter_weighed_without_the_others_is_what_it_is_with_them(meters, seed, data) -> None:
    """The way for one meter alone, with what was mixed in memory and after a restart."""
    truth = anything(meters, seed, 26)
    plan = plan_of(meters, batteries=batteries_of(meters, seed), areas={"all": list(meters.ids)})
    chosen = data.draw(st.sampled_from(meters.ids))
    hour = T + data.draw(st.integers(0, 25)) * HOUR
    with tempfile.TemporaryDirectory() as folder:
        archive = Archive(Path(folder) / "site.db")
        book = SiteBook(archive, plan)
        enter(book, truth)
        if data.draw(st.booleans()):
            book = SiteBook(archive, plan)
        truth.flows[chosen][0, truth.part(hour)] *= 3.0
        book.enter([truth.entry(chosen, hour)], [truth.told(hour)], now=truth.end)
        found = figures(book)
        book.weigh_again(T, int(truth.end), now=truth.end, why=Restated(reason="x"))
        assert_same(found, figures(book))
        archive.close()
