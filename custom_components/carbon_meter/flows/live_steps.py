"""The steps that choose a live provider, and try what the user gave before it is kept."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
import probatio

from ..carbon.intensity.live.catalogue import PROVIDERS, by_nearness
from ..carbon.intensity.live.provider import Need, Provider
from ..carbon.intensity.source import IntensityKind
from ..const import CONF_KEY, CONF_KIND, CONF_MARGINAL, CONF_PROVIDER, CONF_ZONE, SourceKind
from ..sources.live import without_advice
from .source_drafts import SourceDrafts
from .source_forms import NONE, access_fields, provider_schema, suggested_zone, tidied
from .source_names import live_name
from .source_trial import Trial, async_try, form_errors

_STEPS: Final[Mapping[Need | None, str]] = {
    None: "access_free",
    Need.KEY: "access_key",
    Need.ACCOUNT: "access_account",
}
"""The step of the access form by what a provider needs; the texts differ."""

_SECRETS: Final = (CONF_KEY, CONF_USERNAME, CONF_PASSWORD)


class LiveSteps(SourceDrafts):
    """From a provider to a source that has answered."""

    _provider: Provider
    _access: Mapping[str, Any]
    _trial: Trial

    async def async_step_live(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Choose the provider: those of Home Assistant's country first."""
        if user_input is not None:
            return await self._async_provider(PROVIDERS[user_input[CONF_PROVIDER]])
        providers = [
            provider
            for provider in by_nearness(self.hass.config.country)
            if provider.kind is IntensityKind.AVERAGE
        ]
        return self.async_show_form(
            step_id="live",
            data_schema=provider_schema(providers),
            description_placeholders=await self._async_placeholders(),
        )

    async def async_step_marginal(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Choose who tells the marginal intensity, or that nobody does."""
        self._is_marginal = True
        if user_input is not None:
            if user_input[CONF_PROVIDER] == NONE:
                self._draft.pop(CONF_MARGINAL, None)
                return await self.async_step_sources()
            return await self._async_provider(PROVIDERS[user_input[CONF_PROVIDER]])
        providers = [
            provider
            for provider in by_nearness(self.hass.config.country)
            if provider.kind is IntensityKind.MARGINAL
        ]
        present = self._draft.get(CONF_MARGINAL)
        return self.async_show_form(
            step_id="marginal",
            data_schema=provider_schema(providers, none=present is not None),
            description_placeholders=await self._async_placeholders(
                present=live_name(present) if present is not None else "-"
            ),
        )

    async def _async_provider(self, provider: Provider) -> ConfigFlowResult:
        """Go on with a provider: to its form, or straight to the trial where it has none."""
        self._provider = provider
        return await self._async_access(None if access_fields(provider) else {})

    async def async_step_access_free(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take the zone of a provider that wants nothing else."""
        return await self._async_access(user_input)

    async def async_step_access_key(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take zone and key."""
        return await self._async_access(user_input)

    async def async_step_access_account(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take zone, user name and password."""
        return await self._async_access(user_input)

    async def _async_access(self, user_input: dict[str, Any] | None) -> ConfigFlowResult:
        """Ask for what the provider wants to know, and try it."""
        provider, before = self._provider, self._before
        known = before if before.get(CONF_PROVIDER) == provider.key else {}
        kept = {key: known[key] for key in _SECRETS if key in known}
        schema = probatio.Schema(access_fields(provider, kept=bool(kept)))
        errors: dict[str, str] = {}
        detail = "-"
        if user_input is not None:
            given = {key: value for key, value in tidied(user_input).items() if value}
            access = {CONF_PROVIDER: provider.key, **kept, **given}
            self._trial = await async_try(self.hass, access)
            if (error := self._trial.error) is not None:
                errors = form_errors(error, provider, {str(key) for key in schema.schema})
                detail = without_advice(error)
            else:
                self._access = {
                    CONF_KIND: SourceKind.LIVE.value,
                    **access,
                    CONF_ZONE: self._trial.zone,
                }
                if not self._is_listed(self._access):
                    return await self.async_step_live_confirm()
                errors = {"base": "already_listed"}
        zone = known.get(CONF_ZONE) or suggested_zone(self.hass, provider)
        return self.async_show_form(
            step_id=_STEPS[provider.need],
            data_schema=self.add_suggested_values_to_schema(
                schema, user_input or {CONF_ZONE: zone}
            ),
            errors=errors,
            description_placeholders=await self._async_placeholders(
                provider=provider.name,
                hint=provider.zone_hint or ", ".join(list(provider.zones.values())[:3]),
                register=provider.register or "-",
                detail=detail,
                **_rights(provider),
            ),
        )

    async def async_step_live_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show what the provider says now."""
        if user_input is not None:
            return await self._async_keep(self._access)
        return self.async_show_form(
            step_id="live_confirm",
            data_schema=probatio.Schema({}),
            description_placeholders=await self._async_placeholders(
                source=live_name(self._access), **self._trial.says, **_rights(self._provider)
            ),
        )


def _rights(provider: Provider) -> dict[str, str]:
    """Return what has to be shown with a provider's figures."""
    return {
        "licence": provider.licence,
        "attribution": provider.attribution,
        "terms": provider.terms or "-",
    }
