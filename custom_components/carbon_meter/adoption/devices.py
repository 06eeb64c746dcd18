"""What else a device says beside the entity that was chosen."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
import re
from typing import Final

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.const import ATTR_DEVICE_CLASS, Platform
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er

from ..const import DOMAIN, Carrier, Role
from ..metering.quantities import QUANTITIES
from .plan import Plan, device_of, name_of, title_of
from .sources import EntitySource, reference
from .states import fits, runs_both_ways, unit_of

COUNTED: Final[Mapping[str, Carrier]] = {
    SensorDeviceClass.ENERGY: Carrier.ELECTRICITY,
    SensorDeviceClass.GAS: Carrier.GAS,
    SensorDeviceClass.WATER: Carrier.WATER,
}
"""Device classes of counters, and what they count unless somebody says otherwise."""

CLASSES: Final = (*COUNTED, SensorDeviceClass.POWER)
"""Device classes by which an entity can be a meter."""

_HEAT_UNITS: Final = frozenset({"GJ", "MJ", "Gcal", "Mcal"})
"""Units in which heat meters count, and hardly any other."""

_BESIDE: Final[Mapping[str, str]] = {
    SensorDeviceClass.POWER: "power",
    SensorDeviceClass.VOLTAGE: "voltage",
    SensorDeviceClass.CURRENT: "current",
    SensorDeviceClass.FREQUENCY: "frequency",
    SensorDeviceClass.POWER_FACTOR: "power_factor",
    SensorDeviceClass.APPARENT_POWER: "apparent_power",
    SensorDeviceClass.REACTIVE_POWER: "reactive_power",
}
"""What is proposed along with a counter, by device class."""

_GIVEN: Final = re.compile(
    r"export|return(?![\W_]*(?:fan|air|duct|pump|flow|line|pipe|temp))|produc|inject|feed.?in|fed.?in|surplus|deliver(?:y|ed).to|teruggeleverd|"
    r"einspeis|discharg",
    re.IGNORECASE,
)
"""Words in names of what flows towards the grid; the return line of a heating is something else."""

_SOLAR: Final = re.compile(r"solar|photovolt|\bpv\b|inverter|yield", re.IGNORECASE)
_PHASE: Final = re.compile(r"(?:^|[\W_])(?:l|phase[\W_]?)([123abc])(?=$|[\W_])", re.IGNORECASE)
_CHANNEL: Final = re.compile(
    r"(?:channel|outlet|socket|switch|output|input|em)[\W_]?(\d+)", re.IGNORECASE
)
_PHASES: Final = {"a": "_l1", "b": "_l2", "c": "_l3", "1": "_l1", "2": "_l2", "3": "_l3"}


def is_given(hass: HomeAssistant, entity_id: str) -> bool:
    """Return whether an entity counts what flows towards the grid, by what it is called."""
    return _GIVEN.search(_words(hass, entity_id)) is not None


def device_class_of(state: State) -> str:
    """Return the device class of a state, empty without one."""
    return str(state.attributes.get(ATTR_DEVICE_CLASS) or "")


def is_own(hass: HomeAssistant, entity_id: str) -> bool:
    """Return whether an entity is one of ours: it would be counted twice."""
    entry = er.async_get(hass).async_get(entity_id)
    return entry is not None and entry.platform == DOMAIN


def counter_quantity(hass: HomeAssistant, state: State) -> str | None:
    """Return what a state can be booked as, None for what cannot be."""
    if fits(state, "energy_import"):
        return "energy_export" if is_given(hass, state.entity_id) else "energy_import"
    if fits(state, "volume"):
        return "volume"
    return "power" if fits(state, "power") else None


def carrier_of_state(state: State) -> Carrier:
    """Return what a counter counts, as far as it tells."""
    carrier = COUNTED.get(device_class_of(state), Carrier.ELECTRICITY)
    if carrier is Carrier.ELECTRICITY:
        if unit_of(state) in _HEAT_UNITS:
            return Carrier.HEAT
        if fits(state, "volume"):
            return Carrier.WATER
    return carrier


def adoptable(hass: HomeAssistant) -> list[str]:
    """Return the sensors of others that can be a meter."""
    return [
        state.entity_id
        for state in hass.states.async_all(Platform.SENSOR)
        if device_class_of(state) in CLASSES and not is_own(hass, state.entity_id)
    ]


def beside(hass: HomeAssistant, chosen: Iterable[str]) -> tuple[EntitySource, ...]:
    """Return what the device of the chosen entities says beside them, as far as it is clear.

    Of a device with several channels what belongs to the same channel; per phase where the
    device has that. Where two entities could be the same quantity neither is taken.
    """
    chosen = tuple(chosen)
    device = device_of(hass, chosen[0])
    if device is None:
        return ()
    words = [_words(hass, entity_id) for entity_id in chosen]
    channels = {_channel(text) for text in words}
    phases = {_phase(text) for text in words}
    own_phase = next(iter(phases)) if len(phases) == 1 else ""
    found: dict[str, list[str]] = defaultdict(list)
    for entry in er.async_entries_for_device(er.async_get(hass), device.id):
        state = hass.states.get(entry.entity_id)
        if entry.entity_id in chosen or entry.platform == DOMAIN or state is None:
            continue
        quantity = _BESIDE.get(device_class_of(state))
        text = _words(hass, entry.entity_id)
        if quantity is None or _GIVEN.search(text) or _channel(text) not in channels:
            continue
        phase = _phase(text)
        if own_phase:
            if phase not in (own_phase, ""):
                continue
            phase = ""
        key = quantity + phase
        if key in QUANTITIES and fits(state, key):
            found[key].append(entry.entity_id)
    return tuple(
        EntitySource(quantity=key, entity=reference(hass, entity_ids[0]))
        for key, entity_ids in found.items()
        if len(entity_ids) == 1
    )


def plans_for(hass: HomeAssistant, entity_ids: Sequence[str]) -> list[Plan]:
    """Return the meters that chosen entities make: one for each device, or entity without one."""
    groups: dict[str, list[str]] = defaultdict(list)
    for entity_id in entity_ids:
        device = device_of(hass, entity_id)
        groups[device.id if device is not None else entity_id].append(entity_id)
    plans = [_plan(hass, group) for group in groups.values()]
    return [plan for plan in plans if plan is not None]


def _plan(hass: HomeAssistant, group: Sequence[str]) -> Plan | None:
    """Return the meter that entities of one device make, None where they make none."""
    sources: dict[str, EntitySource] = {}
    carrier = Carrier.ELECTRICITY
    for entity_id in group:
        state = hass.states.get(entity_id)
        quantity = counter_quantity(hass, state) if state is not None else None
        if state is None or quantity is None or quantity in sources:
            continue
        sources[quantity] = EntitySource(quantity=quantity, entity=reference(hass, entity_id))
        if quantity != "power":
            carrier = carrier_of_state(state)
    if not sources:
        return None
    more = beside(hass, group) if carrier is Carrier.ELECTRICITY else ()
    chosen = tuple(sources.values())
    return Plan(
        title=title_of(hass, group[0]),
        role=_role(hass, group, carrier),
        carrier=carrier,
        sources=with_net(hass, [*chosen, *(add for add in more if add.quantity not in sources)]),
    )


def _role(hass: HomeAssistant, group: Sequence[str], carrier: Carrier) -> Role:
    """Return what a meter is for, by what it is called."""
    if carrier is not Carrier.ELECTRICITY:
        return Role.GRID
    words = " ".join((title_of(hass, group[0]), *(_words(hass, entity) for entity in group)))
    return Role.SOLAR if _SOLAR.search(words) else Role.SUBMETER


def with_net(hass: HomeAssistant, sources: Sequence[EntitySource]) -> tuple[EntitySource, ...]:
    """Return the sources, a lone energy counter that runs both ways marked as such."""
    energy = [source for source in sources if source.quantity in ("energy_import", "energy_export")]
    if len(energy) != 1:
        return tuple(sources)
    (lone,) = energy
    entry = er.async_get(hass).entities.get_entry(lone.entity)
    state = hass.states.get(entry.entity_id if entry is not None else lone.entity)
    if state is None or not runs_both_ways(state) or lone.quantity != "energy_import":
        return tuple(sources)
    net = EntitySource(quantity=lone.quantity, entity=lone.entity, net=True)
    return tuple(net if source is lone else source for source in sources)


def _words(hass: HomeAssistant, entity_id: str) -> str:
    """Return everything that an entity is called."""
    entry = er.async_get(hass).async_get(entity_id)
    names = [name_of(hass, entity_id), entity_id.partition(".")[2]]
    if entry is not None:
        names += [entry.unique_id, entry.translation_key or "", entry.original_name or ""]
    return " ".join(names)


def _phase(text: str) -> str:
    """Return the phase that a name is about as the end of a quantity, empty for the whole."""
    found = _PHASE.search(text)
    return _PHASES[found.group(1).lower()] if found else ""


def _channel(text: str) -> str:
    """Return the channel that a name is about, empty without one."""
    found = _CHANNEL.search(text)
    return found.group(1) if found else ""
