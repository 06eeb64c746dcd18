"""The form that settles what a meter is and what it is for."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from homeassistant.const import CONF_MODEL, CONF_NAME
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
import probatio

from ..const import (
    CONF_INTERVAL,
    CONF_INVERTED,
    CONF_PARENT,
    CONF_POWER_INVERTED,
    CONF_ROLE,
    CONF_WRITE_INTERVAL,
    DEFAULT_INTERVAL,
    DEFAULT_WRITE_INTERVAL,
    Role,
)
from ..driver import MeterDriver
from ..fields import whole_number
from ..metering.candidate import Candidate
from ..metering.profile import Profile

LONGEST_INTERVAL: Final = 900


def setting_fields(*, parents: Mapping[str, str], power_inverted: bool = False) -> dict[Any, Any]:
    """Return the fields about what a meter is for.

    `parents` are the meters that it may sit behind, `power_inverted` is what its maker suggests.
    """
    fields: dict[Any, Any] = {
        probatio.Required(CONF_ROLE, default=Role.GRID.value): SelectSelector(
            SelectSelectorConfig(options=[role.value for role in Role], translation_key=CONF_ROLE)
        )
    }
    if parents:
        options = [SelectOptionDict(value=key, label=title) for key, title in parents.items()]
        fields[probatio.Optional(CONF_PARENT)] = SelectSelector(
            SelectSelectorConfig(options=options, mode=SelectSelectorMode.DROPDOWN)
        )
    return {
        **fields,
        probatio.Required(CONF_POWER_INVERTED, default=power_inverted): BooleanSelector(),
        probatio.Required(CONF_INVERTED, default=False): BooleanSelector(),
        probatio.Required(CONF_INTERVAL, default=DEFAULT_INTERVAL): whole_number(
            1, LONGEST_INTERVAL, "s"
        ),
        probatio.Required(CONF_WRITE_INTERVAL, default=DEFAULT_WRITE_INTERVAL): whole_number(
            1, LONGEST_INTERVAL, "s"
        ),
    }


def choice_key(candidate: Candidate) -> str:
    """Return what stands for a candidate in a form."""
    return "@".join([candidate.profile.id, *(str(part) for part in candidate.settings.values())])


def model_selector(
    driver: MeterDriver, candidates: Sequence[Candidate], profiles: Mapping[str, Profile]
) -> Any:
    """Return the choice of models: what was found first, then whatever else can be tried."""
    options = [
        SelectOptionDict(value=choice_key(candidate), label=label(candidate))
        for candidate in candidates
    ]
    found = {candidate.profile.id for candidate in candidates}
    options += [
        SelectOptionDict(
            value=profile.id, label=profile.title + ("" if profile.confirmed else UNCONFIRMED)
        )
        for profile in sorted(profiles.values(), key=lambda profile: profile.title)
        if profile.id not in found and driver.can_try(profile)
    ]
    return SelectSelector(SelectSelectorConfig(options=options, mode=SelectSelectorMode.DROPDOWN))


UNCONFIRMED: Final = " †"
"""Marks a model whose map only one source gives, not yet confirmed on hardware."""


def label(candidate: Candidate) -> str:
    """Return what a candidate is called in a list: with its number and what it says now."""
    mark = "" if candidate.profile.confirmed else UNCONFIRMED
    serial = f" ({candidate.serial})" if candidate.serial else ""
    values = live_values(candidate)
    return f"{candidate.name}{mark}{serial}{'' if values == '-' else f': {values}'}"


def details_schema(
    driver: MeterDriver,
    candidates: Sequence[Candidate],
    profiles: Mapping[str, Profile],
    *,
    more: Mapping[Any, Any],
    parents: Mapping[str, str],
) -> probatio.Schema:
    """Return the form that confirms model, name, role and intervals."""
    best = candidates[0]
    power_inverted = best.manufacturer.lower() in best.profile.export_positive
    return probatio.Schema(
        {
            **more,
            probatio.Required(CONF_MODEL, default=choice_key(best)): model_selector(
                driver, candidates, profiles
            ),
            probatio.Required(CONF_NAME, default=best.name): TextSelector(),
            **setting_fields(parents=parents, power_inverted=power_inverted),
        }
    )


def live_values(candidate: Candidate) -> str:
    """Return the figures by which the user recognises the meter."""
    shown = []
    for quantity, symbol, factor, unit in (
        ("power", "P", 1.0, "W"),
        ("voltage", "U", 1.0, "V"),
        ("voltage_l1", "U L1", 1.0, "V"),
        ("frequency", "f", 1.0, "Hz"),
        ("energy_import", "→", 0.001, "kWh"),
        ("energy_export", "←", 0.001, "kWh"),
    ):
        value = candidate.reading.values.get(quantity)
        if value is not None:
            shown.append(f"{symbol} {value * factor:.1f} {unit}")
    return ", ".join(shown) or "-"
