"""The steps that set what a community publishes, and what it asks homes for."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import probatio

from ..community.contract.message import Flow, Level
from ..community.ledger.calendar import Grain
from ..community.privacy.rules import PRESETS, STRICT_DOMINANCE, STRICT_K
from ..hub_entry.keys import (
    CONF_DOMINANCE,
    CONF_DURATION,
    CONF_FINEST,
    CONF_FLOWS,
    CONF_K,
    CONF_LEVEL,
    CONF_RULES,
    OWN_RULES,
)
from ..hub_entry.settings import ASKED_DURATIONS, asks_of, finest_of, rules_of

_PERCENT: Final = 100
_MOST_HOMES: Final = 100_000


class RulesSteps(OptionsFlow):
    """Choose a preset or own rules; choose level, period and flows."""

    MENU: ClassVar[tuple[str, ...]] = ("hub_rules", "hub_asks")

    _chosen: Mapping[str, Any]

    async def async_step_hub_rules(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the rules by which cells are published."""
        options = self.config_entry.options
        if user_input is not None:
            self._chosen = user_input
            if user_input[CONF_RULES] == OWN_RULES:
                return await self.async_step_hub_own_rules()
            return self._keep(user_input)
        schema = probatio.Schema(
            {
                probatio.Required(
                    CONF_RULES, default=options.get(CONF_RULES, next(iter(PRESETS)))
                ): SelectSelector(
                    SelectSelectorConfig(
                        options=[*PRESETS, OWN_RULES],
                        translation_key="hub_rules",
                        mode=SelectSelectorMode.LIST,
                    )
                ),
                probatio.Required(CONF_FINEST, default=finest_of(options).value): SelectSelector(
                    SelectSelectorConfig(
                        options=[Grain.HOUR.value, Grain.DAY.value, Grain.MONTH.value],
                        translation_key="hub_grain",
                        mode=SelectSelectorMode.DROPDOWN,
                    )
                ),
            }
        )
        return self.async_show_form(step_id="hub_rules", data_schema=schema)

    async def async_step_hub_own_rules(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for stricter rules than the customary ones."""
        errors: dict[str, str] = {}
        if user_input is not None:
            wanted = {**self._chosen, **_whole(user_input)}
            try:
                rules_of(wanted)
            except ValueError:
                errors["base"] = "hub_rules_impossible"
            else:
                return self._keep(wanted)
        strict = {CONF_K: STRICT_K, CONF_DOMINANCE: STRICT_DOMINANCE * _PERCENT}
        schema = probatio.Schema(
            {
                probatio.Required(CONF_K): NumberSelector(
                    NumberSelectorConfig(
                        min=STRICT_K, max=_MOST_HOMES, step=1, mode=NumberSelectorMode.BOX
                    )
                ),
                probatio.Required(CONF_DOMINANCE): NumberSelector(
                    NumberSelectorConfig(
                        min=1,
                        max=STRICT_DOMINANCE * _PERCENT,
                        step=1,
                        unit_of_measurement="%",
                        mode=NumberSelectorMode.BOX,
                    )
                ),
            }
        )
        return self.async_show_form(
            step_id="hub_own_rules",
            data_schema=self.add_suggested_values_to_schema(
                schema, user_input or {**strict, **self.config_entry.options}
            ),
            errors=errors,
        )

    async def async_step_hub_asks(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask what invitations ask for; whoever has joined stays with what was agreed."""
        if user_input is not None:
            return self._keep(
                {
                    CONF_LEVEL: user_input[CONF_LEVEL],
                    CONF_DURATION: int(user_input[CONF_DURATION]),
                    CONF_FLOWS: user_input[CONF_FLOWS],
                }
            )
        asks = asks_of(self.config_entry.options)
        schema = probatio.Schema(
            {
                probatio.Required(CONF_LEVEL, default=asks.level.value): SelectSelector(
                    SelectSelectorConfig(
                        options=[level.value for level in (Level.PSEUDONYM, Level.CLEAR)],
                        translation_key="hub_level",
                        mode=SelectSelectorMode.LIST,
                    )
                ),
                probatio.Required(CONF_DURATION, default=str(asks.duration)): SelectSelector(
                    SelectSelectorConfig(
                        options=[str(duration) for duration in ASKED_DURATIONS],
                        translation_key="hub_duration",
                        mode=SelectSelectorMode.LIST,
                    )
                ),
                probatio.Required(
                    CONF_FLOWS, default=[flow.value for flow in asks.flows]
                ): probatio.All(
                    SelectSelector(
                        SelectSelectorConfig(
                            options=[flow.value for flow in Flow],
                            translation_key="hub_flows",
                            multiple=True,
                            mode=SelectSelectorMode.LIST,
                        )
                    ),
                    probatio.Length(min=1),
                ),
            }
        )
        return self.async_show_form(step_id="hub_asks", data_schema=schema)

    def _keep(self, changes: Mapping[str, Any]) -> ConfigFlowResult:
        """Keep changed options beside the others."""
        return self.async_create_entry(data={**self.config_entry.options, **changes})


def _whole(user_input: dict[str, Any]) -> dict[str, int]:
    """Return what the number fields say: they give floats."""
    return {key: int(value) for key, value in user_input.items()}
