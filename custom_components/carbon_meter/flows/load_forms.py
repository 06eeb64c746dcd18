"""The forms of loads: which fields each kind has, and which of them wait in a folded section."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

from homeassistant.const import CONF_NAME
from homeassistant.data_entry_flow import section
import probatio

from ..loads import keys
from ..loads.keys import Control, LoadKind
from .load_fields import CAR_CONTROLS, THERMAL_CONTROLS, selectors

type Sections = Mapping[str, tuple[str, ...]]
"""Names of sections with the keys in them, all of which may be left empty."""

FORM_THERMAL: Final = LoadKind.THERMAL.value
"""The form that asks what is heated, and by what; the next one is that of its body."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadForm:
    """One step: what must be told, what may be, and what waits in sections."""

    step: str
    fields: tuple[str, ...]
    needed: frozenset[str] = frozenset()
    sections: Sections = field(default_factory=dict)
    domains: tuple[str, ...] = ()
    """Domains of what can be chosen as device."""

    controls: tuple[Control, ...] = ()

    @property
    def every_key(self) -> tuple[str, ...]:
        """Return all keys, in the order in which they are shown."""
        return (*self.fields, *chain.from_iterable(self.sections.values()))

    def schema(self, *, titles: Mapping[str, str], currency: str) -> probatio.Schema:
        """Return the form; `titles` are the meters to choose from, by their ids.

        Without one there is nothing to choose, and no field for it.
        """
        known = selectors(
            titles=titles, domains=self.domains, controls=self.controls, currency=currency
        )
        shown: dict[Any, Any] = {
            probatio.Required(key) if key in self.needed else probatio.Optional(key): known[key]
            for key in self.fields
            if titles or key != keys.CONF_METER
        }
        for name, inside in self.sections.items():
            schema = probatio.Schema({probatio.Optional(key): known[key] for key in inside})
            shown[probatio.Optional(name)] = section(schema, {"collapsed": True})
        return probatio.Schema(shown)

    def flat(self, user_input: Mapping[str, Any]) -> dict[str, Any]:
        """Return what was typed, without sections around it."""
        found: dict[str, Any] = {}
        for key, value in user_input.items():
            if key in self.sections:
                found.update(value)
            else:
                found[key] = value
        return found

    def nested(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return values as the form has them, each in its section."""
        found = {key: values[key] for key in self.fields if key in values}
        for name, inside in self.sections.items():
            found[name] = {key: values[key] for key in inside if key in values}
        return found

    def place(self, key: str) -> str:
        """Return where an error of a key is shown: at its field, at its section, or above all."""
        if key in self.fields:
            return key
        return next((name for name, inside in self.sections.items() if key in inside), "base")


_MORE: Final = (keys.CONF_POWER_ENTITY, keys.CONF_OVERRIDE_HOURS)
_QUIET: Final = (keys.CONF_QUIET_FROM, keys.CONF_QUIET_TO)
_OPEN_HOURS: Final = (keys.CONF_FROM, keys.CONF_TO, keys.CONF_DAYS)
_SWITCHES: Final = ("switch", "input_boolean")

_FORMS: Final[Mapping[str, LoadForm]] = {
    form.step: form
    for form in (
        LoadForm(
            step=LoadKind.EV,
            fields=(
                CONF_NAME,
                keys.CONF_CONNECTED,
                keys.CONF_LEVEL,
                keys.CONF_CAPACITY,
                keys.CONF_TARGET,
                keys.CONF_MUST,
                keys.CONF_READY_BY,
                keys.CONF_CONTROL,
                keys.CONF_MOST_CURRENT,
                keys.CONF_PHASES,
                keys.CONF_METER,
            ),
            needed=frozenset(
                {
                    keys.CONF_READY_BY,
                    keys.CONF_CONTROL,
                    keys.CONF_MOST_CURRENT,
                    keys.CONF_PHASES,
                }
            ),
            sections={
                "without_level": (keys.CONF_ENERGY, keys.CONF_MUST_ENERGY),
                "charger": (
                    keys.CONF_DEVICE,
                    keys.CONF_LEAST_CURRENT,
                    keys.CONF_CURRENT_STEP,
                    keys.CONF_VOLTAGE,
                    keys.CONF_EFFICIENCY,
                ),
                "trips": (keys.CONF_AT_ONCE, keys.CONF_CALENDAR),
                "more": (*_QUIET, *_MORE),
            },
            domains=(*_SWITCHES, "number"),
            controls=CAR_CONTROLS,
        ),
        LoadForm(
            step=LoadKind.APPLIANCE,
            fields=(
                CONF_NAME,
                keys.CONF_DEVICE,
                keys.CONF_READY,
                keys.CONF_FINISH_BY,
                keys.CONF_METER,
                keys.CONF_POWER_ENTITY,
            ),
            needed=frozenset({keys.CONF_FINISH_BY}),
            sections={
                "run": (keys.CONF_LEARN, keys.CONF_DURATION, keys.CONF_POWER),
                "more": (*_QUIET, keys.CONF_OVERRIDE_HOURS),
            },
            domains=_SWITCHES,
        ),
        LoadForm(
            step=LoadKind.RUN_TIME,
            fields=(
                CONF_NAME,
                keys.CONF_DEVICE,
                keys.CONF_POWER,
                keys.CONF_HOURS,
                keys.CONF_FROM,
                keys.CONF_TO,
                keys.CONF_METER,
            ),
            needed=frozenset({keys.CONF_POWER, keys.CONF_HOURS}),
            sections={
                "rules": (
                    keys.CONF_LEAST_RUN,
                    keys.CONF_LEAST_PAUSE,
                    keys.CONF_MOST_STARTS,
                    keys.CONF_LONGEST_PAUSE,
                ),
                "more": (*_QUIET, *_MORE),
            },
            domains=_SWITCHES,
        ),
        LoadForm(
            step=FORM_THERMAL,
            fields=(keys.CONF_BODY, keys.CONF_HEAT_SOURCE, keys.CONF_CONTROL),
            needed=frozenset({keys.CONF_BODY, keys.CONF_HEAT_SOURCE, keys.CONF_CONTROL}),
            controls=THERMAL_CONTROLS,
        ),
        LoadForm(
            step=LoadKind.BATTERY,
            fields=(
                CONF_NAME,
                keys.CONF_DEVICE,
                keys.CONF_LEVEL,
                keys.CONF_CAPACITY,
                keys.CONF_CHARGE,
                keys.CONF_DISCHARGE,
                keys.CONF_METER,
            ),
            needed=frozenset(
                {
                    keys.CONF_LEVEL,
                    keys.CONF_CAPACITY,
                    keys.CONF_CHARGE,
                    keys.CONF_DISCHARGE,
                }
            ),
            sections={
                "limits": (keys.CONF_RESERVE, keys.CONF_EFFICIENCY, keys.CONF_LEAST_GAIN),
                "wear": (keys.CONF_WEAR, keys.CONF_WEAR_COST),
                "more": _MORE,
            },
            domains=(*_SWITCHES, "number"),
        ),
        LoadForm(
            step=LoadKind.AIR_ZONE,
            fields=(
                CONF_NAME,
                keys.CONF_DEVICE,
                keys.CONF_HEAT_SOURCE,
                keys.CONF_AREA,
                keys.CONF_POWER,
                keys.CONF_SETPOINT,
                *_OPEN_HOURS,
                keys.CONF_METER,
            ),
            needed=frozenset(
                {
                    keys.CONF_HEAT_SOURCE,
                    keys.CONF_AREA,
                    keys.CONF_POWER,
                    keys.CONF_SETPOINT,
                }
            ),
            sections={
                "comfort": (
                    keys.CONF_LOW,
                    keys.CONF_HIGH,
                    keys.CONF_SHIFT_UP,
                    keys.CONF_SHIFT_DOWN,
                    keys.CONF_LEAD,
                ),
                "presence": (keys.CONF_OCCUPIED, keys.CONF_CALENDAR),
                "building": (
                    keys.CONF_TEMPERATURE,
                    keys.CONF_OUTSIDE,
                    keys.CONF_HEAT_CAPACITY,
                    keys.CONF_LOSS,
                ),
                "more": _MORE,
            },
            domains=("climate",),
        ),
        LoadForm(
            step=LoadKind.LIGHT_ZONE,
            fields=(CONF_NAME, keys.CONF_DEVICE, keys.CONF_POWER, *_OPEN_HOURS, keys.CONF_METER),
            needed=frozenset({keys.CONF_POWER}),
            sections={
                "dimming": (keys.CONF_DIM, keys.CONF_DIM_LEAST, keys.CONF_PEAK),
                "more": _MORE,
            },
            domains=("light",),
        ),
    )
}

KINDS: Final = (
    LoadKind.EV,
    LoadKind.APPLIANCE,
    LoadKind.RUN_TIME,
    LoadKind.THERMAL,
    LoadKind.BATTERY,
    LoadKind.AIR_ZONE,
    LoadKind.LIGHT_ZONE,
)
"""In the order in which they are offered: what homes have first."""


def form_of(step: str) -> LoadForm:
    """Return the form of a step whose fields are always the same."""
    return _FORMS[step]


_SWITCHED: Final[Mapping[Control, tuple[str, ...]]] = {
    Control.ON_OFF: (*_SWITCHES, "climate", "water_heater"),
    Control.STAGES: (*_SWITCHES, "number", "climate", "water_heater"),
    Control.POWER: (*_SWITCHES, "number", "climate", "water_heater"),
    Control.SETPOINT: ("climate", "water_heater"),
}


def body_form(body: str, heat_source: str, control: Control) -> LoadForm:
    """Return the form of a tank or a room, with what its source and its control need."""
    is_tank, by_pump = body == "tank", heat_source != "heater"
    size = keys.CONF_VOLUME if is_tank else keys.CONF_AREA
    power = keys.CONF_STAGES if control is Control.STAGES else keys.CONF_POWER
    needed = {size, keys.CONF_POWER, keys.CONF_LOW, keys.CONF_HIGH}
    if control is Control.STAGES:
        # Forms choose the first of what has to be chosen by themselves: of stages it is none.
        needed.remove(keys.CONF_POWER)
    if control is Control.SETPOINT:
        needed.add(keys.CONF_DEVICE)
    physics = [keys.CONF_DRAW] if is_tank else [keys.CONF_HEAT_CAPACITY]
    physics.append(keys.CONF_LOSS)
    if not by_pump:
        physics.append(keys.CONF_EFFICIENCY)
    if by_pump or not is_tank:
        physics.append(keys.CONF_OUTSIDE)
    sections = {"physics": tuple(physics)}
    if is_tank:
        sections["hygiene"] = (
            keys.CONF_HYGIENE,
            keys.CONF_HYGIENE_DAY,
            keys.CONF_HYGIENE_BY,
        )
    if control is Control.SETPOINT and not is_tank:
        sections["shift"] = (keys.CONF_SHIFT_UP, keys.CONF_SHIFT_DOWN)
    return LoadForm(
        step=body,
        fields=(
            CONF_NAME,
            keys.CONF_DEVICE,
            keys.CONF_TEMPERATURE,
            size,
            power,
            keys.CONF_LOW,
            keys.CONF_HIGH,
            keys.CONF_METER,
        ),
        needed=frozenset(needed),
        sections={**sections, "more": _MORE},
        domains=_SWITCHED[control],
    )
