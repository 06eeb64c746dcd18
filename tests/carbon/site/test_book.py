"""The book: what is known better replaces what is known worse, and the audit trail tells it."""

import math

import numpy as np
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.intensity.fixed import FixedSource
from custom_components.carbon_meter.carbon.intensity.ladder import Ladder
from custom_components.carbon_meter.carbon.intensity.reported import ReportedSource
from custom_components.carbon_meter.carbon.intervals import HOUR
from custom_components.carbon_meter.carbon.ledger import Booking, Direction, Ledger
from custom_components.carbon_meter.carbon.site.book import SITE_OWNER, Restated, area_owner
from custom_components.carbon_meter.carbon.site.entries import (
    grid_entry,
    grid_hour,
    take_entries,
)
from custom_components.carbon_meter.carbon.site.meters import Role, SiteMeters
from custom_components.carbon_meter.carbon.site.schedule import Schedule
from custom_components.carbon_meter.carbon.site.weighing import SiteFactors
from tests.carbon.site.homes import (
    DAY,
    SLOTS,
    T,
    Truth,
    enter,
    figures,
    imbalance,
    meter,
    plan_of,
    random_home,
)

ONLY_GRID = SiteMeters([meter("grid", Role.GRID), meter("plug", Role.SUBMETER)])


def hour_of(grams: float, grade: Grade = Grade.MEASURED, source: str = "live", hour: int = T):
    return grid_hour(hour, [(grams, grade, source)] * SLOTS)


def one_hour(grams: float = 400.0) -> Truth:
    """Return an hour of 1.2 kWh, a quarter of it through a plug."""
    used = np.array([np.full(SLOTS, 100.0), np.zeros(SLOTS)])
    return Truth(flows={"grid": used, "plug": used / 4.0}, grid=np.full(SLOTS, grams))


def grid_carbon(book) -> float:
    return book.archive.totals()["grid"]["carbon"]


@pytest.fixture
def book(new_book):
    """Return a book with an hour that is over, at 400 g."""
    opened = new_book(plan_of(ONLY_GRID))
    enter(opened, one_hour(), now=T + HOUR + 60.0)
    assert grid_carbon(opened) == pytest.approx(480.0)
    return opened


LATER = T + 3 * HOUR


@pytest.mark.parametrize(
    ("known", "told", "taken"),
    [
        (("live", Grade.MEASURED), ("live", Grade.MEASURED), True),
        (("live", Grade.MEASURED), ("other", Grade.MEASURED), False),
        (("live", Grade.MEASURED), ("live", Grade.ESTIMATED), False),
        (("live", Grade.ESTIMATED), ("other", Grade.MEASURED), True),
        (("live", Grade.FORECAST), ("live", Grade.FORECAST), True),
        (("library", Grade.YEARLY), ("library", Grade.YEARLY), False),
        (("library", Grade.YEARLY), ("live", Grade.FORECAST), True),
    ],
)
def test_the_better_grade_wins_and_a_source_revises_itself(new_book, known, told, taken) -> None:
    book = new_book(plan_of(ONLY_GRID))
    truth = one_hour()
    book.enter(truth.entries(), [hour_of(400.0, known[1], known[0])], now=T + HOUR + 60.0)

    done = book.enter([], [hour_of(100.0, told[1], told[0])], now=LATER)

    assert grid_carbon(book) == pytest.approx(120.0 if taken else 480.0)
    assert (done.audit is not None) is taken
    assert done.first == (T if taken else None)


def test_the_same_figure_that_is_known_better_is_graded_better(new_book) -> None:
    book = new_book(plan_of(ONLY_GRID))
    expected = hour_of(400.0, Grade.FORECAST, "forecast")
    book.enter(one_hour().entries(), [expected], now=T + HOUR + 60.0)
    assert book.archive.totals()["grid"]["known_as_forecast"] == pytest.approx(1200.0)

    done = book.enter([], [hour_of(400.0)], now=LATER)

    assert done.totals["grid"].get("known_as_forecast", 0.0) == 0.0
    assert done.totals["plug"]["known_as_measured"] == pytest.approx(300.0)
    assert done.audit is None
    assert grid_carbon(book) == pytest.approx(480.0)


def test_a_yearly_figure_is_restated_on_purpose_only(new_book) -> None:
    book = new_book(plan_of(ONLY_GRID))
    yearly = hour_of(400.0, Grade.YEARLY, "library 2024")
    book.enter(one_hour().entries(), [yearly], now=T + HOUR + 60.0)

    newer = hour_of(300.0, Grade.YEARLY, "library 2025")
    assert book.enter([], [newer], now=LATER).audit is None
    done = book.enter([], [newer], now=LATER, why=Restated(reason="edition", detail="2025"))

    assert grid_carbon(book) == pytest.approx(360.0)
    assert done.audit is not None
    assert (done.audit.reason, done.audit.detail) == ("edition", "2025")


def test_what_is_told_of_an_interval_that_is_not_over_is_provisional(new_book) -> None:
    book = new_book(plan_of(ONLY_GRID))
    half = T + HOUR / 2
    book.enter(one_hour().entries(), [hour_of(400.0, Grade.FORECAST, "forecast")], now=half)

    done = book.enter([], [hour_of(100.0, Grade.YEARLY, "library")], now=half + 60.0)

    # The first half hour is settled by a better grade, the second was but expected.
    assert grid_carbon(book) == pytest.approx(6 * 40.0 + 6 * 10.0)
    assert done.audit is None
    assert book.archive.audit() == []


def test_the_audit_trail_says_when_why_from_to_before_and_after(book) -> None:
    done = book.enter([], [hour_of(300.0)], now=LATER)

    (entry,) = book.archive.audit()
    assert entry.when == LATER
    assert entry.reason == "revised_intensity"
    assert (entry.start, entry.end) == (T, T + HOUR)
    assert set(entry.owners) == {SITE_OWNER, "grid", "plug"}
    assert entry.before["carbon"] == pytest.approx(480.0)
    assert entry.after["carbon"] == pytest.approx(360.0)
    assert done.audit is not None
    assert (done.audit.before, done.audit.after) == (entry.before, entry.after)


def test_nothing_is_noted_where_nothing_has_changed(book) -> None:
    before = figures(book)

    assert book.enter([], [hour_of(400.0)], now=LATER).audit is None
    done = book.weigh_again(T, T + HOUR, now=LATER, why=Restated(reason="asked"))

    assert done.audit is None
    assert figures(book) == before
    assert book.archive.audit() == []


def test_a_new_factor_is_noted_with_the_figures_that_it_changes(new_book) -> None:
    factors = SiteFactors(annual=Schedule.constant(500.0))
    enter(new_book(plan_of(ONLY_GRID, factors=factors)), one_hour())
    newer = SiteFactors(annual=Schedule.of([(0.0, 500.0), (T, 250.0)]))
    book = new_book(plan_of(ONLY_GRID, factors=newer))

    done = book.weigh_again(T, T + HOUR, now=LATER, why=Restated(reason="factors"))

    assert done.audit is not None
    assert done.audit.owners == (SITE_OWNER,)
    assert done.audit.before["carbon_annual"] == pytest.approx(600.0)
    assert done.audit.after["carbon_annual"] == pytest.approx(300.0)
    assert done.audit.before["carbon"] == done.audit.after["carbon"]


def test_hours_without_an_intensity_are_weighed_when_it_becomes_known(new_book) -> None:
    """24 hours of 1 kWh, 100 g before noon and 500 g after it, nothing heard from 6 to 18."""
    book = new_book(plan_of(ONLY_GRID))
    used = np.array([np.full(24 * SLOTS, 1000.0 / SLOTS), np.zeros(24 * SLOTS)])
    truth = Truth(flows={"grid": used}, grid=np.repeat([100.0, 500.0], 12 * SLOTS))
    reported, ledger = ReportedSource("signal", "Signal"), Ledger()
    ladder = Ladder([reported, FixedSource(300.0)])
    for quarter in range(24 * 4):
        begin = T + quarter * 900.0
        if not 6 <= quarter / 4 < 18:
            reported.report(begin, 100.0 if quarter < 48 else 500.0, "g/kWh")
            reported.heard(begin + 900.0)
        elif quarter == 24:
            reported.lost(begin)
        end = begin + 900.0
        ledger.book(
            Booking(direction=Direction.IMPORT, start=begin, end=end, energy=250.0),
            ladder.intervals(begin, end),
        )
        entries = take_entries("grid", ledger)
        book.enter(entries, [grid_entry(ladder, e.hour) for e in entries], now=end)

    assert grid_carbon(book) == pytest.approx(7200.0, rel=0.1)
    assert grid_carbon(book) == pytest.approx(ledger.total.carbon, rel=1e-9)
    graded = book.archive.totals()["grid"]
    assert sum(value for name, value in graded.items() if name.startswith("known_as")) == (
        pytest.approx(24_000.0)
    )
    assert graded["known_as_measured"] == pytest.approx(12_000.0)

    late = [
        grid_hour(h, [(100.0 if h < T + 12 * HOUR else 500.0, Grade.MEASURED, "late")] * SLOTS)
        for h in truth.hours
    ]
    done = book.enter([], late, now=T + 2 * DAY)

    assert grid_carbon(book) == pytest.approx(7200.0)
    assert done.audit is not None
    assert done.audit.start >= T + 6 * HOUR


def test_the_integral_of_an_intensity_that_changes_within_five_minutes_stays_exact(
    new_book,
) -> None:
    book = new_book(plan_of(ONLY_GRID))
    reported, ledger = ReportedSource("signal", "Signal"), Ledger()
    ladder = Ladder([reported])
    rng = np.random.default_rng(3)
    now = float(T)
    while now < T + 3 * HOUR:
        begin, now = now, now + rng.uniform(20.0, 100.0)
        reported.report(begin + rng.uniform(0.0, 15.0), float(rng.uniform(50, 800)), "g/kWh")
        reported.heard(now)
        ledger.book(
            Booking(
                direction=Direction.IMPORT, start=begin, end=now, energy=float(rng.uniform(0, 50))
            ),
            ladder.intervals(begin, now),
        )
        entries = take_entries("grid", ledger)
        book.enter(entries, [grid_entry(ladder, e.hour) for e in entries], now=now)

    totals = book.archive.totals()
    # The first seconds came before the first report: they take the mean of their interval.
    first = ledger.intervals[T]
    lacking = (first.import_energy - sum(first.by_grade.values())) / 1000.0
    assert totals["grid"]["carbon"] == pytest.approx(
        ledger.total.carbon, rel=1e-9, abs=800.0 * lacking + 1e-9
    )
    assert totals[SITE_OWNER]["carbon"] == totals["grid"]["carbon"]
    assert totals[SITE_OWNER]["import"] == pytest.approx(ledger.total.import_energy, rel=1e-12)


def test_late_energy_is_spread_over_its_hour(book) -> None:
    late = one_hour().entry("grid", T)
    more = type(late)(
        meter="grid",
        hour=T,
        total=late.total * np.array([2.0, 1.0, 2.0]),
        fine=None,
        known=np.zeros(SLOTS, dtype=bool),
        measured=1800.0,
    )
    book.enter([more], [], now=LATER)

    assert grid_carbon(book) == pytest.approx(960.0)
    held = book.archive.energy(["grid"], T, T + HOUR)
    assert held.imported[0] == pytest.approx(np.full(SLOTS, 200.0))
    assert held.known.all()


def test_a_month_after_it_was_thinned_is_restated(new_book) -> None:
    book = new_book()
    truth = random_home(11, 26)
    enter(book, truth)
    now = T + 70 * DAY
    sums = book.archive.totals()[SITE_OWNER]
    book.archive.trim(now)

    done = book.weigh_again(T, T + 26 * HOUR, now=now, why=Restated(reason="asked"))

    # Gross import is what it was to the last gram; who fed whom is known by quarters now.
    assert done.totals[SITE_OWNER]["carbon"] == pytest.approx(sums["carbon"], rel=1e-9)
    assert done.totals[SITE_OWNER]["import"] == pytest.approx(sums["import"], rel=1e-9)
    doubled = [truth.told(hour, scale=2.0) for hour in truth.hours]
    again = book.enter([], doubled, now=now)
    spread = book.archive.energy(["grid"], T, T + 26 * HOUR).imported[0]
    assert again.totals["grid"]["carbon"] == pytest.approx(spread @ truth.grid * 2.0 / 1000.0)
    assert again.audit is not None


def test_a_marginal_intensity_weighs_what_export_avoids_and_nothing_else(new_book) -> None:
    meters = SiteMeters([meter("grid", Role.GRID), meter("pv", Role.SOLAR)])
    none, sun = np.zeros(SLOTS), np.full(SLOTS, 100.0)
    truth = Truth(
        flows={"grid": np.array([none, sun]), "pv": np.array([none, sun])},
        grid=np.full(SLOTS, 200.0),
    )
    book = new_book(plan_of(meters))
    enter(book, truth, marginal=[hour_of(700.0, source="margin")])

    site = book.archive.totals()[SITE_OWNER]
    assert site["avoided_export"] == pytest.approx(240.0)
    assert site["avoided_export_marginal"] == pytest.approx(840.0)
    done = book.enter([], [], now=LATER, marginal=[hour_of(350.0, source="margin")])
    assert done.totals[SITE_OWNER]["avoided_export_marginal"] == pytest.approx(420.0)
    assert done.totals[SITE_OWNER]["avoided_export"] == pytest.approx(240.0)
    assert done.audit is not None
    assert book.archive.grid(T, T + HOUR).value == pytest.approx(np.full(SLOTS, 200.0))


def test_what_counts_no_electricity_has_factors_of_its_own(new_book) -> None:
    plan = plan_of(ONLY_GRID, carriers={"water": {"carbon": Schedule.constant(0.3)}})
    book = new_book(plan)
    drawn = Truth(
        flows={"water": np.array([np.full(SLOTS, 10.0), np.zeros(SLOTS)])},
        grid=np.full(SLOTS, 400.0),
    )
    enter(book, one_hour())
    enter(book, drawn)

    totals = book.archive.totals()
    assert totals["water"]["carbon"] == pytest.approx(36.0)
    assert totals[SITE_OWNER]["carbon"] == pytest.approx(480.0)


def test_an_area_has_what_its_meters_let_through_once(new_book) -> None:
    book = new_book(plan_of(areas={"room": ["kitchen"], "stove": ["oven"]}))
    truth = random_home(4, 2)
    enter(book, truth)

    totals = book.archive.totals()
    room, stove = totals[area_owner("room")], totals[area_owner("stove")]
    assert room["carbon"] + stove["carbon"] == pytest.approx(totals["kitchen"]["carbon"])
    assert stove["consumption"] == pytest.approx(totals["oven"]["import"])


@pytest.mark.parametrize("bad", [math.nan, math.inf, -1.0])
def test_what_no_meter_can_have_told_changes_nothing(book, bad) -> None:
    before = figures(book)
    entry = one_hour().entry("grid", T)
    entry.fine[0, 0] = bad
    with pytest.raises(ImpossibleAmountError):
        book.enter([entry], [], now=LATER)
    entry = one_hour().entry("grid", T)
    entry.total[1] = bad
    with pytest.raises(ImpossibleAmountError):
        book.enter([entry], [], now=LATER)

    assert figures(book) == before


@pytest.mark.parametrize("bad", [math.inf, -5.0])
def test_what_no_grid_can_have_told_changes_nothing(book, bad) -> None:
    before = figures(book)
    with pytest.raises(ImpossibleAmountError, match="grid"):
        book.enter([], [hour_of(bad)], now=LATER)

    assert figures(book) == before
    assert book.enter([], [hour_of(math.nan)], now=LATER).audit is None


def test_hours_of_a_clock_gone_wrong_cost_no_years(new_book) -> None:
    """An hour in the year 2100 is kept, but nothing is carried on through all the time to it."""
    book = new_book()
    far = random_home(1, 1)
    far.start = T + 75 * 366 * DAY
    book.enter(far.entries(), [], now=T + 60.0)
    done = enter(book, random_home(2, 2), now=T + 2 * HOUR)

    assert done.totals[SITE_OWNER]["import"] == pytest.approx(
        random_home(2, 2).flows["grid"][0].sum()
    )


def test_an_emptied_hour_is_empty(book) -> None:
    nothing = Truth(
        flows={name: np.zeros((2, SLOTS)) for name in ONLY_GRID.ids}, grid=np.full(SLOTS, 400.0)
    )
    done = enter(book, nothing, now=LATER)

    assert done.totals.get(SITE_OWNER, {}).get("carbon", 0.0) == 0.0


def test_a_past_that_is_filled_in_piece_by_piece_is_that_of_one_piece(archive, new_book) -> None:
    truth = random_home(31, 60)
    book = new_book()
    enter(book, truth)
    once = figures(book)
    for owner in archive.owners():
        archive.drop_owner(owner)
    last = truth.hours[-1]
    book.enter(truth.entries([last]), [truth.told(last)], now=truth.end)
    for first in range(0, 60, 20):
        hours = truth.hours[first : first + 20]
        book.enter(
            truth.entries(hours),
            [truth.told(hour) for hour in hours],
            now=truth.end,
            until=hours[-1] + HOUR,
        )
    done = book.enter(truth.entries([last]), [truth.told(last)], now=truth.end)

    assert imbalance(done.totals, done.batteries.values()) < 1e-9
    found = figures(book)
    assert found.keys() == once.keys()
    for key, value in once.items():
        assert found[key] == pytest.approx(value, rel=1e-9), key
