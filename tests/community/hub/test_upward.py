"""A community as a member of a larger one."""

from pathlib import Path

import pytest

from custom_components.carbon_meter.community.contract.message import (
    Flow,
    Footprint,
    Level,
    Quality,
)
from custom_components.carbon_meter.community.contract.reading import read
from custom_components.carbon_meter.community.contract.writing import write
from custom_components.carbon_meter.community.hub.upward import footprints
from tests.community.hub.solar_street import DAY, HOMES, Street


@pytest.fixture
def street(tmp_path: Path):
    opened = Street(tmp_path)
    yield opened
    opened.close()


def at_noon(street: Street) -> Footprint:
    """Return what goes up of the hour at noon."""
    return footprints(
        street.publisher, street.begin, street.end, community="region", home="v", now=street.end
    )[12]


def test_published_hours_go_up_as_footprints(street: Street) -> None:
    street.tell(batteries=3)
    street.publisher.publish(street.end + 7200)
    now = street.end + 7200

    def told():
        return footprints(
            street.publisher, street.begin, street.end, community="region", home="v", now=now
        )

    first = told()
    assert len(first) == 24
    noon = first[12]
    items = {each.flow: each for each in noon.items}
    assert (items[Flow.GRID_IMPORT].wh, items[Flow.GRID_IMPORT].mg) == (10_000, 4_000_000)
    assert items[Flow.GRID_IMPORT].quality is Quality.MEASURED
    assert items[Flow.BATTERY_IN].quality is Quality.MISSING
    assert (noon.level, noon.revision) == (Level.CLEAR, 3)
    for each in first:
        assert read(*write(each), now) == each

    street.tell(batteries=3, revision=1, wh=900)
    street.publisher.publish(street.end + 3 * 86400)
    later = told()
    for hour, (old, new) in enumerate(zip(first, later, strict=True)):
        # At noon half of the homes still use nothing: too few have changed.
        assert (new.revision > old.revision) == (not 10 <= hour < 14)
    assert later == told()


def test_coverage_counts_the_homes_that_have_not_told(street: Street) -> None:
    for home in range(HOMES, 2 * HOMES):
        street.ledger.assign(f"home-{home}", DAY)
    street.tell()
    street.publisher.publish(street.end + 7200)
    # All that was told was measured, by 20 homes of 40.
    noon = at_noon(street)
    assert {each.coverage for each in noon.items} == {5000}
    assert {each.quality for each in noon.items} == {Quality.MEASURED}
    assert read(*write(noon), street.end) == noon


def test_coverage_is_rounded_down(street: Street) -> None:
    for home in range(HOMES, HOMES + 3):
        street.ledger.assign(f"home-{home}", DAY)
    street.tell()
    street.publisher.publish(street.end + 7200)
    # 20 of 23.
    assert {each.coverage for each in at_noon(street).items} == {8695}


def test_sum_of_homes_that_have_left_is_covered_as_it_was_told(street: Street) -> None:
    street.tell()
    street.publisher.publish(street.end + 7200)
    for home in range(6):
        street.ledger.withdraw(f"home-{home}")
    street.publisher.publish(street.end + 3 * 86400)
    # It goes on to be that of 20 homes, of the 14 that are left.
    items = {each.flow: each for each in at_noon(street).items}
    assert (items[Flow.GRID_IMPORT].wh, items[Flow.GRID_IMPORT].coverage) == (10_000, 10_000)


def test_a_suppressed_hour_does_not_go_up(street: Street) -> None:
    street.tell(homes=10)
    street.publisher.publish(street.end + 7200)
    assert (
        footprints(street.publisher, 0, 1 << 40, community="region", home="v", now=street.end) == []
    )


def test_an_hour_that_is_hidden_later_goes_up_as_missing(street: Street) -> None:
    street.tell()
    street.publisher.publish(street.end + 7200)
    now = street.end + 7200

    def first() -> Footprint:
        return footprints(
            street.publisher, street.begin, street.end, community="region", home="v", now=now
        )[0]

    before = first()
    assert {each.quality for each in before.items} == {Quality.MEASURED}
    for home in range(HOMES):
        street.ledger.withdraw(f"home-{home}")
    street.publisher.publish(street.end + 3 * 86400)
    hidden = first()
    assert read(*write(hidden), now) == hidden
    assert {each.quality for each in hidden.items} == {Quality.MISSING}
    assert {(each.wh, each.mg, each.carbon_free) for each in hidden.items} == {(0, 0, None)}
    for home in range(HOMES):
        street.ledger.assign(f"home-{home}", DAY)
    street.tell(wh=500)
    street.publisher.publish(street.end + 5 * 86400)
    again = first()
    assert {each.quality for each in again.items} == {Quality.MEASURED}
    assert before.revision < hidden.revision < again.revision
