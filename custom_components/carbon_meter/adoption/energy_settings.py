"""The meters that Home Assistant's Energy settings name, with their hierarchy.

Signs: import is positive and counts what the site draws. What the sun makes and a battery
gives flows towards the grid: it is counted as export, and its power is negative. In the
Energy settings both are positive.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from homeassistant.components.energy.data import async_get_manager
from homeassistant.core import HomeAssistant, valid_entity_id

from ..const import Carrier, Role
from .devices import beside, is_own, with_net
from .plan import Plan, device_of, title_of
from .sources import EntitySource, reference, resolve
from .states import fits

ENERGY_DOMAIN: Final = "energy"

_CARRIERS: Final = {"gas": Carrier.GAS, "water": Carrier.WATER}


@dataclass(frozen=True, kw_only=True)
class EnergySettings:
    """What can be adopted from the Energy settings."""

    plans: tuple[Plan, ...]
    left_out: tuple[str, ...]
    """Statistics that are no entities of others, or that cannot be read."""


async def async_energy_settings(hass: HomeAssistant) -> EnergySettings:
    """Return the meters of the Energy settings, none where Energy is not set up."""
    if ENERGY_DOMAIN not in hass.config.components:
        return EnergySettings(plans=(), left_out=())
    data = (await async_get_manager(hass)).data
    return _Reader(hass).read(data or {})


class _Reader:
    """Makes plans of the preferences, whose keys are all taken as optional."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        self._left_out: dict[str, None] = {}
        self._taken: set[str] = set()

    def read(self, data: Mapping[str, Any]) -> EnergySettings:
        """Return the plans, the site's own connections first."""
        sources = [source for source in data.get("energy_sources") or () if "type" in source]
        found = [
            *self._grids(sources),
            *(plan for source in sources for plan in self._source(source)),
            *self._devices(data.get("device_consumption") or (), Carrier.ELECTRICITY),
            *self._devices(data.get("device_consumption_water") or (), Carrier.WATER),
        ]
        return EnergySettings(
            plans=tuple(self._completed(plan, found) for plan in found),
            left_out=tuple(self._left_out),
        )

    def _grids(self, sources: Iterable[Mapping[str, Any]]) -> list[Plan]:
        """Return the grid connections; those of one device are one meter with several tariffs."""
        by_device: dict[str, Plan] = {}
        for source in sources:
            if source["type"] != "grid":
                continue
            for flow in _unified(source):
                found = [
                    *self._counter(flow.get("stat_energy_from"), "energy_import"),
                    *self._counter(flow.get("stat_energy_to"), "energy_export"),
                    *self._power(flow, drawn_is_positive=True),
                ]
                if not found:
                    continue
                plan = self._plan(found, Role.GRID, name=source.get("name"))
                device = device_of(self._hass, self._entity_id(found[0]))
                key = device.id if device is not None else plan.id
                before = by_device.get(key)
                by_device[key] = (
                    plan
                    if before is None
                    else replace(before, sources=(*before.sources, *plan.sources))
                )
        return [
            replace(plan, sources=with_net(self._hass, plan.sources)) for plan in by_device.values()
        ]

    def _source(self, source: Mapping[str, Any]) -> Iterable[Plan]:
        """Return what a source other than the grid is as a meter."""
        made, used = source.get("stat_energy_from"), source.get("stat_energy_to")
        match source["type"]:
            case "solar":
                role, found = Role.SOLAR, [*self._counter(made, "energy_export")]
                found += self._power(source, drawn_is_positive=False)
            case "battery":
                role, found = Role.BATTERY, [*self._counter(made, "energy_export")]
                found += self._counter(used, "energy_import")
                found += self._power(source, drawn_is_positive=False)
            case "home":
                role, found = Role.SUBMETER, [*self._counter(used, "energy_import")]
                found += self._power(source, drawn_is_positive=True)
            case "gas" | "water" as kind:
                role, found = Role.GRID, [*self._counter(made, "energy_import", "volume")]
                if found:
                    yield self._plan(found, role, _CARRIERS[kind], name=source.get("name"))
                return
            case _:
                return
        if found:
            yield self._plan(found, role, name=source.get("name"))

    def _devices(self, devices: Iterable[Mapping[str, Any]], carrier: Carrier) -> Iterable[Plan]:
        """Return the single devices, each with the one that it is a part of."""
        for device in devices:
            statistic = device.get("stat_consumption")
            if carrier is Carrier.WATER:
                found = self._counter(statistic, "energy_import", "volume")
            else:
                found = self._counter(statistic, "energy_import")
                found += self._power(device, drawn_is_positive=True) if found else ()
            if found:
                plan = self._plan(found, Role.SUBMETER, carrier, name=device.get("name"))
                yield replace(
                    plan,
                    key=device["stat_consumption"],
                    parent=device.get("included_in_stat") or "",
                )

    def _counter(self, statistic: str | None, *quantities: str) -> list[EntitySource]:
        """Return the source of a counter, for the first quantity whose unit it has."""
        if not statistic or statistic in self._taken:
            return []
        state = self._hass.states.get(statistic)
        if valid_entity_id(statistic) and state is not None:
            if is_own(self._hass, statistic):
                return []
            for key in quantities:
                if fits(state, key):
                    self._taken.add(statistic)
                    return [EntitySource(quantity=key, entity=reference(self._hass, statistic))]
        self._left_out[statistic] = None
        return []

    def _power(self, source: Mapping[str, Any], *, drawn_is_positive: bool) -> list[EntitySource]:
        """Return the sources of the power: the user's own sensors rather than a sum of them."""
        config: Mapping[str, Any] = source.get("power_config") or {}
        if not config and source.get("stat_rate"):
            config = {"stat_rate": source["stat_rate"]}
        drawn = 1 if drawn_is_positive else -1
        signs = {
            "stat_rate": drawn,
            "stat_rate_inverted": -drawn,
            "stat_rate_from": drawn,
            "stat_rate_to": -drawn,
        }
        found = []
        for key, sign in signs.items():
            state = self._hass.states.get(config.get(key) or "")
            if state is None or not fits(state, "power") or is_own(self._hass, state.entity_id):
                continue
            entity = reference(self._hass, state.entity_id)
            found.append(EntitySource(quantity="power", entity=entity, sign=sign))
        # Of two sensors that make one power, one alone would be a wrong number.
        return found if len(found) == len([key for key in signs if config.get(key)]) else []

    def _plan(
        self,
        sources: Sequence[EntitySource],
        role: Role,
        carrier: Carrier = Carrier.ELECTRICITY,
        *,
        name: str | None,
    ) -> Plan:
        title = name or title_of(self._hass, self._entity_id(sources[0]))
        return Plan(title=title, role=role, carrier=carrier, sources=tuple(sources))

    def _completed(self, plan: Plan, plans: Sequence[Plan]) -> Plan:
        """Return a plan with what else its device says, if the device is this meter alone."""
        entity_ids = [self._entity_id(source) for source in plan.sources]
        device = device_of(self._hass, entity_ids[0])
        if device is None or plan.carrier is not Carrier.ELECTRICITY:
            return plan
        alike = [other for other in plans if self._device_id(other) == device.id]
        known = {source.quantity for source in plan.sources}
        more = [
            source
            for source in beside(self._hass, entity_ids)
            if source.quantity not in known and len(alike) == 1
        ]
        if plan.role in (Role.SOLAR, Role.BATTERY):
            # Which way its other sensors count nobody has said.
            more = [source for source in more if source.quantity in ("voltage", "frequency")]
        return replace(plan, sources=(*plan.sources, *more))

    def _device_id(self, plan: Plan) -> str | None:
        device = device_of(self._hass, self._entity_id(plan.sources[0]))
        return device.id if device is not None else None

    def _entity_id(self, source: EntitySource) -> str:
        """Return the entity of a source that was just made of its entity."""
        return resolve(self._hass, source.entity) or source.entity


def _unified(source: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """Return the connections of a grid source; older settings have them in lists side by side."""
    if "flow_from" not in source:
        return (source,)
    flows: list[dict[str, Any]] = []
    for key in ("flow_from", "flow_to", "power"):
        for index, part in enumerate(source.get(key) or ()):
            if index == len(flows):
                flows.append({})
            flows[index].update(part)
    return flows
