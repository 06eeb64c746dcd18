"""The steps that fill in a site's past: what its adopted meters counted before, with a bar."""

import asyncio
from typing import Any, ClassVar, Final

from homeassistant.components.recorder.const import DOMAIN as RECORDER_DOMAIN
from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult, OptionsFlow
from homeassistant.core import callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.selector import (
    DateSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
from homeassistant.util import dt as dt_util
import probatio

from ..data import Site
from ..past_request import adopted_past, async_request, usual_start
from .progress import visibly

CONF_METERS: Final = "meters"
CONF_START: Final = "start"


class PastSteps(OptionsFlow):
    """Choose since when and for which meters; then it is shown how far it has come."""

    MENU: ClassVar[tuple[str, ...]] = ("past",)

    _filling: asyncio.Task[dict[str, Any]] | None = None

    def has_past(self) -> bool:
        """Return whether the site has adopted meters whose past can be filled in."""
        if self.config_entry.state is not ConfigEntryState.LOADED:
            return False
        recorded = RECORDER_DOMAIN in self.hass.config.components
        return recorded and bool(adopted_past(self.hass, self._site))

    @property
    def _site(self) -> Site:
        site: Site = self.config_entry.runtime_data
        return site

    async def async_step_past(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask since when, and for which meters."""
        errors: dict[str, str] = {}
        told = "-"
        if user_input is not None:
            start = dt_util.parse_datetime(f"{user_input[CONF_START]}T00:00:00")
            try:
                request = await async_request(
                    self.hass, self._site, start=start, chosen=user_input[CONF_METERS]
                )
            except HomeAssistantError as err:
                errors, told = {"base": "past_refused"}, str(err)
            else:
                filling = self._site.backfill.async_fill(request)
                self._filling = self.hass.async_create_task(visibly(filling), "fill in past hours")
                return await self.async_step_past_progress()
        meters = self._site.meters
        options = [
            SelectOptionDict(value=meter_id, label=meters[meter_id].subentry.title)
            for meter_id in adopted_past(self.hass, self._site)
        ]
        schema = probatio.Schema(
            {
                probatio.Required(
                    CONF_START, default=usual_start(dt_util.now()).date().isoformat()
                ): DateSelector(),
                probatio.Required(
                    CONF_METERS, default=[option["value"] for option in options]
                ): SelectSelector(
                    SelectSelectorConfig(
                        options=options, multiple=True, mode=SelectSelectorMode.LIST
                    )
                ),
            }
        )
        return self.async_show_form(
            step_id="past",
            data_schema=self.add_suggested_values_to_schema(schema, user_input),
            errors=errors,
            description_placeholders={"error": told},
        )

    async def async_step_past_progress(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show how far it has come; whoever closes the window does not stop it."""
        assert self._filling is not None  # noqa: S101  # begun by the form
        if self._filling.done():
            return self.async_show_progress_done(next_step_id="past_done")
        backfill = self._site.backfill

        @callback
        def show() -> None:
            if backfill.progress is not None:
                self.async_update_progress(backfill.progress / 100.0)

        stop = backfill.async_add_listener(show)
        self._filling.add_done_callback(lambda _: stop())
        return self.async_show_progress(
            step_id="past_progress",
            progress_action="filling_past",
            progress_task=self._filling,
        )

    async def async_step_past_done(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say what was filled in."""
        assert self._filling is not None  # noqa: S101  # it is done
        try:
            report = self._filling.result()
        except HomeAssistantError as err:
            return self.async_abort(
                reason="past_failed", description_placeholders={"error": str(err)}
            )
        return self.async_abort(
            reason="past_filled",
            description_placeholders={
                "hours": str(report["hours"]),
                "start": _day(report["start"]),
                "end": _day(report["end"]),
                "left_out": str(
                    sum(sum(one["hours_left_out"].values()) for one in report["meters"])
                ),
                "meters": "\n".join(f"- {_words(one)}" for one in report["meters"]),
            },
        )


def _day(moment: str) -> str:
    """Return the local day of a moment."""
    told = dt_util.parse_datetime(moment)
    return moment if told is None else dt_util.as_local(told).date().isoformat()


def _words(one: dict[str, Any]) -> str:
    """Return a meter's part of the report, the same in every language."""
    carbon = one["carbon_kg"]
    grams = sum(carbon.values()) if isinstance(carbon, dict) else carbon
    return f"{one['name']}: {one['import']:.0f} / {one['export']:.0f} {one['unit']}, {grams:.1f} kg"
