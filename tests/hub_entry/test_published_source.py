"""When a hub's own hours are ready for a larger hub, and which of them have changed."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.carbon_meter.community.contract.message import Flow, Quality
from custom_components.carbon_meter.community.ledger.calendar import HOUR
from custom_components.carbon_meter.community.ledger.cells import WATERMARK
from custom_components.carbon_meter.hub_entry.hub import Change
from custom_components.carbon_meter.hub_entry.published_source import PublishedSource, _flow
from tests.hub_entry.village import item

NOW = 1_795_446_000.0


@pytest.fixture
def hub() -> Any:
    listeners: list[Any] = []
    return SimpleNamespace(
        published_at=None,
        changes=[],
        listeners=listeners,
        async_add_listener=lambda listener: listeners.append(listener) or (lambda: None),
    )


@pytest.fixture
def source(hass: HomeAssistant, hub: Any) -> PublishedSource:
    entry: Any = SimpleNamespace(runtime_data=hub)
    return PublishedSource(hass, entry)


def test_an_hour_is_ready_when_it_was_published(hub: Any, source: PublishedSource) -> None:
    assert source.ready_until(NOW) <= NOW - WATERMARK - HOUR
    hub.published_at = NOW - 60
    assert source.ready_until(NOW) == (NOW - 60 - WATERMARK) // HOUR * HOUR
    # A clock that was set back.
    assert source.ready_until(NOW - HOUR) == (NOW - HOUR - WATERMARK) // HOUR * HOUR


def test_each_publication_is_told_once(hub: Any, source: PublishedSource) -> None:
    hub.changes.append(Change(number=1, at=NOW, hour=0))
    told: list[int | None] = []
    source.async_listen(told.append)
    (listener,) = hub.listeners
    listener()
    hub.changes += [
        Change(number=2, at=NOW, hour=2 * HOUR),
        Change(number=3, at=NOW, hour=HOUR),
    ]
    listener()
    listener()
    assert told == [None, HOUR, None]


def test_what_is_hidden_is_no_zero() -> None:
    shown = _flow(item(Flow.GRID_IMPORT, 1000))
    assert (shown.wh, shown.grams, shown.covered) == (1000.0, 350.0, HOUR)
    hidden = _flow(replace(item(Flow.GRID_IMPORT, 0), quality=Quality.MISSING))
    assert (hidden.wh, hidden.grams) == (None, None)
