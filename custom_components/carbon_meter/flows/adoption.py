"""The steps that adopt what Home Assistant already has as meters."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, override

from homeassistant.const import CONF_NAME, Platform
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    EntityWithDeviceFilterSelectorConfig,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
from homeassistant.util import ulid as ulid_util
import probatio

from ..adoption.devices import CLASSES, adoptable, beside, is_own, plans_for, with_net
from ..adoption.energy_settings import async_energy_settings
from ..adoption.plan import Plan
from ..adoption.sources import (
    DRIVER_KEY,
    EntitySource,
    adopted_entities,
    reference,
    resolve,
    sources_of,
)
from ..adoption.states import ImpossibleStateError, value_of
from ..const import CONF_CARRIER, CONF_DRIVER, CONF_ENTITIES, CONF_PARENT, CONF_ROLE, Carrier, Role
from ..drivers.entities import EntitiesDriver
from ..identities import driven_identities, identities_of
from ..libraries import async_get_libraries
from ..metering.quantities import QUANTITIES
from .drafts import MeterDraft, is_configured, meter_data, other_meters, place_id
from .meter_form import live_values, setting_fields
from .meter_steps import Input, MeterSteps

CONF_METERS: Final = "meters"

_POWER_GIVEN: Final = "power_given"
"""The field for a power that flows towards the grid and has a sensor of its own."""

_FIELDS: Final = (
    "energy_import",
    "energy_export",
    "volume",
    "power",
    _POWER_GIVEN,
    "voltage",
    "current",
    "frequency",
    "power_factor",
)

_COUNTED: Final = ("energy_import", "energy_export", "volume", "power", _POWER_GIVEN)
"""Fields of which one has to be filled in: without any there is nothing to count."""

_SYMBOLS: Final = {
    Carrier.GAS: "🔥",
    Carrier.WATER: "💧",
    Carrier.HEAT: "♨️",
    Carrier.FUEL: "⛽",
    Role.GRID: "⚡",
    Role.SOLAR: "☀️",
    Role.BATTERY: "🔋",
    Role.SUBMETER: "🔌",
}


class AdoptionSteps(MeterSteps):
    """From entities of other integrations to meters."""

    _plans: Sequence[Plan] = ()
    _plan: Plan

    @override
    async def async_offers(self) -> list[str]:
        """Return the steps by which a meter can be added, for the menu."""
        offers = []
        if (await self._async_from_energy())[0]:
            offers.append("energy")
        if adoptable(self.hass):
            offers.append("entities")
        return [*offers, *await super().async_offers()]

    async def async_step_energy(self, user_input: Input = None) -> Any:
        """Adopt what the Energy settings use, with their hierarchy."""
        plans, left_out = await self._async_from_energy()
        if not plans:
            return self.async_abort(reason="nothing_to_adopt")
        return await self._async_several("energy", plans, user_input, left_out=left_out)

    async def async_step_entities(self, user_input: Input = None) -> Any:
        """Choose the entities of one device, or of several."""
        errors: dict[str, str] = {}
        if user_input is not None:
            chosen = user_input[CONF_ENTITIES]
            self._plans = self._new(plans_for(self.hass, chosen))
            if len(self._plans) == 1:
                self._plan = self._plans[0]
                return await self.async_step_quantities()
            if self._plans:
                return await self.async_step_several()
            known = self._new(plans_for(self.hass, chosen), adopted=True)
            errors = {CONF_ENTITIES: "already_adopted" if known else "nothing_to_count"}
        schema = probatio.Schema(
            {
                probatio.Required(CONF_ENTITIES): EntitySelector(
                    EntitySelectorConfig(
                        multiple=True,
                        include_entities=adoptable(self.hass),
                        filter=[
                            EntityWithDeviceFilterSelectorConfig(
                                domain=Platform.SENSOR, device_class=list(CLASSES)
                            )
                        ],
                    )
                )
            }
        )
        return self.async_show_form(
            step_id="entities",
            data_schema=self.add_suggested_values_to_schema(schema, user_input),
            errors=errors,
        )

    async def async_step_several(self, user_input: Input = None) -> Any:
        """Adopt several devices at once, each with what it says."""
        return await self._async_several("several", self._plans, user_input, left_out=())

    async def async_step_quantities(self, user_input: Input = None) -> Any:
        """Settle which entity is which quantity of the meter."""
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = self._objections(user_input)
            if not errors:
                self._plan = self._settled(user_input)
                return await self.async_step_adopt()
        carriers = [carrier.value for carrier in Carrier]
        schema = probatio.Schema(
            {
                **{
                    probatio.Optional(field): EntitySelector(
                        EntitySelectorConfig(domain=Platform.SENSOR)
                    )
                    for field in _FIELDS
                },
                probatio.Required(CONF_CARRIER, default=self._plan.carrier.value): SelectSelector(
                    SelectSelectorConfig(options=carriers, translation_key=CONF_CARRIER)
                ),
            }
        )
        return self.async_show_form(
            step_id="quantities",
            data_schema=self.add_suggested_values_to_schema(
                schema, user_input or self._suggestions()
            ),
            errors=errors,
            description_placeholders={"meter": self._plan.title},
        )

    async def async_step_adopt(self, user_input: Input = None) -> Any:
        """Confirm the meter, and where it belongs."""
        plan = self._plan
        candidate = (await self._async_driver()).candidate(self.hass, plan.address)
        if user_input is not None:
            libraries = await async_get_libraries(self.hass)
            draft = await self._async_draft(
                plan, user_input, title=user_input[CONF_NAME].strip() or plan.title
            )
            if is_configured(self.hass, libraries.drivers, draft):
                return self.async_abort(reason="already_configured")
            return await self.async_finish([draft], user_input)
        schema = probatio.Schema(
            {
                **self.site_fields(),
                probatio.Required(CONF_NAME, default=plan.title): TextSelector(),
                **setting_fields(parents=other_meters(self.site) if self.site is not None else {}),
            }
        )
        return self.async_show_form(
            step_id="adopt",
            data_schema=self.add_suggested_values_to_schema(schema, {CONF_ROLE: plan.role.value}),
            description_placeholders={"meter": plan.title, "values": live_values(candidate)},
        )

    async def _async_several(
        self, step_id: str, plans: Sequence[Plan], user_input: Input, *, left_out: Iterable[str]
    ) -> Any:
        """Show meters to choose from, all chosen at first; adopt those that stay chosen."""
        errors: dict[str, str] = {}
        if user_input is not None:
            chosen = [plan for plan in plans if plan.id in user_input[CONF_METERS]]
            if chosen:
                drafts = await self._async_drafts(plans, chosen)
                return await self.async_finish(drafts, user_input)
            errors = {"base": "none_chosen"}
        driver = await self._async_driver()
        options = [
            SelectOptionDict(
                value=plan.id,
                label=f"{_symbol(plan)} {plan.title}: "
                f"{live_values(driver.candidate(self.hass, plan.address))}",
            )
            for plan in plans
        ]
        schema = probatio.Schema(
            {
                **self.site_fields(),
                probatio.Required(CONF_METERS, default=[plan.id for plan in plans]): SelectSelector(
                    SelectSelectorConfig(
                        options=options, multiple=True, mode=SelectSelectorMode.LIST
                    )
                ),
            }
        )
        return self.async_show_form(
            step_id=step_id,
            data_schema=schema,
            errors=errors,
            description_placeholders={
                "count": str(len(plans)),
                "left_out": ", ".join(left_out) or "-",
            },
        )

    async def _async_from_energy(self) -> tuple[list[Plan], list[str]]:
        """Return what the Energy settings have that is new, and what cannot be adopted."""
        settings = await async_energy_settings(self.hass)
        return self._new(settings.plans), list(settings.left_out)

    def _new(self, plans: Iterable[Plan], *, adopted: bool = False) -> list[Plan]:
        """Return the meters that no site has yet, by whatever way; or the ones that one has."""
        taken = adopted_entities(self.hass)
        driven = driven_identities(self.hass)
        return [
            plan
            for plan in plans
            if adopted
            is bool(plan.main & taken or identities_of(self.hass, self._entity_ids(plan)) & driven)
        ]

    def _entity_ids(self, plan: Plan) -> list[str]:
        return [
            entity_id
            for source in plan.sources
            if (entity_id := resolve(self.hass, source.entity)) is not None
        ]

    async def _async_driver(self) -> EntitiesDriver:
        libraries = await async_get_libraries(self.hass)
        driver = libraries.drivers[DRIVER_KEY]
        assert isinstance(driver, EntitiesDriver)  # noqa: S101  # a packaged driver
        return driver

    async def _async_drafts(
        self, plans: Sequence[Plan], chosen: Sequence[Plan]
    ) -> list[MeterDraft]:
        """Return the chosen meters, each behind the nearest parent that is there.

        Their ids are given beforehand, so that one can name another that comes with it.
        """
        parents = {plan.key: plan.parent for plan in plans if plan.key}
        ids = {plan.id: ulid_util.ulid_now() for plan in chosen}
        by_key = {plan.key: ids[plan.id] for plan in chosen if plan.key}
        known = self._adopted_by_statistic()
        drafts = []
        for plan in chosen:
            above, seen = plan.parent, {plan.key}
            while above and above not in by_key and above not in known and above not in seen:
                seen.add(above)
                above = parents.get(above, "")
            parent = by_key.get(above) or known.get(above)
            settings: dict[str, Any] = {CONF_ROLE: plan.role.value}
            if parent is not None and parent != ids[plan.id]:
                settings[CONF_PARENT] = parent
            draft = await self._async_draft(plan, settings, title=plan.title)
            drafts.append(replace(draft, subentry_id=ids[plan.id]))
        return drafts

    def _adopted_by_statistic(self) -> dict[str, str]:
        """Return the meters of the site that is extended, by the entity ids of their counters."""
        if self.site is None:
            return {}
        return {
            entity_id: subentry.subentry_id
            for subentry in self.site.subentries.values()
            if subentry.data.get(CONF_DRIVER) == DRIVER_KEY
            for source in sources_of(subentry.data)
            if QUANTITIES[source.quantity].counter
            and (entity_id := resolve(self.hass, source.entity)) is not None
        }

    async def _async_draft(
        self, plan: Plan, settings: Mapping[str, Any], *, title: str
    ) -> MeterDraft:
        """Return a meter as it is kept."""
        driver = await self._async_driver()
        candidate = driver.candidate(self.hass, plan.address)
        data = meter_data(driver, plan.address, candidate, settings)
        return MeterDraft(title=title, data=data, unique_id=place_id(driver, data))

    def _suggestions(self) -> dict[str, str]:
        """Return the form's fields as the plan has them."""
        return {
            (_POWER_GIVEN if source.sign < 0 else source.quantity): entity_id
            for source in reversed(self._plan.sources)
            if source.quantity in _FIELDS
            and (entity_id := resolve(self.hass, source.entity)) is not None
        }

    def _objections(self, user_input: Mapping[str, Any]) -> dict[str, str]:
        """Return what is wrong with the entities that were chosen, by field."""
        if not any(user_input.get(field) for field in _COUNTED):
            return {"base": "nothing_to_count"}
        errors: dict[str, str] = {}
        for field in _FIELDS:
            if (entity_id := user_input.get(field)) is None:
                continue
            if is_own(self.hass, entity_id):
                errors[field] = "own_entity"
            try:
                value_of(self.hass.states.get(entity_id), _quantity(field), net=True)
            except ImpossibleStateError:
                errors[field] = "wrong_unit"
        return errors

    def _settled(self, user_input: Mapping[str, Any]) -> Plan:
        """Return the plan as the user has settled it, with the phases that go with it."""
        chosen = {field: user_input[field] for field in _FIELDS if user_input.get(field)}
        sources = [
            EntitySource(
                quantity=_quantity(field),
                entity=reference(self.hass, entity_id),
                sign=-1 if field == _POWER_GIVEN else 1,
            )
            for field, entity_id in chosen.items()
        ]
        carrier = Carrier(user_input[CONF_CARRIER])
        if carrier is Carrier.ELECTRICITY:
            taken = {source.entity for source in sources}
            sources += [
                source
                for source in beside(self.hass, list(chosen.values()))
                if source.quantity not in _FIELDS and source.entity not in taken
            ]
        return replace(self._plan, carrier=carrier, sources=with_net(self.hass, sources))


def _quantity(field: str) -> str:
    """Return the quantity that a field of the form is for."""
    return "power" if field == _POWER_GIVEN else field


def _symbol(plan: Plan) -> str:
    """Return a picture of what a meter is, the same in every language."""
    return _SYMBOLS[plan.role if plan.carrier is Carrier.ELECTRICITY else plan.carrier]
