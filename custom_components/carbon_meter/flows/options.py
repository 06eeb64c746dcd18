"""The options of a site: where its carbon intensity comes from, and what is done with it."""

from typing import Any, ClassVar

from homeassistant.config_entries import ConfigFlowResult

from .details import DetailsSteps
from .past_steps import PastSteps
from .planning_steps import PlanningSteps
from .source_steps import SourceSteps
from .zone_steps import ZoneSteps


class CarbonMeterOptionsFlow(SourceSteps, ZoneSteps, PlanningSteps, DetailsSteps, PastSteps):
    """A menu of what can be changed; each part brings its own steps."""

    MENU: ClassVar[tuple[str, ...]] = (
        *SourceSteps.MENU,
        *ZoneSteps.MENU,
        *PlanningSteps.MENU,
        *DetailsSteps.MENU,
        *PastSteps.MENU,
    )

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Choose what to change."""
        needless = {*self.needless_steps(), *(() if self.has_past() else PastSteps.MENU)}
        return self.async_show_menu(
            step_id="init", menu_options=[step for step in self.MENU if step not in needless]
        )
