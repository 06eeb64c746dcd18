"""Whose figures go into the record: the meters, the site, and its areas."""

from collections.abc import Iterator, Mapping

from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar

from .carbon.site import figures as names
from .carbon.site.book import SITE_OWNER, SitePlan, area_owner
from .const import Carrier, carrier_of
from .coordinator import MeterCoordinator
from .figure_series import (
    AREA_SERIES,
    IMPORT_SERIES,
    METER_SERIES,
    SITE_SERIES,
    VOLUME_SERIES,
    FigureSeries,
    Owner,
    of_carriers,
)


def owners(
    hass: HomeAssistant,
    site: tuple[str, str],
    plan: SitePlan,
    meters: Mapping[str, MeterCoordinator],
) -> Iterator[Owner]:
    """Yield the owners of a site's figures; `site` is the id and the title of its entry."""
    for meter_id, meter in meters.items():
        carriers = of_carriers(sorted(plan.carriers.get(meter_id, {})))
        counted = _counted(meter)
        consumes = meter_id in plan.meters.place and plan.meters.role(meter_id).is_consumption
        yield Owner(
            names=(meter_id,),
            statistic=meter_id,
            title=meter.subentry.title,
            series=(*counted, *carriers),
            ratio=(names.CARBON, names.IMPORT) if consumes else None,
            meter=meter_id,
            members=(meter_id,),
        )
    site_id, title = site
    everywhere = sorted({figure for of_meter in plan.carriers.values() for figure in of_meter})
    if everywhere:
        yield Owner(
            names=tuple(plan.carriers),
            statistic=site_id,
            title=title,
            series=of_carriers(everywhere),
        )
    if plan.meters.grids:
        yield Owner(
            names=(SITE_OWNER,),
            statistic=site_id,
            title=title,
            series=SITE_SERIES,
            ratio=(names.CONSUMPTION_CARBON, names.CONSUMPTION),
            members=tuple(meters),
        )
    areas = ar.async_get(hass)
    for area_id, members in plan.areas.items():
        area = areas.async_get_area(area_id)
        yield Owner(
            names=(area_owner(area_id),),
            statistic=f"{site_id}_area_{area_id}",
            title=f"{title} {area.name if area is not None else area_id}",
            series=AREA_SERIES,
            ratio=(names.CARBON, names.CONSUMPTION),
            members=tuple(members),
        )


def _counted(meter: MeterCoordinator) -> tuple[FigureSeries, ...]:
    """Return the energy or volume of a meter; gas, water and heat flow one way."""
    if carrier_of(meter.subentry.data) is Carrier.ELECTRICITY:
        return METER_SERIES
    return IMPORT_SERIES if "energy_import" in meter.profile.quantities else VOLUME_SERIES
