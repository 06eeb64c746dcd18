"""Series of a hub: each name has its own, and an hour that was never shown has no row."""

from collections import deque
from types import SimpleNamespace
from typing import Any

from custom_components.carbon_meter.community.ledger.calendar import Grain
from custom_components.carbon_meter.community.ledger.cells import Scope
from custom_components.carbon_meter.hub_entry.hub import Hub
from custom_components.carbon_meter.hub_entry.record import _means, _summed, scope_slug


def test_two_names_never_share_a_series() -> None:
    names = ("A 1", "a-1", "a_1", "北", "南")
    assert len({scope_slug((Scope.FEEDER, name)) for name in names}) == len(names)
    assert scope_slug((Scope.FEEDER, "a_1")) == "a_1"


def test_an_hour_that_was_never_shown_has_no_row() -> None:
    assert _summed({3600: None}, {}, 5.0) == []
    assert _means({3600: None}, {}) == []
    (row,) = _summed({3600: None}, {3600: 1.0}, 5.0)
    assert (row.get("state"), row["sum"]) == (None, 5.0)


def test_publications_are_numbered() -> None:
    hub: Any = SimpleNamespace(changes=deque(), published_at=None)
    for begin in (7200, 3600):
        key: Any = SimpleNamespace(grain=Grain.HOUR, begin=begin)
        Hub._note(hub, [key])
    assert [(change.number, change.hour) for change in hub.changes] == [(1, 7200), (2, 3600)]
