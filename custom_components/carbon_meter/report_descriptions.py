"""Which sensors show the report of the running year. All wait, disabled, for who accounts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import UnitOfMass, UnitOfRatio

from .carbon.accounting.figures import Account, Figure, Matching
from .carbon.accounting.normalised import Denominator, Reference
from .carbon.report.contracts import MarketReport
from .carbon.report.figures import PeriodFigure, kilo
from .carbon.report.report import SiteReport

_KEYS: Final[Mapping[Denominator, str]] = {
    Denominator.AREA: "area",
    Denominator.PERSON: "person",
    Denominator.PRODUCT: "product",
}


@dataclass(frozen=True, kw_only=True)
class ReportDescription(SensorEntityDescription):
    """A sensor of a figure of the year; None where there is none."""

    value_fn: Callable[[SiteReport], float | None]
    attributes_fn: Callable[[SiteReport], Mapping[str, Any]]
    placeholders: Mapping[str, str] | None = None
    """Of its name."""


def _told(figure: PeriodFigure) -> dict[str, Any]:
    """Return what a figure of scope 2 is, and how much of the import is not in it."""
    label = figure.figure.label
    return {
        "scope": 2,
        "account": label.account.value,
        "matching": None if label.matching is None else label.matching.value,
        "unweighed_kwh": kilo(figure.unweighed),
    }


def _market(report: MarketReport) -> dict[str, Any]:
    """Return the same of a market-based figure."""
    return _told(report.total) | {
        "covered_kwh": kilo(report.covered),
        "residual_mix_kwh": kilo(report.residual),
        "location_average_kwh": kilo(report.average),
    }


def _scope2(
    key: str,
    figure_of: Callable[[SiteReport], Figure],
    attributes_fn: Callable[[SiteReport], Mapping[str, Any]],
) -> ReportDescription:
    """Return the sensor of one of the four figures of scope 2; they are never added."""
    return ReportDescription(
        key=f"site_{key}",
        translation_key=key,
        device_class=SensorDeviceClass.WEIGHT,
        native_unit_of_measurement=UnitOfMass.KILOGRAMS,
        state_class=SensorStateClass.TOTAL,
        suggested_display_precision=3,
        entity_registry_enabled_default=False,
        value_fn=lambda report: kilo(figure_of(report).value),
        attributes_fn=attributes_fn,
    )


def _percent(
    key: str,
    part_of: Callable[[SiteReport], float | None],
    attributes_fn: Callable[[SiteReport], Mapping[str, Any]],
) -> ReportDescription:
    """Return the sensor of a part of a whole."""

    def value(report: SiteReport) -> float | None:
        part = part_of(report)
        return None if part is None else round(100.0 * part, 4)

    return ReportDescription(
        key=f"site_{key}",
        translation_key=key,
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=1,
        entity_registry_enabled_default=False,
        value_fn=value,
        attributes_fn=attributes_fn,
    )


def _score(report: SiteReport) -> float | None:
    score = report.carbon_free.score
    return None if score is None else score.score


def _of_energy(*keys: str) -> Callable[[SiteReport], Mapping[str, Any]]:
    """Return what gives the energies that a part is made of."""
    return lambda report: {key: report.energy.as_dict()[key] for key in keys}


REPORT_SENSORS: Final = (
    _scope2(
        "year_location_hourly",
        lambda report: report.location_hourly.figure,
        lambda report: _told(report.location_hourly),
    ),
    _scope2(
        "year_location_annual",
        lambda report: report.location_annual.figure,
        lambda report: _told(report.location_annual),
    ),
    _scope2(
        "year_market_hourly",
        lambda report: report.market_hourly.figure,
        lambda report: _market(report.market_hourly),
    ),
    _scope2(
        "year_market_annual",
        lambda report: report.market_annual.figure,
        lambda report: _market(report.market_annual),
    ),
    _percent(
        "year_carbon_free",
        _score,
        lambda report: {"matching": Matching.HOURLY.value} | report.carbon_free.as_dict(),
    ),
    _percent(
        "year_self_consumption",
        lambda report: report.energy.self_consumption,
        _of_energy("solar_kwh", "export_kwh"),
    ),
    _percent(
        "year_self_sufficiency",
        lambda report: report.energy.self_sufficiency,
        _of_energy("consumption_kwh", "import_kwh"),
    ),
)


def reference_sensors(references: tuple[Reference, ...]) -> list[ReportDescription]:
    """Return the sensors of carbon per square metre, person and product, where they are told.

    They show the hourly location-based figure of scope 2, and the other accounts beside it.
    """
    return [_per(place, reference) for place, reference in enumerate(references)]


def _per(place: int, reference: Reference) -> ReportDescription:
    """Return the sensor of one reference; the report has as many figures of each."""

    def figures(report: SiteReport) -> tuple[Figure, ...]:
        each = len(report.totals)
        return report.normalised[place * each : (place + 1) * each]

    def value(report: SiteReport) -> float | None:
        for figure in figures(report):
            label = figure.label
            is_hourly = label.matching is Matching.HOURLY and label.stage is None
            if label.account is Account.LOCATION_BASED and is_hourly:
                return kilo(figure.value)
        return None

    def attributes(report: SiteReport) -> Mapping[str, Any]:
        return {
            "account": Account.LOCATION_BASED.value,
            "matching": Matching.HOURLY.value,
            "figures": {str(figure.label): kilo(figure.value) for figure in figures(report)},
        }

    key = f"year_per_{_KEYS[reference.denominator]}"
    is_product = reference.denominator is Denominator.PRODUCT
    return ReportDescription(
        key=f"site_{key}",
        translation_key=key,
        native_unit_of_measurement=f"{UnitOfMass.KILOGRAMS}/{reference.unit}",
        # Of products there are more with every day.
        state_class=SensorStateClass.MEASUREMENT if is_product else SensorStateClass.TOTAL,
        suggested_display_precision=3,
        entity_registry_enabled_default=False,
        value_fn=value,
        attributes_fn=attributes,
        placeholders={"product": reference.unit} if is_product else None,
    )
