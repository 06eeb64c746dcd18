"""The steps that ask for another key or password, once a provider has refused the one it got."""

from collections.abc import Iterator, Mapping
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigEntryState, ConfigFlow, ConfigFlowResult
from homeassistant.const import CONF_USERNAME
import probatio

from ..carbon.intensity.live.catalogue import PROVIDERS
from ..const import (
    CONF_KIND,
    CONF_MARGINAL,
    CONF_PROVIDER,
    CONF_SOURCES,
    CONF_ZONE,
    SourceKind,
)
from ..sources.live import without_advice
from .source_forms import secret_fields, tidied
from .source_names import identity, live_name
from .source_trial import async_try, form_errors

type Place = int | None
"""The position of a source in the list; None is the marginal source."""


class ReauthSteps(ConfigFlow):
    """One form for each source whose key is refused, one after the other.

    The one that made the flow begin says so in `data` by `provider` and `zone`; the others are
    asked whether they accept what they have. All is saved at the end: setting the site up anew
    ends a flow like this one.
    """

    _waiting: list[Place]
    _entered: dict[Place, Mapping[str, Any]]
    _place: Place = None

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Begin with the source that is named, or with the first that is refused."""
        entry = self._get_reauth_entry()
        self._entered = {}
        named = (entry_data.get(CONF_PROVIDER), entry_data.get(CONF_ZONE))
        self._waiting = [place for place, _ in _with_secrets(entry)]
        for place, source in _with_secrets(entry):
            if (source[CONF_PROVIDER], source.get(CONF_ZONE)) == named:
                self._waiting.remove(place)
                return self._form(place)
        return await self._async_next()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take a key or password, if the provider does."""
        source = _source_at(self._get_reauth_entry(), self._place)
        if source is None:
            # It was removed while the form was open.
            return await self._async_next()
        if user_input is None:
            return self._form(self._place)
        access = {**source, **tidied(user_input)}
        trial = await async_try(self.hass, access)
        if trial.error is not None:
            provider = PROVIDERS[source[CONF_PROVIDER]]
            errors = form_errors(trial.error, provider, set(user_input))
            return self._form(self._place, errors, without_advice(trial.error))
        self._entered[self._place] = access
        return await self._async_next()

    async def _async_next(self) -> ConfigFlowResult:
        """Go on with the next source that is refused; end when there is none."""
        while self._waiting:
            place = self._waiting.pop(0)
            source = _source_at(self._get_reauth_entry(), place)
            if source is not None and (await async_try(self.hass, source)).wants_access:
                return self._form(place)
        self._save()
        return self.async_abort(reason="reauth_successful")

    def _form(
        self, place: Place, errors: dict[str, str] | None = None, detail: str = "-"
    ) -> ConfigFlowResult:
        """Ask for what the provider of a source wants."""
        source = _source_at(self._get_reauth_entry(), place)
        assert source is not None  # noqa: S101  # it was looked up just before
        self._place = place
        provider = PROVIDERS[source[CONF_PROVIDER]]
        name = live_name(source)
        self.context["title_placeholders"] = {"name": name}
        known = {key: value for key, value in source.items() if key == CONF_USERNAME}
        return self.async_show_form(
            step_id="reauth_confirm",
            data_schema=self.add_suggested_values_to_schema(
                probatio.Schema(secret_fields(provider)), known
            ),
            errors=errors or {},
            description_placeholders={
                "source": name,
                "register": provider.register or "-",
                "detail": detail,
            },
        )

    def _save(self) -> None:
        """Put what was entered into the options of the site, and set it up with that."""
        entry = self._get_reauth_entry()
        options = dict(entry.options)
        sources = list(options.get(CONF_SOURCES, ()))
        for place, access in self._entered.items():
            source = _source_at(entry, place)
            if source is None or identity(source) != identity(access):
                # It was moved or removed while the next form was open.
                continue
            if place is None:
                options[CONF_MARGINAL] = dict(access)
            else:
                sources[place] = dict(access)
        changed = self.hass.config_entries.async_update_entry(
            entry, options={**options, CONF_SOURCES: sources}
        )
        # A loaded site listens to its options; one that failed, or got the same key, does not.
        if self._entered and not (changed and entry.state is ConfigEntryState.LOADED):
            self.hass.config_entries.async_schedule_reload(entry.entry_id)


def _with_secrets(entry: ConfigEntry) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    """Yield the sources of a site that need a key or password, with where they stand."""
    places: list[Place] = [*range(len(entry.options.get(CONF_SOURCES, ()))), None]
    for place in places:
        if (source := _source_at(entry, place)) is not None:
            yield place, source


def _source_at(entry: ConfigEntry, place: Place) -> Mapping[str, Any] | None:
    """Return the source at a place, None where none is that needs a key or password."""
    if place is None:
        source = entry.options.get(CONF_MARGINAL, {})
    else:
        sources = entry.options.get(CONF_SOURCES, ())
        source = sources[place] if place < len(sources) else {}
    is_live = source.get(CONF_KIND) == SourceKind.LIVE
    provider = PROVIDERS.get(source.get(CONF_PROVIDER, "")) if is_live else None
    found: Mapping[str, Any] | None = source if provider is not None and provider.need else None
    return found
