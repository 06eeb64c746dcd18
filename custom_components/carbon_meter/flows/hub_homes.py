"""The steps by which homes are invited, moved and removed."""

from abc import abstractmethod
from collections.abc import Awaitable, Mapping
from typing import Any, ClassVar, Final

from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult, OptionsFlow
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    QrCodeSelector,
    QrCodeSelectorConfig,
    QrErrorCorrectionLevel,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
)
from homeassistant.helpers.translation import async_get_translations
import probatio

from ..const import DOMAIN
from ..hub_entry.homes import INVITABLE, MOST_INVITATIONS, HubHome
from ..hub_entry.hub import Hub
from ..hub_entry.invitation_files import InvitationFile
from ..hub_entry.keys import (
    CONF_COUNT,
    CONF_FEEDER,
    CONF_GROUPS,
    CONF_HOME,
    CONF_STRIKE_OUT,
    CONF_TEXT,
)
from .refusal import async_reason

type Input = dict[str, Any] | None

_QR: Final = "qr"

_GONE: Final = frozenset({"withdrawn", "expelled"})
"""States of homes of which nothing can become any more."""


class HomesSteps(OptionsFlow):
    """Invite homes and show the invitations; choose a home and change what becomes of it."""

    MENU: ClassVar[tuple[str, ...]] = ("hub_invite", "hub_homes")

    _invited: tuple[InvitationFile, ...] = ()
    _home: HubHome
    _refusal: str | None = None
    """Why something was not done, until a form has said it."""

    @abstractmethod
    async def async_step_hub_menu(self, user_input: Input = None) -> ConfigFlowResult:
        """Go back to the menu."""

    @property
    def _hub(self) -> Hub:
        hub: Hub = self.config_entry.runtime_data
        return hub

    @property
    def _is_loaded(self) -> bool:
        return self.config_entry.state is ConfigEntryState.LOADED

    async def async_step_hub_invite(self, user_input: Input = None) -> ConfigFlowResult:
        """Ask how many homes are invited, and where they are."""
        if not self._is_loaded:
            return self.async_abort(reason="hub_not_loaded")
        if user_input is not None and await self._async_done(self._async_invite(user_input)):
            return await self.async_step_hub_invited()
        count = NumberSelector(
            NumberSelectorConfig(min=1, max=MOST_INVITATIONS, step=1, mode=NumberSelectorMode.BOX)
        )
        fields = {
            probatio.Required(CONF_COUNT, default=1): count,
            **await self._place_fields(),
        }
        return self._form("hub_invite", fields, user_input)

    async def _async_invite(self, asked: Mapping[str, Any]) -> None:
        """Invite as many homes as were asked for."""
        count = int(asked[CONF_COUNT])
        self._invited = await self._hub.homes.async_invite(count, *_where(asked))

    async def async_step_hub_invited(self, user_input: Input = None) -> ConfigFlowResult:
        """Show the invitation as text and QR code, or the list of several as links."""
        if user_input is not None:
            return await self.async_step_hub_menu()
        first = self._invited[0]
        # A link of Markdown would be taken for another page of Home Assistant.
        links = "\n".join(
            f'- <a href="{one.link(self.hass)}" target="_blank">{one.home}.json</a>'
            for one in self._invited
        )
        fields: dict[Any, Any] = {}
        if len(self._invited) == 1:
            fields = {
                probatio.Optional(_QR): QrCodeSelector(
                    QrCodeSelectorConfig(
                        data=first.text,
                        scale=2,
                        error_correction_level=QrErrorCorrectionLevel.LOW,
                    )
                ),
                probatio.Optional(CONF_TEXT, default=first.text): TextSelector(
                    TextSelectorConfig(multiline=True)
                ),
            }
        return self.async_show_form(
            step_id="hub_invited",
            data_schema=probatio.Schema(fields),
            description_placeholders={
                "links": links,
                "folder": str(first.path.parent),
                "expires": first.expires.date().isoformat(),
            },
        )

    async def async_step_hub_homes(self, user_input: Input = None) -> ConfigFlowResult:
        """Show the homes and let one be chosen."""
        if not self._is_loaded:
            return self.async_abort(reason="hub_not_loaded")
        homes = {home.id: home for home in await self._hub.homes.async_homes()}
        if not homes:
            return self.async_abort(reason="hub_no_homes")
        errors: dict[str, str] = {}
        if user_input is not None:
            # It may have been forgotten since it was listed.
            chosen = homes.get(user_input[CONF_HOME])
            if chosen is not None and chosen.state not in _GONE:
                self._home = chosen
                return await self.async_step_hub_home()
            errors = {CONF_HOME: "hub_home_gone"}
        schema = probatio.Schema(
            {
                probatio.Required(CONF_HOME): SelectSelector(
                    SelectSelectorConfig(
                        options=[
                            SelectOptionDict(value=home.id, label=await self._async_label(home))
                            for home in homes.values()
                        ],
                        mode=SelectSelectorMode.DROPDOWN,
                    )
                )
            }
        )
        return self.async_show_form(
            step_id="hub_homes",
            data_schema=schema,
            errors=errors,
            description_placeholders={"count": str(len(homes))},
        )

    async def async_step_hub_home(self, user_input: Input = None) -> ConfigFlowResult:
        """Ask what becomes of a home."""
        if self._home.state not in INVITABLE:
            return await self.async_step_hub_former_home()
        return await self._async_home_menu("hub_home", "hub_reinvite", "hub_move", "hub_remove")

    async def async_step_hub_former_home(self, user_input: Input = None) -> ConfigFlowResult:
        """Say why a name of an earlier month can only be removed, and who knows the present one."""
        return await self._async_home_menu("hub_former_home", "hub_remove")

    async def _async_home_menu(self, step_id: str, *options: str) -> ConfigFlowResult:
        """Show a menu of the home."""
        return self.async_show_menu(
            step_id=step_id,
            menu_options=list(options),
            description_placeholders={"home": await self._async_label(self._home)},
        )

    async def async_step_hub_reinvite(self, user_input: Input = None) -> ConfigFlowResult:
        """Say what inviting again means, then do it and show the invitation."""
        if user_input is not None and await self._async_done(self._async_reinvite()):
            return await self.async_step_hub_invited()
        return self._form("hub_reinvite", home=await self._async_label(self._home))

    async def _async_reinvite(self) -> None:
        """Invite the home again."""
        self._invited = (await self._hub.homes.async_reinvite(self._home.id),)

    async def async_step_hub_move(self, user_input: Input = None) -> ConfigFlowResult:
        """Ask where a home is from today on."""
        home, homes = self._home, self._hub.homes
        if user_input is not None and await self._async_done(
            homes.async_move(home.id, *_where(user_input))
        ):
            return await self.async_step_hub_menu()
        present: dict[str, Any] = {CONF_GROUPS: list(home.groups)}
        if home.feeder is not None:
            present[CONF_FEEDER] = home.feeder
        return self._form(
            "hub_move",
            await self._place_fields(),
            user_input or present,
            home=await self._async_label(home),
        )

    async def async_step_hub_remove(self, user_input: Input = None) -> ConfigFlowResult:
        """Say what removing means, then do it."""
        if user_input is not None and await self._async_done(
            self._hub.async_remove_home(
                self._home.id, strike_out=user_input.get(CONF_STRIKE_OUT, False)
            )
        ):
            return await self.async_step_hub_menu()
        fields = {probatio.Required(CONF_STRIKE_OUT, default=False): BooleanSelector()}
        return self._form(
            "hub_remove", fields, user_input, home=await self._async_label(self._home)
        )

    async def _async_done(self, work: Awaitable[object]) -> bool:
        """Do something; return False where it is refused, which the next form says."""
        try:
            await work
        except HomeAssistantError as err:
            self._refusal = await async_reason(self.hass, err)
            return False
        return True

    def _form(
        self,
        step_id: str,
        fields: Mapping[Any, Any] | None = None,
        suggested: Mapping[str, Any] | None = None,
        **said: str,
    ) -> ConfigFlowResult:
        """Show a form, and once why what it asked for was refused."""
        refusal, self._refusal = self._refusal, None
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(
                probatio.Schema(dict(fields or {})), suggested
            ),
            errors={} if refusal is None else {"base": "hub_refused_to"},
            description_placeholders={**said, "error": refusal or "-"},
        )

    async def _async_label(self, home: HubHome) -> str:
        """Return a home in a list: its id, its state, where it is."""
        texts = await async_get_translations(
            self.hass, self.hass.config.language, "selector", {DOMAIN}
        )
        key = f"component.{DOMAIN}.selector.hub_home_state.options.{home.state}"
        places = (home.feeder, *home.groups)
        words = (home.id, texts.get(key, home.state), *(place for place in places if place))
        return " · ".join(words)

    async def _place_fields(self) -> dict[Any, Any]:
        """Return the fields of feeder and groups, with the names that are used so far."""
        feeders, groups = await self._hub.homes.async_names()
        return {
            probatio.Optional(CONF_FEEDER): _names(feeders),
            probatio.Optional(CONF_GROUPS, default=list): _names(groups, multiple=True),
        }


def _names(known: tuple[str, ...], *, multiple: bool = False) -> SelectSelector:
    """Return a choice of names to which others can be added."""
    return SelectSelector(
        SelectSelectorConfig(
            options=list(known),
            custom_value=True,
            multiple=multiple,
            mode=SelectSelectorMode.DROPDOWN,
        )
    )


def _where(asked: Mapping[str, Any]) -> tuple[str | None, tuple[str, ...]]:
    """Return feeder and groups as they were told."""
    feeder = asked.get(CONF_FEEDER, "").strip()
    groups = (group.strip() for group in asked.get(CONF_GROUPS, ()))
    return feeder or None, tuple(dict.fromkeys(group for group in groups if group))
