"""The sensors of a hub: what was published last, and how the hub itself is."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
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

from ..community.contract.message import Flow
from ..community.hub.periods import FlowFigures, Period
from ..community.hub.status import WorkerState
from ..community.ledger.calendar import Grain
from ..community.ledger.cells import State
from ..const import UNIT_INTENSITY
from .figure_readers import PERCENT, Reader, imported, median, of_import, of_shared, score
from .figures import RUNNING_GRAINS, SHOWN_GRAINS
from .hub import Hub

_IMPORT: Final = (Flow.GRID_IMPORT,)
_SOLAR: Final = (Flow.PV, Flow.GRID_EXPORT, Flow.GRID_IMPORT)

type _Look = tuple[str | None, int | None, SensorDeviceClass | None]
"""Unit, digits after the point, class."""

_ENERGY: Final[_Look] = (UnitOfEnergy.KILO_WATT_HOUR, 1, SensorDeviceClass.ENERGY)
_CARBON: Final[_Look] = (UnitOfMass.KILOGRAMS, 2, SensorDeviceClass.WEIGHT)
_INTENSITY: Final[_Look] = (UNIT_INTENSITY, 0, None)
_SHARE: Final[_Look] = (UnitOfRatio.PERCENTAGE, 1, None)
_COUNT: Final[_Look] = (None, None, None)


@dataclass(frozen=True, kw_only=True)
class FigureDescription(SensorEntityDescription):
    """A figure of the last published period."""

    grain: Grain
    figure: Reader
    flows: tuple[Flow, ...] = _IMPORT
    """What it is made of: suppressed if one of them is."""

    hidden: Callable[[Period], str | None] | None = None
    """Why it is not shown, where that follows from its hours."""

    attributes: Callable[[Period], Mapping[str, Any]] | None = None
    is_so_far: bool = False
    """Whether it is of the month or year that runs, out of what its days show."""

    def suppressed(self, period: Period) -> str | None:
        """Return why it is not shown, None if it is or if nothing hinders it."""
        if self.figure(period) is not None:
            return None
        if self.hidden is not None:
            return self.hidden(period)
        return next((flow.suppressed for flow in self._made_of(period) if flow.suppressed), None)

    def standing(self, period: Period) -> dict[str, Any]:
        """Return how far what it is made of is exact, holds still, and can change."""
        shown = [flow for flow in self._made_of(period) if flow.suppressed is None]
        if not shown:
            return {"approximate": None, "current": None, "finality": None}
        states = {flow.state for flow in shown}
        return {
            "approximate": any(flow.is_approximate for flow in shown),
            "current": all(flow.is_current for flow in shown),
            "finality": next((state.value for state in State if state.value in states), None),
        }

    def _made_of(self, period: Period) -> list[FlowFigures]:
        """Return the flows that have been told of those that it is made of."""
        return [flow for each in self.flows if (flow := period.flow(each)) is not None]


@dataclass(frozen=True, kw_only=True)
class StateDescription(SensorEntityDescription):
    """Something about the hub itself."""

    value: Callable[[Hub], StateType | datetime]
    attributes: Callable[[Hub], Mapping[str, Any]] | None = None


def _spread(period: Period) -> dict[str, Any]:
    """Return how the energy is spread over the homes, in kWh."""
    flow = imported(period)
    if flow is None or flow.kwh is None:
        return {"per_home": None, "quantiles": None}
    quantiles = {f"{part:.0%}": kwh for part, kwh in sorted(flow.quantiles.items())}
    return {"per_home": flow.kwh_per_home, "quantiles": quantiles}


def _figures(grain: Grain) -> Iterator[FigureDescription]:
    """Yield the sensors of an hour, day or month of the whole community."""
    yield from _sums(grain)
    yield from _members(grain)
    yield _figure(grain, "cfe_score", score, _SHARE, hidden=_score_hidden)
    for key, figure, look in (
        ("self_consumption", of_shared("self_consumption", PERCENT), _SHARE),
        ("shared_generation", of_shared("shared_kwh"), _ENERGY),
    ):
        yield _figure(grain, key, figure, look, flows=_SOLAR, hidden=_shared_hidden)
    yield from _homes(grain, is_enabled=grain is not Grain.HOUR)
    if grain is Grain.DAY:
        yield _figure(grain, "median", median, _ENERGY)


def _year() -> Iterator[FigureDescription]:
    """Yield the sensors of the last year; what follows from its hours is for view and export."""
    grain = Grain.YEAR
    for description in (*_sums(grain), *_members(grain), *_homes(grain, is_enabled=False)):
        yield replace(description, entity_registry_enabled_default=False)


def _running(grain: Grain) -> Iterator[FigureDescription]:
    """Yield the sensors of the month or year that runs."""
    for key, figure, look in (
        ("energy", of_import("kwh"), _ENERGY),
        ("carbon", of_import("kg"), _CARBON),
        ("intensity", of_import("intensity"), _INTENSITY),
    ):
        yield replace(
            _figure(grain, key, figure, look),
            key=f"{grain}_so_far_{key}",
            translation_key=f"community_{grain}_so_far_{key}",
            entity_registry_enabled_default=grain is Grain.MONTH,
            is_so_far=True,
        )


def _sums(grain: Grain) -> Iterator[FigureDescription]:
    """Yield what is shown of each scope."""
    yield _figure(grain, "energy", of_import("kwh"), _ENERGY, attributes=_spread)
    yield _figure(grain, "carbon", of_import("kg"), _CARBON)
    yield _figure(grain, "intensity", of_import("intensity"), _INTENSITY)
    yield _figure(grain, "homes", of_import("homes"), _COUNT)


def _members(grain: Grain) -> Iterator[FigureDescription]:
    """Yield how much of the community is in the figures."""
    yield _figure(grain, "expected", of_import("expected"), _COUNT)
    yield _figure(grain, "participation", of_import("participation", PERCENT), _SHARE)
    yield _figure(grain, "coverage", of_import("coverage", PERCENT), _SHARE)


def _homes(grain: Grain, *, is_enabled: bool) -> Iterator[FigureDescription]:
    """Yield what a home has in the mean; at first the energy of days and longer is shown."""
    for key, name, look in (
        ("energy_per_home", "kwh_per_home", _ENERGY),
        ("carbon_per_home", "kg_per_home", _CARBON),
    ):
        yield replace(
            _figure(grain, key, of_import(name), look),
            suggested_display_precision=2,
            entity_registry_enabled_default=is_enabled and look is _ENERGY,
        )


def _score_hidden(period: Period) -> str | None:
    return period.score_suppressed


def _shared_hidden(period: Period) -> str | None:
    return period.shared_suppressed


def _figure(  # noqa: PLR0913  # what makes a sensor
    grain: Grain,
    key: str,
    figure: Reader,
    look: _Look,
    *,
    flows: tuple[Flow, ...] = _IMPORT,
    hidden: Callable[[Period], str | None] | None = None,
    attributes: Callable[[Period], Mapping[str, Any]] | None = None,
) -> FigureDescription:
    """Return the sensor of a figure."""
    unit, digits, device_class = look
    return FigureDescription(
        key=f"{grain}_{key}",
        translation_key=f"community_{grain}_{key}",
        native_unit_of_measurement=unit,
        device_class=device_class,
        suggested_display_precision=digits,
        grain=grain,
        figure=figure,
        flows=flows,
        hidden=hidden,
        attributes=attributes,
    )


COMMUNITY_FIGURES: Final = (
    *(description for grain in SHOWN_GRAINS for description in _figures(grain)),
    *_year(),
    *(description for grain in RUNNING_GRAINS for description in _running(grain)),
)

PART_FIGURES: Final = tuple(_sums(Grain.DAY))
"""What is shown of each feeder and group."""


def _lag(hub: Hub) -> float | None:
    return hub.status.lag


def _refused(hub: Hub) -> int:
    counts = hub.status.counts
    return sum(counts.refused.values()) + counts.retained + counts.flooded


def _refusals(hub: Hub) -> dict[str, Any]:
    """Return why messages were refused since the hub was made."""
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
