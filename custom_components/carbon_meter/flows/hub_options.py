"""The options of a hub: who belongs to the community, what is published, what homes are asked."""

from typing import Any, ClassVar, override

from homeassistant.config_entries import ConfigFlowResult

from .hub_homes import HomesSteps
from .hub_new_file import NewFileSteps
from .hub_rules import RulesSteps


class HubOptionsFlow(HomesSteps, RulesSteps, NewFileSteps):
    """A menu of what an operator does."""

    MENU: ClassVar[tuple[str, ...]] = (*HomesSteps.MENU, *RulesSteps.MENU, *NewFileSteps.MENU)

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Begin with the menu."""
        return await self.async_step_hub_menu()

    @override
    async def async_step_hub_menu(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Choose what to do."""
        needless = () if self.has_file() else NewFileSteps.MENU
        return self.async_show_menu(
            step_id="hub_menu",
            menu_options=[step for step in self.MENU if step not in needless],
        )
