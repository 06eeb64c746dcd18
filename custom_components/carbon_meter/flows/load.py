"""The flow of a load: its kind, then one form with little that must be told."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SubentryFlowResult,
)
from homeassistant.const import CONF_NAME
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util

from ..const import CONF_KIND, DOMAIN
from ..loads import keys
from ..loads.keys import Control, LoadKind
from ..loads.settings import LoadSettingsError, job_of
from .keeping import KeepingFlow
from .load_checks import Mistake, mistakes, run_is_long
from .load_defaults import battery_filled_in, filled_in
from .load_entities import all_sites, entity_mistakes, free_meters, shared
from .load_forms import FORM_THERMAL, KINDS, LoadForm, body_form, form_of
from .load_values import ValueRefusedError, form_values, load_data

type Input = dict[str, Any] | None

_NOTHING_SHARED: Final = {"other": "-", "problem": "-"}
"""What texts of errors leave open, where there is nothing to say."""


class LoadSubentryFlow(KeepingFlow):
    """Add a load to a site, or change one."""

    _settled: Mapping[str, Any]
    """What an earlier step has settled: body, source and control of a thermal load."""

    _warned: Mapping[str, Any] | None = None
    """What somebody was warned of; sent once more, it is taken."""

    async def async_step_user(self, user_input: Input = None) -> SubentryFlowResult:
        """Ask what kind of load it is."""
        return self.async_show_menu(step_id="user", menu_options=[kind.value for kind in KINDS])

    async def async_step_reconfigure(self, user_input: Input = None) -> SubentryFlowResult:
        """Change a load; it stays of its kind, unless that is not known."""
        try:
            kind = LoadKind(self._get_reconfigure_subentry().data.get(CONF_KIND, ""))
        except ValueError:
            return await self.async_step_user()
        if kind is LoadKind.THERMAL:
            return await self.async_step_thermal()
        return await self._async_form(kind, form_of(kind), None)

    async def async_step_ev(self, user_input: Input = None) -> SubentryFlowResult:
        """Ask for an electric car and its charger."""
        return await self._async_form(LoadKind.EV, form_of(LoadKind.EV), user_input)

    async def async_step_appliance(self, user_input: Input = None) -> SubentryFlowResult:
        """Ask for what runs once it is filled: a dishwasher, a washing machine."""
        return await self._async_form(LoadKind.APPLIANCE, form_of(LoadKind.APPLIANCE), user_input)

    async def async_step_run_time(self, user_input: Input = None) -> SubentryFlowResult:
        """Ask for what runs so many hours a day: a pump of a pool."""
        return await self._async_form(LoadKind.RUN_TIME, form_of(LoadKind.RUN_TIME), user_input)

    async def async_step_battery(self, user_input: Input = None) -> SubentryFlowResult:
        """Ask for a battery that can be told when to charge."""
        return await self._async_form(LoadKind.BATTERY, form_of(LoadKind.BATTERY), user_input)

    async def async_step_air_zone(self, user_input: Input = None) -> SubentryFlowResult:
        """Ask for rooms of a building that are heated or cooled while somebody is there."""
        return await self._async_form(LoadKind.AIR_ZONE, form_of(LoadKind.AIR_ZONE), user_input)

    async def async_step_light_zone(self, user_input: Input = None) -> SubentryFlowResult:
        """Ask for lights that can be dimmed."""
        return await self._async_form(LoadKind.LIGHT_ZONE, form_of(LoadKind.LIGHT_ZONE), user_input)

    async def async_step_thermal(self, user_input: Input = None) -> SubentryFlowResult:
        """Ask what is heated or cooled, by what, and how that is set."""
        form = form_of(FORM_THERMAL)
        errors: dict[str, str] = {}
        if user_input is not None:
            # What a tank is good for is hot water.
            if user_input[keys.CONF_BODY] == "tank" and user_input[keys.CONF_HEAT_SOURCE] == (
                "cooler"
            ):
                errors[keys.CONF_HEAT_SOURCE] = "tank_not_cooled"
            else:
                self._settled = {key: user_input[key] for key in form.every_key}
                return await self._async_body(None)
        suggested = user_input or {**filled_in(form.step), **self._present()}
        return self._show(form, suggested, errors, {})

    async def async_step_tank(self, user_input: Input = None) -> SubentryFlowResult:
        """Ask for a tank of hot water."""
        return await self._async_body(user_input)

    async def async_step_room(self, user_input: Input = None) -> SubentryFlowResult:
        """Ask for a room, a floor or a house."""
        return await self._async_body(user_input)

    async def _async_body(self, user_input: Input) -> SubentryFlowResult:
        """Ask for what the body, the source and the control of a thermal load need."""
        form = body_form(
            self._settled[keys.CONF_BODY],
            self._settled[keys.CONF_HEAT_SOURCE],
            Control(self._settled[keys.CONF_CONTROL]),
        )
        return await self._async_form(LoadKind.THERMAL, form, user_input, self._settled)

    async def _async_form(
        self,
        kind: LoadKind,
        form: LoadForm,
        user_input: Input,
        settled: Mapping[str, Any] | None = None,
    ) -> SubentryFlowResult:
        """Ask for a load until it can be planned; then keep it. `settled` goes before."""
        if user_input is None:
            return self._show(form, self._suggested(kind, form), {}, {})
        values = form.flat(user_input)
        try:
            data = {**load_data(kind, form, values), **(settled or {})}
        except ValueRefusedError as err:
            return self._show(form, values, {form.place(err.key): err.reason}, {})
        errors, said = self._errors(form, data)
        if not errors and run_is_long(data) and data != self._warned:
            self._warned = data
            errors = {form.place(keys.CONF_DURATION): "run_is_long"}
        if errors:
            return self._show(form, values, errors, said)
        return self.keep(await self._async_title(form, values), data)

    def _show(
        self,
        form: LoadForm,
        values: Mapping[str, Any],
        errors: Mapping[str, str],
        said: Mapping[str, str],
    ) -> SubentryFlowResult:
        """Show a form with what stands in it already."""
        kind = form.step if form.step in set(LoadKind) else LoadKind.THERMAL
        schema = form.schema(
            titles=free_meters(self._get_entry(), LoadKind(kind)),
            currency=self.hass.config.currency,
        )
        return self.async_show_form(
            step_id=form.step,
            data_schema=self.add_suggested_values_to_schema(schema, form.nested(values)),
            errors=dict(errors),
            description_placeholders={**_NOTHING_SHARED, **said},
        )

    def _present(self) -> dict[str, Any]:
        """Return what the load that is changed has now, as forms have it; nothing of a new one."""
        if self.source != SOURCE_RECONFIGURE:
            return {}
        subentry = self._get_reconfigure_subentry()
        return form_values(subentry.data, subentry.title)

    def _suggested(self, kind: LoadKind, form: LoadForm) -> Mapping[str, Any]:
        """Return what stands in a form at first: what is usual, or what the load has now.

        What was left out of a load stays out, unless its form asked for other things then.
        """
        entry, present, usual = self._get_entry(), self._present(), filled_in(form.step)
        meters = free_meters(entry, kind)
        if not present:
            return usual | (battery_filled_in(entry, meters) if kind is LoadKind.BATTERY else {})
        if present.get(keys.CONF_METER) not in meters:
            # It was removed, or has got another role.
            present.pop(keys.CONF_METER, None)
        return {key: usual[key] for key in form.needed if key in usual} | present

    def _errors(
        self, form: LoadForm, data: Mapping[str, Any]
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Return what is wrong with a load by field or section, and what the texts leave open."""
        entry, subentry_id = self._get_entry(), None
        if self.source == SOURCE_RECONFIGURE:
            subentry_id = self._get_reconfigure_subentry().subentry_id
        wrong = [*mistakes(data), *entity_mistakes(self.hass, form, data)]
        said: dict[str, str] = {}
        if both := shared(all_sites(self.hass), entry, data, subentry_id):
            mistake, said["other"] = both
            wrong.append(mistake)
        if not wrong:
            try:
                job_of(data, dt_util.get_default_time_zone())
            except LoadSettingsError as err:
                said["problem"] = str(err)
                return {"base": "cannot_be_planned"}, said
        return _by_place(form, wrong), said

    async def _async_title(self, form: LoadForm, values: Mapping[str, Any]) -> str:
        """Return what a load is called: its name, else that of its device, else what it is."""
        if name := str(values.get(CONF_NAME, "")).strip():
            return name
        state = self.hass.states.get(values.get(keys.CONF_DEVICE, ""))
        if state is not None:
            return state.name
        texts = await async_get_translations(
            self.hass, self.hass.config.language, "config_subentries", {DOMAIN}
        )
        key = f"component.{DOMAIN}.config_subentries.{keys.SUBENTRY_LOAD}.step.{form.step}.title"
        return texts.get(key, form.step)


def _by_place(form: LoadForm, wrong: Iterable[Mistake]) -> dict[str, str]:
    """Return the first error of each field or section."""
    errors: dict[str, str] = {}
    for key, reason in wrong:
        errors.setdefault(form.place(key), reason)
    return errors
