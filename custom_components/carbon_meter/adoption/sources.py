"""Which entities an adopted meter consists of."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from ..const import CONF_DRIVER, CONF_ENTITIES, SUBENTRY_METER
from ..entries import async_sites
from ..metering.profile import Profile
from ..metering.quantities import QUANTITIES

DRIVER_KEY: Final = "entities"
"""The key of the driver of adopted meters."""

PROFILE_ID: Final = "adopted"

INTEGRATED: Final = ("energy_import", "energy_export")
"""What a meter has that only knows its power."""


@dataclass(frozen=True, kw_only=True)
class EntitySource:
    """One entity and the quantity that it is for.

    Where a quantity has several sources their values are added: two tariffs of one meter, or
    the power drawn and, with the sign -1, the power given.
    """

    quantity: str
    entity: str
    """Its id in the entity registry, which outlives a renaming; without one its entity id."""

    sign: int = 1
    net: bool = False
    """Whether it is a counter that runs backwards when energy flows the other way."""

    def as_dict(self) -> dict[str, Any]:
        """Return what is kept of it."""
        kept: dict[str, Any] = {"quantity": self.quantity, "entity": self.entity}
        if self.sign != 1:
            kept["sign"] = self.sign
        if self.net:
            kept["net"] = True
        return kept

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the source as it was kept."""
        return cls(
            quantity=data["quantity"],
            entity=data["entity"],
            sign=data.get("sign", 1),
            net=data.get("net", False),
        )


def sources_of(data: Mapping[str, Any]) -> tuple[EntitySource, ...]:
    """Return the sources out of a meter's data."""
    return tuple(EntitySource.from_dict(kept) for kept in data[CONF_ENTITIES])


def main_entities(sources: Iterable[EntitySource]) -> frozenset[str]:
    """Return the entities that tell a meter from others: its counters, else its power."""
    sources = tuple(sources)
    counters = {source.entity for source in sources if QUANTITIES[source.quantity].counter}
    power = {source.entity for source in sources if source.quantity == "power"}
    return frozenset(counters or power)


def is_integrated(sources: Iterable[EntitySource]) -> bool:
    """Return whether a meter has no counter, so that its energy comes from its power."""
    return not any(QUANTITIES[source.quantity].counter for source in sources)


def quantities_of(sources: Collection[EntitySource]) -> tuple[str, ...]:
    """Return the quantities of a meter, what it gets by integration among them."""
    found = {source.quantity for source in sources}
    if is_integrated(sources):
        found.update(INTEGRATED)
    if any(source.net for source in sources):
        found.add("energy_export")
    return tuple(key for key in QUANTITIES if key in found)


def adopted_profile(sources: Collection[EntitySource]) -> Profile:
    """Return the profile of a meter that consists of entities."""
    quantities = quantities_of(sources)
    phases = 3 if any(key.endswith(("_l2", "_l3")) for key in quantities) else 1
    return Profile(
        id=PROFILE_ID,
        vendor="Home Assistant",
        name="entities",
        models=("*",),
        phases=phases,
        protocol=DRIVER_KEY,
        quantities=quantities,
        category="adopted",
    )


def reference(hass: HomeAssistant, entity_id: str) -> str:
    """Return what is kept of an entity: its id in the registry where it has one."""
    entry = er.async_get(hass).async_get(entity_id)
    return entry.id if entry is not None else entity_id


def resolve(hass: HomeAssistant, entity: str) -> str | None:
    """Return the entity id that a reference has now, None where the entity was removed."""
    return er.async_resolve_entity_id(er.async_get(hass), entity)


def adopted_entities(hass: HomeAssistant) -> set[str]:
    """Return the references of the entities that tell the adopted meters of all sites apart."""
    return {
        entity
        for entry in async_sites(hass)
        for subentry in entry.get_subentries_of_type(SUBENTRY_METER)
        if subentry.data.get(CONF_DRIVER) == DRIVER_KEY
        for entity in main_entities(sources_of(subentry.data))
    }
