"""The sensors of a hub: what was published last, and how the hub itself is."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    EntityCategory,
    UnitOfEnergy,
    UnitOfMass,
    UnitOfRatio,
    UnitOfTime,
)
from homeassistant.helpers.typing import StateType
from homeassistant.util import dt as dt_util

from ..community.contract.message import Flow, Kind
from ..community.hub.status import WorkerState
from ..community.hub.view import FlowFigures, Period
from ..community.ledger.calendar import Grain
from ..const import UNIT_INTENSITY
from .figures import SHOWN_GRAINS
from .hub import Hub

_PERCENT: Final = 100.0


@dataclass(frozen=True, kw_only=True)
class FigureDescription(SensorEntityDescription):
    """A figure of the last published period."""

    grain: Grain
    figure: Callable[[Period], float | int | None]


@dataclass(frozen=True, kw_only=True)
class StateDescription(SensorEntityDescription):
    """Something about the hub itself."""

    value: Callable[[Hub], StateType | datetime]
    attributes: Callable[[Hub], Mapping[str, Any]] | None = None


def imported(period: Period) -> FlowFigures | None:
    """Return what was drawn from the grid, weighed by the average intensity."""
    return period.flow(Flow.GRID_IMPORT, Kind.AVERAGE)


def _of_import(name: str, factor: float = 1.0) -> Callable[[Period], float | int | None]:
    """Return what reads a figure of the import."""

    def figure(period: Period) -> float | int | None:
        flow = imported(period)
        value = None if flow is None else getattr(flow, name)
        return None if value is None else value * factor

    return figure


def _of_shared(name: str, factor: float = 1.0) -> Callable[[Period], float | None]:
    """Return what reads a figure of the shared solar energy."""

    def figure(period: Period) -> float | None:
        value = None if period.shared is None else getattr(period.shared, name)
        return None if value is None else value * factor

    return figure


def _score(period: Period) -> float | None:
    return None if period.cfe_score is None else period.cfe_score * _PERCENT


def _figures(grain: Grain) -> Iterator[FigureDescription]:
    """Yield the sensors of an hour, day or month of the whole community."""
    yield from _sums(grain)
    for key, figure in (
        ("participation", _of_import("participation", _PERCENT)),
        ("coverage", _of_import("coverage", _PERCENT)),
        ("cfe_score", _score),
        ("self_consumption", _of_shared("self_consumption", _PERCENT)),
    ):
        yield FigureDescription(
            key=f"{grain}_{key}",
            translation_key=f"community_{grain}_{key}",
            native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
            suggested_display_precision=1,
            grain=grain,
            figure=figure,
        )
    yield FigureDescription(
        key=f"{grain}_shared_generation",
        translation_key=f"community_{grain}_shared_generation",
        native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        device_class=SensorDeviceClass.ENERGY,
        suggested_display_precision=1,
        grain=grain,
        figure=_of_shared("shared_kwh"),
    )
    yield FigureDescription(
        key=f"{grain}_expected",
        translation_key=f"community_{grain}_expected",
        grain=grain,
        figure=_of_import("expected"),
    )


def _sums(grain: Grain) -> Iterator[FigureDescription]:
    """Yield what is shown of each scope."""
    yield FigureDescription(
        key=f"{grain}_energy",
        translation_key=f"community_{grain}_energy",
        native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        device_class=SensorDeviceClass.ENERGY,
        suggested_display_precision=1,
        grain=grain,
        figure=_of_import("kwh"),
    )
    yield FigureDescription(
        key=f"{grain}_carbon",
        translation_key=f"community_{grain}_carbon",
        native_unit_of_measurement=UnitOfMass.KILOGRAMS,
        device_class=SensorDeviceClass.WEIGHT,
        suggested_display_precision=2,
        grain=grain,
        figure=_of_import("kg"),
    )
    yield FigureDescription(
        key=f"{grain}_intensity",
        translation_key=f"community_{grain}_intensity",
        native_unit_of_measurement=UNIT_INTENSITY,
        suggested_display_precision=0,
        grain=grain,
        figure=_of_import("intensity"),
    )
    yield FigureDescription(
        key=f"{grain}_homes",
        translation_key=f"community_{grain}_homes",
        grain=grain,
        figure=_of_import("homes"),
    )


COMMUNITY_FIGURES: Final = tuple(
    description for grain in SHOWN_GRAINS for description in _figures(grain)
)

PART_FIGURES: Final = tuple(_sums(Grain.DAY))
"""What is shown of each feeder and group."""


def _lag(hub: Hub) -> float | None:
    return hub.status.lag


def _refused(hub: Hub) -> int:
    counts = hub.status.counts
    return sum(counts.refused.values()) + counts.retained + counts.flooded


def _refusals(hub: Hub) -> dict[str, Any]:
    """Return why messages were refused since the start."""
    counts = hub.status.counts
    return {**counts.refused, "retained": counts.retained, "flooded": counts.flooded}


def _state_attributes(hub: Hub) -> dict[str, Any]:
    """Return what explains the state of the link."""
    status = hub.status
    connected = status.connected_since
    return {
        "error": status.error,
        "connected_since": None if connected is None else _moment(connected).isoformat(),
        "messages": status.committed,
        "rate": round(status.rate, 2),
        "waiting": status.waiting,
    }


def _last_message(hub: Hub) -> datetime | None:
    at = hub.status.counts.last_at
    return None if at is None else _moment(at)


def _moment(at: float) -> datetime:
    return dt_util.utc_from_timestamp(at)


STATES: Final = (
    StateDescription(
        key="link",
        translation_key="hub_link",
        device_class=SensorDeviceClass.ENUM,
        options=[state.value for state in WorkerState],
        entity_category=EntityCategory.DIAGNOSTIC,
        value=lambda hub: hub.status.state.value,
        attributes=_state_attributes,
    ),
    StateDescription(
        key="lag",
        translation_key="hub_lag",
        native_unit_of_measurement=UnitOfTime.SECONDS,
        device_class=SensorDeviceClass.DURATION,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        suggested_display_precision=2,
        value=_lag,
    ),
    StateDescription(
        key="last_message",
        translation_key="hub_last_message",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        value=_last_message,
    ),
    StateDescription(
        key="refused",
        translation_key="hub_refused",
        state_class=SensorStateClass.TOTAL_INCREASING,
        entity_category=EntityCategory.DIAGNOSTIC,
        value=_refused,
        attributes=_refusals,
    ),
    StateDescription(
        key="quarantined",
        translation_key="hub_quarantined",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        value=lambda hub: hub.care.quarantined,
    ),
    StateDescription(
        key="invitations",
        translation_key="hub_invitations",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        value=lambda hub: hub.homes.waiting,
        attributes=lambda hub: dict(hub.homes.by_state),
    ),
)
