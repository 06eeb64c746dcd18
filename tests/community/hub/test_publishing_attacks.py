"""Attacks that once worked: restatements of the same energy, laxer rules, carbon of one's own."""

from collections.abc import Iterable
from pathlib import Path
import shutil

import pytest

from custom_components.carbon_meter.community.contract.message import Flow, Kind
from custom_components.carbon_meter.community.ledger.calendar import Grain
from custom_components.carbon_meter.community.privacy.publish import Reason
from custom_components.carbon_meter.community.privacy.rules import PILOT
from tests.community.hub.test_publishing import Hub
from tests.community.ledger.village import HOUR, footprint, imported, item


@pytest.fixture
def hub(tmp_path: Path):
    opened = Hub(tmp_path)
    opened.settle(40, feeder=lambda home: "solo" if home == 7 else "rest")
    yield opened
    opened.close()


def restate(
    hub: Hub, homes: Iterable[int], *, hours: Iterable[int] = (0,), revision: int = 1
) -> None:
    """Tell the same energy by another intensity."""
    hub.ledger.take(
        [
            footprint(
                f"home-{home}",
                hub.begin + hour * HOUR,
                item(Flow.GRID_IMPORT, 100 + home, mg=(100 + home) * 390),
                revision=revision,
            )
            for home in homes
            for hour in hours
        ],
        hub.now,
    )


def withdraw(hub: Hub, home: str) -> None:
    hub.ledger.withdraw(home)
    hub.publisher.forget(home)


def test_everybody_restates_the_carbon_of_an_hour(hub: Hub) -> None:
    hub.tell(range(40), hours=[0])
    hub.publish(days=1.2)
    before = hub.cell(Grain.HOUR)
    restate(hub, range(40))
    hub.publish(days=3)
    now = hub.cell(Grain.HOUR)
    assert (now.wh, now.mg, now.is_current) == (before.wh, before.wh * 390, True)


@pytest.mark.parametrize(("gone", "is_taken_over"), [(1, False), (14, False), (15, True)])
def test_homes_that_withdrew_are_not_what_a_restatement_lacks(
    hub: Hub, gone: int, is_taken_over: bool
) -> None:
    hub.tell(range(40), hours=[0])
    hub.publish(days=1.2)
    before = hub.cell(Grain.HOUR).wh
    for home in range(gone):
        withdraw(hub, f"home-{home}")
    restate(hub, range(gone, 40))
    hub.publish(days=3)
    now = hub.cell(Grain.HOUR)
    lacking = sum(range(100, 100 + gone)) if is_taken_over else 0
    assert (now.wh, now.is_current) == (before - lacking, is_taken_over)


@pytest.mark.parametrize(("others", "is_taken_over"), [(1, False), (14, False), (15, True)])
def test_few_that_correct_their_energy_while_all_restate(
    hub: Hub, others: int, is_taken_over: bool
) -> None:
    """Before less after is what those few have changed."""
    hub.tell(range(40), hours=[0])
    hub.publish(days=1.2)
    before = hub.cell(Grain.HOUR).wh
    restate(hub, range(others, 40))
    hub.tell(range(others), hours=[0], revision=1, wh=lambda home, hour: 50 + home)
    hub.publish(days=3)
    now = hub.cell(Grain.HOUR)
    assert (now.wh, now.is_current) == (before - 50 * others * is_taken_over, is_taken_over)


def test_one_that_changes_most_of_what_is_corrected(hub: Hub) -> None:
    hub.tell(range(40), hours=[0])
    hub.publish(days=1.2)
    before = hub.cell(Grain.HOUR).wh
    hub.tell(range(39), hours=[0], revision=1, wh=lambda home, hour: 101 + home)
    hub.tell([39], hours=[0], revision=1, wh=lambda home, hour: 600)
    hub.publish(days=3)
    assert (hub.cell(Grain.HOUR).wh, hub.cell(Grain.HOUR).is_current) == (before, False)


def test_what_was_shown_is_compared_however_often_it_was_corrected_since(hub: Hub) -> None:
    hub.tell(range(40), hours=[0])
    hub.publish(days=1.2)
    before = hub.cell(Grain.HOUR).wh
    for revision in (1, 2, 3):
        restate(hub, range(39), revision=revision)
        hub.tell([39], hours=[0], revision=revision, wh=lambda home, hour, by=revision: by)
        hub.publish(days=2 + revision)
        assert hub.cell(Grain.HOUR).wh == before
    restate(hub, range(40), revision=4)
    hub.publish(days=7)
    now = hub.cell(Grain.HOUR)
    assert (now.wh, now.mg, now.is_current) == (before, before * 390, True)


@pytest.mark.parametrize("gone", [1, 15])
def test_what_was_shown_by_one_kind_of_intensity_is_not_by_another(hub: Hub, gone: int) -> None:
    """All but those who withdrew tell it again: less the other kind it would be those."""
    hub.tell(range(40), hours=[0])
    hub.publish(days=1.2)
    for home in range(gone):
        withdraw(hub, f"home-{home}")
    hub.ledger.take(
        [
            footprint(
                f"home-{home}",
                hub.begin,
                item(Flow.GRID_IMPORT, 100 + home, kind=Kind.MARGINAL),
                revision=1,
            )
            for home in range(gone, 40)
        ],
        hub.now,
    )
    hub.publish(days=40)
    for grain in Grain:
        for cell in hub.publisher.cells(grain, 0, 1 << 40):
            assert cell.wh is None or cell.key.kind is Kind.AVERAGE


def test_homes_with_different_kinds_of_intensity_are_all_shown(hub: Hub) -> None:
    for kind, homes in ((Kind.AVERAGE, range(20)), (Kind.MARGINAL, range(20, 40))):
        hub.ledger.take(
            [
                footprint(f"home-{home}", hub.begin, item(Flow.GRID_IMPORT, 100 + home, kind=kind))
                for home in homes
            ],
            hub.now,
        )
    hub.publish(days=1.2)
    cells = hub.publisher.cells(Grain.HOUR, hub.begin, hub.begin + 1)
    assert [(cell.key.kind, cell.wh) for cell in cells] == [
        (Kind.AVERAGE, sum(range(100, 120))),
        (Kind.MARGINAL, sum(range(120, 140))),
    ]


@pytest.mark.parametrize("calls", [1, 3])
def test_a_clock_that_is_wrong_by_years_forgets_nothing(hub: Hub, calls: int) -> None:
    hub.tell(range(39), hours=[0])
    hub.publish(days=1.2)
    before = hub.cell(Grain.HOUR).wh
    hub.tell([39], hours=[0])
    for call in range(calls):
        hub.publish(days=1000 + call)
    hub.publish(days=3)
    assert hub.cell(Grain.HOUR).wh == before
    hub.tell(range(40), hours=[72])
    hub.publish(days=4.5)
    assert hub.cell(Grain.HOUR, 72).wh == sum(range(100, 140))


def test_what_was_forgotten_is_not_decided_again(hub: Hub) -> None:
    """The clock is set back by years after it was wrong for long enough."""
    hub.tell(range(39), hours=[0])
    hub.publish(days=1.2)
    before = hub.cell(Grain.HOUR).wh
    for day in range(2, 903):
        hub.publish(days=day)
    assert hub.releases.marks(Grain.HOUR, 0) == {}
    hub.tell([39], hours=[0])
    hub.publish(days=3)
    assert hub.cell(Grain.HOUR).wh == before


@pytest.mark.parametrize("is_lost", [False, True])
def test_an_old_file_of_releases_in_the_place_of_the_newest(hub: Hub, is_lost: bool) -> None:
    """It does not know what was shown: nothing up to the end of today is decided any more."""
    hub.tell(range(39), hours=[0])
    hub.publish(days=0.01)
    hub.close()
    shutil.copy(hub.folder / "releases.db", hub.folder / "backup")
    hub.open()
    hub.publish(days=1.2)
    assert hub.cell(Grain.HOUR).wh == sum(range(100, 139))
    hub.close()
    (hub.folder / "releases.db").unlink()
    if not is_lost:
        shutil.copy(hub.folder / "backup", hub.folder / "releases.db")
    hub.open()
    hub.tell([39], hours=[0])
    hub.tell(range(40), hours=[47, 48])
    hub.publish(days=1.3)
    hub.publish(days=40)
    for cell in (hub.cell(), hub.cell(Grain.HOUR), hub.cell(Grain.HOUR, 47)):
        assert cell is None
    assert hub.cell(Grain.HOUR, 48).wh == sum(range(100, 140))
    assert hub.cell(Grain.MONTH).wh == sum(range(100, 140))


def test_a_restart_is_no_restored_backup(hub: Hub) -> None:
    hub.tell(range(40), hours=[0])
    hub.publish(days=1.2)
    for day in (2, 3, 4):
        hub.restart()
        hub.publish(days=day)
    restate(hub, range(40))
    hub.publish(days=5)
    assert hub.cell(Grain.HOUR).mg == hub.cell(Grain.HOUR).wh * 390


def test_corrections_do_not_open_what_one_home_dominates(hub: Hub) -> None:
    """The moment at which it opened would tell how much that home has used."""
    hub.tell(range(17), hours=[0], wh=lambda home, hour: 2017 if home == 8 else 500)
    hub.tell(range(17, 20), hours=[0], wh=lambda home, hour: 1000)
    hub.publish(days=1.2)
    for revision in range(1, 60):
        hub.tell(
            range(17, 20),
            hours=[0],
            revision=revision,
            wh=lambda home, hour, by=revision: 1000 + 20 * by,
        )
        hub.publish(days=1.2 + 1.01 * revision)
        for grain in Grain:
            cell = hub.cell(grain)
            assert cell is None or cell.wh is None


def test_homes_that_come_late_open_what_one_home_dominated(hub: Hub) -> None:
    """What is restated with the same energy meanwhile is no correction."""
    hub.tell(range(20), hours=[0], wh=lambda home, hour: 2000 if home == 8 else 500)
    hub.publish(days=1.2)
    assert hub.cell(Grain.HOUR).suppressed is Reason.DIFFERENCE
    hub.tell(range(19), hours=[0], revision=1, wh=lambda home, hour: 2000 if home == 8 else 500)
    hub.tell(range(20, 40), hours=[0], wh=lambda home, hour: 500)
    hub.publish(days=3)
    assert hub.cell(Grain.HOUR).wh == 39 * 500 + 2000
    hub.tell(range(20), hours=[0], revision=2, wh=lambda home, hour: 400)
    hub.tell(range(20, 40), hours=[0], revision=1, wh=lambda home, hour: 400)
    hub.publish(days=5)
    # One home has changed most of it.
    assert hub.cell(Grain.HOUR).wh == 39 * 500 + 2000


def test_a_day_that_was_shown_by_hours_is_not_shown_again_as_days(hub: Hub) -> None:
    """All but one tell the day after its hours: both sums would differ by that home."""
    hub.tell(range(40))
    hub.publish(days=1.2)
    withdraw(hub, "home-7")
    day = (hub.begin + 43200) // 86400 * 86400
    hub.ledger.take(
        [
            imported(f"home-{home}", day, 24 * (100 + home), duration=86400)
            for home in range(40)
            if home != 7
        ],
        hub.now,
    )
    hub.publish(days=4)
    assert hub.cell().wh in (None, 24 * sum(range(100, 140)))


@pytest.mark.parametrize("later", [0.6, 1.2])
def test_rules_for_homes_that_consent_divide_no_others(hub: Hub, later: float) -> None:
    hub.tell(range(40), hours=range(6))
    hub.publish(days=0.5)
    before = hub.cell(Grain.HOUR).wh
    hub.rules = PILOT
    hub.restart()
    hub.tell([7], hours=[0], revision=1, wh=lambda home, hour: 5)
    hub.publish(days=later)
    hub.publish(days=40)
    assert hub.cell(Grain.HOUR).wh == before
    for hour in range(6):
        alone = hub.cell(Grain.HOUR, hour, "solo")
        assert (alone.wh, alone.suppressed is None) == (None, False)


def test_rules_for_homes_that_consent_show_no_quantiles_of_others(hub: Hub) -> None:
    hub.tell(range(40), hours=range(6))
    hub.publish(days=0.5)
    hub.rules = PILOT
    hub.restart()
    hub.publish(days=40)
    assert hub.cell().wh == 6 * sum(range(100, 140))
    assert hub.cell().quantiles == {}
    assert set(hub.cell(Grain.MONTH).quantiles) <= {0.5}


def same(home: int) -> int:
    """Return an amount in proportion to which everything else is."""
    return 300 + home


def from_small_to_large(home: int) -> int:
    """Return amounts of which the largest is forty times the smallest."""
    return 100 + 97 * home


@pytest.mark.parametrize(
    ("wh", "mg", "free", "said"),
    [
        # One has charged its battery from the grid, all others from the sun.
        (lambda home: 500, lambda home: 200_000 * (home == 7), lambda home: None, (None, None)),
        (lambda home: 500, lambda home: 1, lambda home: 500 * (home != 7), (40, None)),
        # One has another supply; less half of the energy its own would be left.
        (same, same, lambda home: same(home) // (1 if home == 7 else 2), (12_780, None)),
        # Half of them have: less half of the energy, it would be that of twenty.
        (same, same, lambda home: same(home) // (1 if home < 20 else 2), (12_780, None)),
        (same, same, lambda home: same(home) // 2, (12_780, 6380)),
        # Some have used nothing; what is carbon-free, nobody knows.
        (
            lambda home: 300 * (home < 14),
            lambda home: 900 * (home < 14),
            lambda home: None,
            (12_600, None),
        ),
        # All have the same, but for the rounding.
        (
            from_small_to_large,
            from_small_to_large,
            lambda home: from_small_to_large(home) * 356 // 1000,
            (79_660, sum(from_small_to_large(home) * 356 // 1000 for home in range(40))),
        ),
        # One has a tenth more, which is more than its rounding: said in steps of 4096.
        (
            from_small_to_large,
            from_small_to_large,
            lambda home: from_small_to_large(home) * (392 if home == 30 else 356) // 1000,
            (79_660, 7 * 4096),
        ),
    ],
)
def test_carbon_is_balanced_like_energy(hub: Hub, wh, mg, free, said) -> None:
    hub.ledger.take(
        [
            footprint(
                f"home-{home}",
                hub.begin,
                item(Flow.GRID_IMPORT, wh(home), mg=mg(home), carbon_free=free(home)),
            )
            for home in range(40)
        ],
        hub.now,
    )
    hub.publish(days=1.2)
    cell = hub.cell(Grain.HOUR)
    assert cell.wh == sum(map(wh, range(40)))
    assert (cell.mg, cell.carbon_free) == said


@pytest.mark.parametrize(
    ("others", "said", "is_approximate"),
    [
        (0, 39 * 20_000, False),
        (1, 39 * 20_000, True),
        (14, 39 * 20_000, True),
        # Neither are most: the sum in steps of 131 g.
        (20, 7 << 17, True),
        (26, 55 * 20_000, True),
        (40, 55 * 20_000, False),
    ],
)
def test_few_with_a_mix_of_their_own_count_like_the_others(
    hub: Hub, others: int, said: int, is_approximate: bool
) -> None:
    """Exact carbon less 39 g/kWh of all energy would be 16 g/kWh of what those have used."""
    hub.ledger.take(
        [
            footprint(
                f"home-{home}",
                hub.begin,
                item(Flow.BATTERY_OUT, 500, mg=500 * (55 if home < others else 39)),
            )
            for home in range(40)
        ],
        hub.now,
    )
    hub.publish(days=1.2)
    cell = hub.cell(Grain.HOUR)
    assert (cell.mg, cell.is_approximate) == (said, is_approximate)


def test_carbon_is_said_where_every_home_has_a_mix_of_its_own(hub: Hub) -> None:
    hub.ledger.take(
        [
            footprint(
                f"home-{home}", hub.begin, item(Flow.BATTERY_OUT, 500, mg=500 * (home * home % 97))
            )
            for home in range(40)
        ],
        hub.now,
    )
    hub.publish(days=1.2)
    cell = hub.cell(Grain.HOUR)
    every = sum(500 * (home * home % 97) for home in range(40))
    assert (cell.mg, cell.is_approximate) == (every, False)


def test_a_feeder_has_its_share_where_one_home_has_most_of_its_carbon(hub: Hub) -> None:
    for home in range(40):
        hub.ledger.assign(
            f"home-{home}", hub.ledger.calendar.date_of(hub.begin), feeder=str(home // 20)
        )
    hub.ledger.take(
        [
            footprint(
                f"home-{home}",
                hub.begin,
                item(Flow.BATTERY_OUT, 500, mg=4000 if home == 7 else 600 + 10 * home),
            )
            for home in range(40)
        ],
        hub.now,
    )
    hub.publish(days=1.2)
    every = sum(600 + 10 * home for home in range(40)) + 4000 - 670
    assert hub.cell(Grain.HOUR).mg == every
    one = hub.cell(Grain.HOUR, feeder="0")
    assert (one.mg, one.is_approximate, one.suppressed) == (every // 2, True, None)


def tell_all(
    hub: Hub, amounts: list[int], sources: Iterable[tuple[str, int]], *, revision: int
) -> None:
    """Have all homes tell an hour, each by its own intensity in gCO2eq/kWh."""
    hub.ledger.take(
        [
            footprint(
                f"home-{home}",
                hub.begin,
                item(Flow.GRID_IMPORT, wh, source=source, mg=wh * intensity),
                revision=revision,
            )
            for home, (wh, (source, intensity)) in enumerate(zip(amounts, sources, strict=True))
        ],
        hub.now,
    )


@pytest.mark.parametrize("largest", [1500, 50])
@pytest.mark.parametrize(("many", "others"), [(16, 15), (18, 16), (15, 40)])
def test_nobody_is_left_out_when_all_restate_by_intensities_of_their_own(
    tmp_path: Path, many: int, others: int, largest: int
) -> None:
    """The sum before less the sum after would be what the one that is left out has used."""
    hub = Hub(tmp_path)
    hub.settle(many + others + 1)
    amounts = [*range(100, 100 + many), *range(900, 900 + others), largest]
    tell_all(hub, amounts, [("fallback", 400)] * len(amounts), revision=0)
    hub.publish(days=1.2)
    assert hub.cell(Grain.HOUR).wh == sum(amounts)
    own = [("a", 380)] * many + [("c", 300)] * others + [("own", 50)]
    tell_all(hub, amounts, own, revision=1)
    hub.publish(days=3)
    now = hub.cell(Grain.HOUR)
    assert (now.wh, now.homes, now.told) == (sum(amounts), len(amounts), 100)
    assert now.is_approximate
    hub.close()


@pytest.mark.parametrize("other", ["a", "b"])
@pytest.mark.parametrize(("largest", "is_shown"), [(1000, False), (90, True)])
def test_a_feeder_that_was_too_much_of_one_home_is_not_left_by_the_other(
    tmp_path: Path, other: str, largest: int, *, is_shown: bool
) -> None:
    """What all had before, less one feeder that has told the same again, is the other one's."""
    hub = Hub(tmp_path)
    hub.settle(30, feeder=lambda home: "a" if home < 15 else "b")
    amounts = [*range(600, 615), largest, *range(70, 84)]
    tell_all(hub, amounts, [("a", 400)] * 30, revision=0)
    hub.publish(days=1.2)
    before = hub.cell(Grain.HOUR).wh
    assert before == sum(amounts)
    assert (hub.cell(Grain.HOUR, feeder="b").wh is not None) == is_shown
    corrected = [*range(600, 615), largest // 10, *range(670, 684)]
    tell_all(hub, corrected, [("a", 400)] * 15 + [(other, 300)] * 15, revision=1)
    hub.publish(days=3)
    assert hub.cell(Grain.HOUR).wh == sum(corrected)
    assert (hub.cell(Grain.HOUR, feeder="a").wh is not None) == is_shown
    hub.close()
