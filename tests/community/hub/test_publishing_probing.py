"""Attacks that once worked: longer periods, reasons, carbon of one home, toggling, old files."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
import shutil
from zoneinfo import ZoneInfo

import pytest

from custom_components.carbon_meter.community.contract.message import Flow
from custom_components.carbon_meter.community.hub.view import view
from custom_components.carbon_meter.community.ledger.calendar import Grain
from custom_components.carbon_meter.community.privacy.publish import Reason
from tests.community.hub.test_publishing import DAY, Hub
from tests.community.ledger.village import HOUR, footprint, imported, item


@pytest.fixture
def hub(tmp_path: Path):
    opened = Hub(tmp_path)
    opened.settle(40)
    yield opened
    opened.close()


def withdraw(hub: Hub, homes: Iterable[int]) -> None:
    for home in homes:
        hub.ledger.withdraw(f"home-{home}")
        hub.publisher.forget(f"home-{home}")


def used(home: int, period: int = 0) -> int:
    return 300 + 2 * home + period


def tell(hub: Hub, flow: Flow, homes: Iterable[int], *, revision: int = 0, **amounts) -> None:
    """Tell the first hour; `wh`, `mg` and `carbon_free` are functions of the home."""
    hub.ledger.take(
        [
            footprint(
                f"home-{home}",
                hub.begin,
                item(flow, **{name: of(home) for name, of in amounts.items()}),
                revision=revision,
            )
            for home in homes
        ],
        hub.now,
    )


def any_cell(hub: Hub, grain: Grain = Grain.HOUR):
    """Return the only cell there is of a grain, whatever its flow."""
    (cell,) = hub.publisher.cells(grain, 0, 1 << 40)
    return cell


def half_hours(
    hub: Hub, homes: Iterable[int], halves: Iterable[int] = (0, 1), *, begin: int | None = None
) -> None:
    first = hub.begin if begin is None else begin
    hub.ledger.take(
        [
            imported(f"home-{home}", first + 1800 * half, used(home, half), duration=1800)
            for home in homes
            for half in halves
        ],
        hub.now,
    )


def whole_hours(hub: Hub, homes: Iterable[int], *, revision: int = 0) -> None:
    hub.ledger.take(
        [
            footprint(
                f"home-{home}",
                hub.begin,
                item(Flow.GRID_IMPORT, wh := used(home) + used(home, 1), mg=wh * (400 - revision)),
                revision=revision,
            )
            for home in homes
        ],
        hub.now,
    )


def test_two_classes_that_one_longer_period_replaces_stay_both(hub: Hub) -> None:
    """The second without the first would be compared with both: all would count as changed."""
    half_hours(hub, range(40))
    hub.publish(days=1.2)
    before = hub.cell(Grain.HOUR).wh
    withdraw(hub, [7])
    for revision in range(3):
        whole_hours(hub, [home for home in range(40) if home != 7], revision=revision)
        hub.publish(days=3 + 2 * revision)
        assert hub.cell(Grain.HOUR).wh == before


def test_a_class_that_all_have_taken_back_is_not_forgotten(hub: Hub) -> None:
    """The hour less both halves would be the second half of the one who had not told it."""
    half_hours(hub, range(40), [0])
    half_hours(hub, [home for home in range(40) if home != 7], [1])
    hub.publish(days=1.2)
    shown = {hub.cell(Grain.HOUR).wh}
    hub.ledger.take(
        [
            footprint(
                f"home-{home}",
                hub.begin + 1800,
                item(Flow.WATER, 0),
                duration=1800,
                revision=1,
            )
            for home in range(40)
            if home != 7
        ],
        hub.now,
    )
    hub.publish(days=2.4)
    whole_hours(hub, range(40))
    for day in (3.6, 4.8):
        hub.publish(days=day)
        shown.add(hub.cell(Grain.HOUR).wh)
    first, second = (sum(used(home, half) for home in range(40)) for half in (0, 1))
    assert shown - {None} == {first + second - used(7, 1)}


@pytest.mark.parametrize("grain", [Grain.HOUR, Grain.DAY, Grain.MONTH])
def test_the_reason_does_not_follow_what_homes_correct(hub: Hub, grain: Grain) -> None:
    """Where it said whether one home dominates, four could find out by how much."""
    reasons = set()
    for revision, insiders in enumerate((25, 2000, 900)):
        hub.tell(range(17), [0], lambda home, hour: 2017 if home == 8 else 400, revision=revision)
        hub.tell(range(17, 21), [0], lambda home, hour, wh=insiders: wh, revision=revision)
        hub.publish(days=40 + 2 * revision)
        assert hub.cell(grain).wh is None
        reasons.add(hub.cell(grain).suppressed)
    assert reasons == {Reason.DIFFERENCE}


def with_mixes(home: int) -> int:
    return (500 + 11 * home) * (100 if home == 7 else 30 + home)


@pytest.mark.parametrize(
    ("flow", "wh", "before", "after"),
    [
        # A counter of water that was read late.
        (
            Flow.WATER,
            lambda home: 0,
            lambda home: 0 if home == 7 else 3000 + 40 * home,
            lambda home: 4321 if home == 7 else 3000 + 40 * home,
        ),
        # The grid's intensity is put right, and one battery alone was charged from it.
        (
            Flow.BATTERY_OUT,
            lambda home: 500 + 11 * home,
            with_mixes,
            lambda home: with_mixes(home) - (20 * (500 + 11 * 7) if home == 7 else 0),
        ),
        # One home goes from one of many intensities to another.
        (
            Flow.GRID_IMPORT,
            lambda home: 500 + 11 * home,
            lambda home: (500 + 11 * home) * (400 + 2 * home),
            lambda home: (500 + 11 * home) * (300 if home == 20 else 400 + 2 * home),
        ),
    ],
)
def test_the_carbon_that_one_home_has_changed_is_not_told(
    hub: Hub, flow, wh, before, after
) -> None:
    tell(hub, flow, range(40), wh=wh, mg=before)
    hub.publish(days=1.2)
    shown = any_cell(hub)
    assert (shown.mg, shown.is_approximate) == (sum(map(before, range(40))), False)
    tell(hub, flow, range(40), wh=wh, mg=after, revision=1)
    hub.publish(days=3)
    # What was exact before is not at hand any more: it does not become exact again.
    tell(hub, flow, range(40), wh=wh, mg=lambda home: after(home) + home + 1, revision=2)
    hub.publish(days=5)
    assert any_cell(hub).is_approximate
    assert any_cell(hub).mg != sum(after(home) + home + 1 for home in range(40))
    assert any_cell(hub).wh == shown.wh


def test_the_carbon_of_one_home_is_hidden_while_all_correct_their_energy(hub: Hub) -> None:
    def corrected(home: int) -> int:
        return 520 + 11 * home

    def mg(home: int) -> int:
        return corrected(home) * (400 if home != 7 else 40_000)

    tell(hub, Flow.GRID_IMPORT, range(40), wh=lambda home: 500 + 11 * home)
    hub.publish(days=1.2)
    tell(hub, Flow.GRID_IMPORT, range(40), wh=corrected, mg=mg, revision=1)
    hub.publish(days=3)
    cell = any_cell(hub)
    energy = sum(map(corrected, range(40)))
    assert (cell.wh, cell.mg, cell.is_approximate) == (energy, 400 * energy, True)


def test_carbon_that_all_tell_anew_is_exact_though_some_have_left(hub: Hub) -> None:
    tell(hub, Flow.GRID_IMPORT, range(40), wh=used)
    hub.publish(days=1.2)
    withdraw(hub, range(20))
    tell(
        hub, Flow.GRID_IMPORT, range(20, 40), wh=used, mg=lambda home: used(home) * 380, revision=1
    )
    hub.publish(days=3)
    cell = any_cell(hub)
    energy = sum(map(used, range(20, 40)))
    assert (cell.wh, cell.mg, cell.is_approximate) == (energy, 380 * energy, False)


def test_the_carbon_free_part_that_one_home_has_changed_is_not_told(hub: Hub) -> None:
    def free(home: int, more: int = 0) -> int:
        return used(home) * (40 + home) // 100 + (more if home == 20 else 0)

    tell(hub, Flow.GRID_IMPORT, range(40), wh=used, carbon_free=free)
    hub.publish(days=1.2)
    before = any_cell(hub).carbon_free
    assert before == sum(map(free, range(40)))
    tell(
        hub,
        Flow.GRID_IMPORT,
        range(40),
        wh=used,
        carbon_free=lambda home: free(home, 50),
        revision=1,
    )
    hub.publish(days=3)
    assert any_cell(hub).carbon_free == before


def test_who_drops_out_and_comes_back_opens_nothing(hub: Hub) -> None:
    """With each set of them that is there, another sum could be tried."""
    hub.tell(range(20), [0], lambda home, hour: 2450 if home == 8 else 500)

    def toggle(homes: Iterable[int], revision: int, *, is_there: bool) -> None:
        told = item(Flow.GRID_IMPORT, 900) if is_there else item(Flow.WATER, 0)
        hub.ledger.take(
            [footprint(f"home-{home}", hub.begin, told, revision=revision) for home in homes],
            hub.now,
        )

    toggle(range(20, 22), 1, is_there=True)
    hub.publish(days=1.2)
    toggle(range(20, 22), 2, is_there=False)
    hub.publish(days=2.4)
    toggle(range(22, 26), 1, is_there=True)
    hub.publish(days=3.6)
    toggle(range(20, 22), 3, is_there=True)
    for day in (4.8, 6, 45):
        hub.publish(days=day)
        for grain in Grain:
            assert hub.cell(grain) is None or hub.cell(grain).wh is None


KOLKATA = ZoneInfo("Asia/Kolkata")


def test_the_hour_around_midnight_stays_in_its_day(tmp_path: Path) -> None:
    """When its day was just young enough to be decided again, the hour no longer was."""
    hub = Hub(tmp_path, zone=KOLKATA)
    hub.settle(40)
    first = hub.begin - 1800
    hub.ledger.take(
        [
            imported(f"home-{home}", first + HOUR * hour, used(home, hour))
            for home in range(40)
            for hour in range(24)
        ],
        hub.now,
    )
    hub.publish(days=1.2)
    before = hub.cell().wh
    assert before == sum(used(home, hour) for home in range(40) for hour in range(24))
    withdraw(hub, [7])
    hub.now = first + 420 * 86400 + 600
    hub.publisher.publish(hub.now)
    assert hub.cell().wh == before
    hub.close()


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe"])
def test_quarters_belong_to_the_day_of_their_hour(tmp_path: Path, zone: str) -> None:
    """Otherwise who goes over to hours moves a half hour from one day to the next."""
    hub = Hub(tmp_path, zone=ZoneInfo(zone))
    hub.settle(40)
    midnight = hub.ledger.calendar.begin(date(2026, 6, 21))
    hour = midnight - midnight % HOUR
    hub.now = hour + 2 * HOUR
    hub.ledger.take(
        [
            imported(f"home-{home}", hour + 900 * quarter, 100 + home, duration=900)
            for home in range(40)
            for quarter in range(4)
        ],
        hub.now,
    )
    hub.publish(days=3)
    (day,) = hub.publisher.cells(Grain.DAY, 0, 1 << 40)
    assert day.key.begin == hub.ledger.calendar.day(hour, HOUR)
    assert day.wh == hub.publisher.cells(Grain.HOUR, hour, hour + 1)[0].wh
    assert sum(sums.sums.wh for sums in hub.ledger.cells(Grain.DAY, 0, 1 << 40)) == day.wh
    hub.close()


@pytest.mark.parametrize("is_lost", [False, True])
def test_an_old_ledger_beside_the_newest_releases(hub: Hub, is_lost: bool) -> None:
    """What homes tell then is compared with what was shown by another name of theirs, or none."""
    hub.publish(days=0.01)
    hub.close()
    shutil.copy(hub.folder / "ledger.db", hub.folder / "backup")
    hub.open()
    hub.tell(range(40), range(22))
    hub.publish(days=1.2)
    before = hub.cell().wh
    hub.close()
    for file in hub.folder.glob("ledger.db*"):
        file.unlink()
    if not is_lost:
        shutil.copy(hub.folder / "backup", hub.folder / "ledger.db")
    hub.open()
    hub.settle(40)
    noon = (hub.begin + 43200) // 86400 * 86400
    hub.ledger.take(
        [
            imported(f"home-{home}", noon, 22 * (100 + home), duration=86400)
            for home in range(40)
            if home != 7
        ],
        hub.now,
    )
    hub.tell(range(40), [48])
    for day in (1.3, 5, 7):
        hub.publish(days=day)
    assert hub.cell().wh == before
    assert hub.cell(Grain.HOUR, 48).wh == sum(range(100, 140))


@pytest.mark.parametrize("is_broken_off", [False, True])
def test_a_copy_of_the_ledger_that_was_made_meanwhile_is_an_old_one(
    hub: Hub, is_broken_off: bool
) -> None:
    hub.tell(range(40), [0, 1])
    hub.now = hub.begin + 4 * HOUR
    copy = hub.folder / "backup"

    def go_on() -> bool:
        if not copy.exists():
            with hub.ledger._database.reading() as connection:
                connection.execute("VACUUM INTO ?", (str(copy),))
            return True
        return not is_broken_off

    hub.publisher.publish(hub.now, go_on=go_on)
    shown = [hub.cell(Grain.HOUR, hour) is not None for hour in (0, 1)]
    assert shown.count(True) == (1 if is_broken_off else 2)
    hub.close()
    for file in hub.folder.glob("ledger.db*"):
        file.unlink()
    copy.rename(hub.folder / "ledger.db")
    hub.open()
    hub.tell(range(40), [5])
    hub.publish(days=0.5)
    assert hub.cell(Grain.HOUR, 5) is None


@pytest.mark.parametrize("alone", [1, 14, 15, 20])
def test_carbon_and_its_free_part_do_not_tell_three_mixes_apart(hub: Hub, alone: int) -> None:
    """Some at 400 g/kWh, some at 39 and carbon-free, and few at 0 and not."""
    homes = range(60)
    for home in homes:
        hub.ledger.assign(f"home-{home}", DAY)

    def intensity(home: int) -> int:
        return 0 if home < alone else 39 if home % 2 else 400

    tell(
        hub,
        Flow.BATTERY_OUT,
        homes,
        wh=used,
        mg=lambda home: used(home) * intensity(home),
        carbon_free=lambda home: used(home) if intensity(home) == 39 else 0,
    )
    hub.publish(days=1.2)
    cell = any_cell(hub)
    assert cell.wh == sum(map(used, homes))
    assert cell.carbon_free is None
    assert cell.mg is None or (cell.is_approximate and cell.mg % (39 * cell.wh) == 0)


def test_carbon_does_not_tell_how_many_share_an_intensity_have_used(hub: Hub) -> None:
    """Half are at 400 g/kWh and half at 350; a feeder's energy is that of the first less one's."""
    for home in range(40):
        hub.ledger.assign(f"home-{home}", DAY, feeder="a" if home < 19 else "b")
    tell(
        hub,
        Flow.BATTERY_OUT,
        range(40),
        wh=used,
        mg=lambda home: used(home) * (400 if home < 20 else 350),
    )
    hub.publish(days=1.2)
    whole, feeder = hub.cell(Grain.HOUR), hub.cell(Grain.HOUR, feeder="a")
    assert (whole.wh, feeder.wh) == (sum(map(used, range(40))), sum(map(used, range(19))))
    # (mg - 350 wh) / 50 would be the energy of the first twenty: it is known within k homes.
    step = whole.mg & -whole.mg
    assert whole.is_approximate
    assert step / 50 >= 15 * used(39)
    assert whole.mg == pytest.approx(sum(used(home) * 350 for home in range(40)), rel=0.2)


def test_carbon_of_two_sources_is_not_solved_for_where_all_are_told_anew(hub: Hub) -> None:
    """Energy, carbon before and carbon after are three equations for homes of three kinds."""

    def mg(home: int, high: int, low: int) -> int:
        return 0 if home == 7 else used(home) * (high if home % 2 else low)

    homes = range(40)
    tell(hub, Flow.BATTERY_OUT, homes, wh=used, mg=lambda home: mg(home, 400, 300))
    hub.publish(days=1.2)
    before = any_cell(hub)
    tell(hub, Flow.BATTERY_OUT, homes, wh=used, mg=lambda home: mg(home, 380, 290), revision=1)
    hub.publish(days=3)
    after = any_cell(hub)
    for cell in (before, after):
        # As if all were weighed like the many.
        assert cell.is_approximate
        assert cell.mg in {each * cell.wh for each in (400, 300, 380, 290)}


def test_a_month_is_of_as_many_homes_as_its_days(hub: Hub) -> None:
    hub.tell(range(40))
    hub.publish(days=11)
    withdraw(hub, range(33))
    hub.publish(days=13)
    hub.publish(days=15)
    assert (hub.cell().homes, hub.cell(Grain.MONTH).homes) == (40, 40)
    assert hub.cell(Grain.YEAR) is None or hub.cell(Grain.YEAR).homes == 40


def test_a_month_of_what_waited_can_be_read_when_all_have_withdrawn(tmp_path: Path) -> None:
    hub = Hub(tmp_path)
    hub.settle(20)
    for home in range(20):
        hub.tell([home], hours=[24 * (home % 10) + 3])
    hub.publish(days=12)
    assert hub.cell(Grain.MONTH).homes == 20
    withdraw(hub, range(20))
    hub.publish(days=14)
    begin = hub.cell(Grain.MONTH).key.begin
    (period,) = view(hub.publisher, Grain.MONTH, begin, begin + 1).periods
    (flow,) = period.flows
    assert flow.homes == 20
    assert flow.kwh_per_home == pytest.approx(hub.cell(Grain.MONTH).wh / 20_000)
    hub.close()


def test_water_is_divided_by_time(tmp_path: Path) -> None:
    """It has no energy by which its carbon could be: exact where it may, else by how long."""
    hub = Hub(tmp_path)
    for home in range(40):
        hub.ledger.assign(f"home-{home}", DAY, feeder=str(home // 20))
    tell(
        hub,
        Flow.WATER,
        range(40),
        wh=lambda home: 0,
        mg=lambda home: 15_000 if home == 3 else 3000,
    )
    hub.publish(days=1.2)
    every = 39 * 3000 + 15_000
    cells = [hub.cell(Grain.HOUR, feeder=feeder) for feeder in (None, "0", "1")]
    assert [(cell.mg, cell.is_approximate) for cell in cells] == [
        (every, True),
        (every // 2, True),
        (every // 2, True),
    ]
    withdraw(hub, range(24, 40))
    hub.publish(days=3)
    assert hub.cell(Grain.HOUR, feeder="0").mg == every // 2
    hub.close()


@pytest.mark.parametrize(
    ("finest", "shown"),
    [
        (Grain.HOUR, {Grain.HOUR, Grain.DAY, Grain.MONTH}),
        (Grain.DAY, {Grain.DAY, Grain.MONTH}),
        (Grain.MONTH, {Grain.MONTH}),
    ],
)
def test_nothing_shorter_than_wanted_is_shown(tmp_path: Path, finest: Grain, shown) -> None:
    hub = Hub(tmp_path, finest=finest)
    hub.settle(20)
    hub.tell(range(20))
    changed = {key.grain for key in hub.publish(days=15)}
    assert changed == shown
    for grain in (Grain.HOUR, Grain.DAY, Grain.MONTH):
        cells = hub.publisher.cells(grain, 0, 1 << 40)
        assert (len(cells) > 0) == (grain in shown)
    assert hub.cell(Grain.MONTH).wh == 24 * sum(range(100, 120))
    assert hub.cell(Grain.MONTH).mg == 400 * hub.cell(Grain.MONTH).wh
    hub.close()


def test_longer_periods_are_no_changes(hub: Hub) -> None:
    """Few change their energy while all go over to hours: they alone would be the difference."""
    for later in (False, True):
        for home in range(40):
            changed = 200 if later and home < 7 else 0
            duration = HOUR if later else HOUR // 2
            told = imported(f"home-{home}", hub.begin, used(home) + changed, duration=duration)
            hub.ledger.take([told], hub.now)
        hub.publish(days=3 if later else 1.2)
        # Half of the time that is told then may be shown: it is hidden, or as it was.
        assert hub.cell(Grain.HOUR).wh in {None, sum(map(used, range(40)))}
