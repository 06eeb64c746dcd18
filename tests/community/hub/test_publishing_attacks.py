"""Attacks that once worked: restatements of the same energy, laxer rules, carbon of one's own."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from custom_components.carbon_meter.community.contract.message import Flow
from custom_components.carbon_meter.community.ledger.calendar import Grain
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


@pytest.mark.parametrize(
    ("wh", "mg", "free", "said"),
    [
        # One has charged its battery from the grid, all others from the sun.
        (lambda home: 500, lambda home: 200_000 * (home == 7), lambda home: None, (None, None)),
        (lambda home: 500, lambda home: 1, lambda home: 500 * (home != 7), (40, None)),
        # One has another supply; less half of the energy its own would be left.
        (same, same, lambda home: same(home) // (1 if home == 7 else 2), (12_780, None)),
        # Half of them have.
        (
            same,
            same,
            lambda home: same(home) // (1 if home < 20 else 2),
            (12_780, sum(300 + home for home in range(20)) + 3290),
        ),
        (same, same, lambda home: same(home) // 2, (12_780, 6380)),
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
                item(Flow.BATTERY_OUT, 500, mg=4000 if home == 7 else 600),
            )
            for home in range(40)
        ],
        hub.now,
    )
    hub.publish(days=1.2)
    every = 39 * 600 + 4000
    assert hub.cell(Grain.HOUR).mg == every
    one = hub.cell(Grain.HOUR, feeder="0")
    assert (one.mg, one.is_approximate, one.suppressed) == (every // 2, True, None)
