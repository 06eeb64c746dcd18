"""A community as a member of a larger one."""

from pathlib import Path

import pytest

from custom_components.carbon_meter.community.contract.message import Flow, Level, Quality
from custom_components.carbon_meter.community.contract.reading import read
from custom_components.carbon_meter.community.contract.writing import write
from custom_components.carbon_meter.community.hub.upward import footprints
from tests.community.hub.solar_street import DAY, HOMES, Street


@pytest.fixture
def street(tmp_path: Path):
    opened = Street(tmp_path)
    yield opened
    opened.close()


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


def test_a_suppressed_hour_does_not_go_up(street: Street) -> None:
    street.tell(homes=10)
    street.publisher.publish(street.end + 7200)
    assert (
        footprints(street.publisher, 0, 1 << 40, community="region", home="v", now=street.end) == []
    )


def test_an_hour_that_is_hidden_later_rises_too(street: Street) -> None:
    street.tell()
    street.publisher.publish(street.end + 7200)

    def first():
        found = footprints(
            street.publisher, street.begin, street.end, community="region", home="v", now=0
        )
        return found[0].revision if found else None

    before = first()
    for home in range(HOMES):
        street.ledger.withdraw(f"home-{home}")
    street.publisher.publish(street.end + 3 * 86400)
    assert first() is None
    for home in range(HOMES):
        street.ledger.assign(f"home-{home}", DAY)
    street.tell(wh=500)
    street.publisher.publish(street.end + 5 * 86400)
    assert first() > before
