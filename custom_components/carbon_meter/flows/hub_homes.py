"""The steps by which homes are invited, moved and removed."""

from abc import abstractmethod
from typing import Any, ClassVar, Final

from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult, OptionsFlow
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.selector import (
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
import probatio

from ..hub_entry.homes import MOST_INVITATIONS, HubHome
from ..hub_entry.hub import Hub
from ..hub_entry.invitation_files import InvitationFile
from ..hub_entry.keys import CONF_COUNT, CONF_FEEDER, CONF_GROUPS, CONF_HOME, CONF_TEXT

_QR: Final = "qr"
_NOWHERE: Final = "-"


class HomesSteps(OptionsFlow):
    """Invite homes and show the invitations; choose a home and change what becomes of it."""

    MENU: ClassVar[tuple[str, ...]] = ("hub_invite", "hub_homes")

    _invited: tuple[InvitationFile, ...] = ()
    _home: HubHome

    @abstractmethod
    async def async_step_hub_menu(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Go back to the menu."""

    @property
    def _hub(self) -> Hub:
        hub: Hub = self.config_entry.runtime_data
        return hub

    @property
    def _is_loaded(self) -> bool:
        return self.config_entry.state is ConfigEntryState.LOADED

    async def async_step_hub_invite(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask how many homes are invited, and where they are."""
        if not self._is_loaded:
            return self.async_abort(reason="hub_not_loaded")
        errors, told = {}, "-"
        if user_input is not None:
            try:
                self._invited = await self._hub.homes.async_invite(
                    int(user_input[CONF_COUNT]), *_where(user_input)
                )
            except HomeAssistantError as err:
                errors, told = {"base": "hub_refused_to"}, str(err)
            else:
                return await self.async_step_hub_invited()
        schema = probatio.Schema(
            {
                probatio.Required(CONF_COUNT, default=1): NumberSelector(
                    NumberSelectorConfig(
                        min=1, max=MOST_INVITATIONS, step=1, mode=NumberSelectorMode.BOX
                    )
                ),
                **await self._place_fields(),
            }
        )
        return self.async_show_form(
            step_id="hub_invite",
            data_schema=self.add_suggested_values_to_schema(schema, user_input),
            errors=errors,
            description_placeholders={"error": told},
        )

    async def async_step_hub_invited(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the invitation as text and QR code, or the list of several as links."""
        if user_input is not None:
            return await self.async_step_hub_menu()
        first = self._invited[0]
        links = "\n".join(f"- [{one.home}.json]({one.link(self.hass)})" for one in self._invited)
        fields: dict[Any, Any] = {}
        if len(self._invited) == 1:
            fields = {
                probatio.Optional(_QR): QrCodeSelector(
                    QrCodeSelectorConfig(
                        data=first.text,
                        scale=3,
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

    async def async_step_hub_homes(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the homes and let one be chosen."""
        if not self._is_loaded:
            return self.async_abort(reason="hub_not_loaded")
        homes = await self._hub.homes.async_homes()
        if not homes:
            return self.async_abort(reason="hub_no_homes")
        if user_input is not None:
            self._home = next(home for home in homes if home.id == user_input[CONF_HOME])
            return await self.async_step_hub_home()
        schema = probatio.Schema(
            {
                probatio.Required(CONF_HOME): SelectSelector(
                    SelectSelectorConfig(
                        options=[
                            SelectOptionDict(value=home.id, label=_label(home)) for home in homes
                        ],
                        mode=SelectSelectorMode.DROPDOWN,
                    )
                )
            }
        )
        return self.async_show_form(
            step_id="hub_homes",
            data_schema=schema,
            description_placeholders={"count": str(len(homes))},
        )

    async def async_step_hub_home(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask what becomes of a home."""
        return self.async_show_menu(
            step_id="hub_home",
            menu_options=["hub_move", "hub_remove"],
            description_placeholders={"home": _label(self._home)},
        )

    async def async_step_hub_move(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask where a home is from today on."""
        errors, told = {}, "-"
        if user_input is not None:
            try:
                await self._hub.homes.async_move(self._home.id, *_where(user_input))
            except HomeAssistantError as err:
                errors, told = {"base": "hub_refused_to"}, str(err)
            else:
                return await self.async_step_hub_menu()
        present = {CONF_GROUPS: list(self._home.groups)}
        if self._home.feeder is not None:
            present[CONF_FEEDER] = self._home.feeder  # type: ignore[assignment]
        return self.async_show_form(
            step_id="hub_move",
            data_schema=self.add_suggested_values_to_schema(
                probatio.Schema(await self._place_fields()), user_input or present
            ),
            errors=errors,
            description_placeholders={"home": _label(self._home), "error": told},
        )

    async def async_step_hub_remove(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say what removing means, then do it."""
        errors, told = {}, "-"
        if user_input is not None:
            try:
                await self._hub.async_remove_home(self._home.id)
            except HomeAssistantError as err:
                errors, told = {"base": "hub_refused_to"}, str(err)
            else:
                return await self.async_step_hub_menu()
        return self.async_show_form(
            step_id="hub_remove",
            data_schema=probatio.Schema({}),
            errors=errors,
            description_placeholders={"home": _label(self._home), "error": told},
        )

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


def _where(user_input: dict[str, Any]) -> tuple[str | None, tuple[str, ...]]:
    """Return feeder and groups as they were told."""
    feeder = user_input.get(CONF_FEEDER, "").strip()
    groups = (group.strip() for group in user_input.get(CONF_GROUPS, ()))
    return feeder or None, tuple(dict.fromkeys(group for group in groups if group))


def _label(home: HubHome) -> str:
    """Return a home in a list: its id, its state, where it is; the same in every language."""
    place = " · ".join((home.feeder or _NOWHERE, *home.groups))
    return f"{home.id} · {home.state} · {place}"
