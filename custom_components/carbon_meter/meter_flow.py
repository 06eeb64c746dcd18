"""The steps that find a meter and settle what it is: shared by every flow that adds one."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from homeassistant.const import CONF_HOST, CONF_MODEL, CONF_NAME, CONF_PORT
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
import probatio

from .const import (
    CONF_BASE,
    CONF_INTERVAL,
    CONF_INVERTED,
    CONF_MANUFACTURER,
    CONF_POWER_INVERTED,
    CONF_PROFILE,
    CONF_ROLE,
    CONF_SERIAL,
    CONF_UNIT,
    DEFAULT_INTERVAL,
    DEFAULT_PORT,
    DEFAULT_UNIT,
    Role,
)
from .metering.candidate import Candidate
from .metering.profile import Profile
from .probe import Address

_LONGEST_INTERVAL: Final = 900


def _whole(low: int, high: int, unit: str | None = None) -> Any:
    """Return a box for a whole number."""
    config = NumberSelectorConfig(min=low, max=high, step=1, mode=NumberSelectorMode.BOX)
    if unit is not None:
        config["unit_of_measurement"] = unit
    return probatio.All(NumberSelector(config), probatio.Coerce(int))


ADDRESS_FIELDS: Final = {
    probatio.Required(CONF_HOST): TextSelector(),
    probatio.Required(CONF_PORT, default=DEFAULT_PORT): _whole(1, 65535),
    probatio.Required(CONF_UNIT, default=DEFAULT_UNIT): _whole(0, 255),
}


def setting_fields(*, power_inverted: bool = False) -> dict[Any, Any]:
    """Return the fields about what a meter is for; `power_inverted` is what its maker suggests."""
    return {
        probatio.Required(CONF_ROLE, default=Role.GRID.value): SelectSelector(
            SelectSelectorConfig(options=[role.value for role in Role], translation_key=CONF_ROLE)
        ),
        probatio.Required(CONF_POWER_INVERTED, default=power_inverted): BooleanSelector(),
        probatio.Required(CONF_INVERTED, default=False): BooleanSelector(),
        probatio.Required(CONF_INTERVAL, default=DEFAULT_INTERVAL): _whole(
            1, _LONGEST_INTERVAL, "s"
        ),
    }


def address_of(data: Mapping[str, Any]) -> Address:
    """Return the address in a form's input or a meter's data."""
    return Address(host=data[CONF_HOST].strip().lower(), port=data[CONF_PORT], unit=data[CONF_UNIT])


def choice_key(candidate: Candidate) -> str:
    """Return what stands for a candidate in a form."""
    return f"{candidate.profile.id}@{candidate.settings['base']}"


def model_selector(candidates: tuple[Candidate, ...], profiles: Mapping[str, Profile]) -> Any:
    """Return the choice of models: what was found first, then every other fixed map."""
    options = [
        SelectOptionDict(value=choice_key(candidate), label=_label(candidate))
        for candidate in candidates
    ]
    found = {candidate.profile.id for candidate in candidates}
    options += [
        SelectOptionDict(value=f"{profile.id}@0", label=profile.title)
        for profile in sorted(profiles.values(), key=lambda profile: profile.title)
        if profile.id not in found and isinstance(profile, ModbusProfile) and not profile.is_chained
    ]
    return SelectSelector(SelectSelectorConfig(options=options, mode=SelectSelectorMode.DROPDOWN))


def _label(candidate: Candidate) -> str:
    serial = f" ({candidate.serial})" if candidate.serial else ""
    return f"{candidate.name}{serial}"


def details_schema(
    candidates: tuple[Candidate, ...],
    profiles: Mapping[str, Profile],
    more: Mapping[Any, Any],
) -> probatio.Schema:
    """Return the form that confirms model, name, role and interval."""
    best = candidates[0]
    power_inverted = best.manufacturer.lower() in best.profile.export_positive
    return probatio.Schema(
        {
            **more,
            probatio.Required(CONF_MODEL, default=choice_key(best)): model_selector(
                candidates, profiles
            ),
            probatio.Required(CONF_NAME, default=best.name): TextSelector(),
            **setting_fields(power_inverted=power_inverted),
        }
    )


def live_values(candidate: Candidate) -> str:
    """Return the figures by which the user recognises the meter."""
    shown = []
    for quantity, label, factor, unit in (
        ("power", "P", 1.0, "W"),
        ("voltage", "U", 1.0, "V"),
        ("voltage_l1", "U L1", 1.0, "V"),
        ("frequency", "f", 1.0, "Hz"),
        ("energy_import", "→", 0.001, "kWh"),
        ("energy_export", "←", 0.001, "kWh"),
    ):
        value = candidate.reading.values.get(quantity)
        if value is not None:
            shown.append(f"{label} {value * factor:.1f} {unit}")
    return ", ".join(shown) or "-"


def meter_data(
    address: Address, candidate: Candidate, user_input: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what is kept of a meter."""
    return {
        CONF_HOST: address.host,
        CONF_PORT: address.port,
        CONF_UNIT: address.unit,
        CONF_PROFILE: candidate.profile.id,
        CONF_BASE: candidate.settings["base"],
        CONF_MANUFACTURER: candidate.manufacturer or candidate.profile.vendor,
        CONF_MODEL: candidate.model or candidate.profile.name,
        CONF_SERIAL: candidate.serial,
        CONF_ROLE: user_input[CONF_ROLE],
        CONF_INVERTED: user_input[CONF_INVERTED],
        CONF_POWER_INVERTED: user_input[CONF_POWER_INVERTED],
        CONF_INTERVAL: user_input[CONF_INTERVAL],
    }


def meter_unique_id(
    address: Address, candidate: Candidate, candidates: Sequence[Candidate] = ()
) -> str:
    """Return what tells this meter from every other: its serial number, else where it is.

    `candidates` are all that answer at the address: meters of one device may share a number.
    """
    if not candidate.serial:
        return f"{address.host}:{address.port}:{address.unit}:{candidate.settings['base']}"
    maker = (candidate.manufacturer or candidate.profile.vendor).lower()
    unique_id = f"{maker}:{candidate.serial}"
    alike = [other for other in candidates if other.certain and other.serial == candidate.serial]
    return f"{unique_id}:{candidate.settings['base']}" if len(alike) > 1 else unique_id
