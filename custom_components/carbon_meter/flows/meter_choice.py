"""The choice of one meter of a site, and what the options keep of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from homeassistant.config_entries import ConfigSubentry, OptionsFlow
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import probatio

from ..const import SUBENTRY_METER
from ..details import part_of


def meter_choice(meters: Mapping[str, ConfigSubentry]) -> probatio.Schema:
    """Return the form that asks for one of some meters, the first of them chosen already."""
    options = [
        SelectOptionDict(value=key, label=subentry.title) for key, subentry in meters.items()
    ]
    return probatio.Schema(
        {
            probatio.Required(SUBENTRY_METER, default=options[0]["value"]): SelectSelector(
                SelectSelectorConfig(options=options, mode=SelectSelectorMode.LIST)
            )
        }
    )


def chosen_meter(
    meters: Mapping[str, ConfigSubentry], user_input: Mapping[str, Any] | None
) -> ConfigSubentry | None:
    """Return the meter that was chosen, or the only one; None where it is still to be chosen."""
    if user_input is not None:
        return meters.get(user_input[SUBENTRY_METER])
    return next(iter(meters.values())) if len(meters) == 1 else None


def with_settings(
    flow: OptionsFlow, part: str, subentry_id: str, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the options with what is kept of a meter, without meters that are gone."""
    options = flow.config_entry.options
    kept = dict(_of_present_meters(flow, part_of(options, part)))
    return {**options, part: {**kept, subentry_id: dict(settings)}}


def _of_present_meters(flow: OptionsFlow, part: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in part.items():
        if key in flow.config_entry.subentries:
            yield key, value
