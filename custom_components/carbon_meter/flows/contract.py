"""The flow of a contract for electricity: its kind, then what a contract of this kind says."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from homeassistant.components.recorder.const import DOMAIN as RECORDER_DOMAIN
from homeassistant.components.recorder.statistics import get_metadata
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SubentryFlowResult,
)
from homeassistant.const import CONF_NAME
from homeassistant.helpers.recorder import get_instance
from homeassistant.helpers.selector import (
    BooleanSelector,
    DateSelector,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    StatisticSelector,
    TextSelector,
)
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_conversion import EnergyConverter
import numpy as np
import probatio

from ..carbon.accounting.contracts import ContractError, ContractKind
from ..carbon.factors.factor import Method
from ..carbon.factors.selection import Selection
from ..carbon.flow.amounts import ImpossibleAmountError
from ..const import CONF_KIND, CONF_ZONE, UNIT_INTENSITY
from ..contracts import (
    AMOUNTS,
    CONF_CARBON_FREE,
    CONF_CERTIFICATE_MINUTES,
    CONF_COVERAGE,
    CONF_INTENSITY,
    CONF_ORIGIN,
    CONF_STATISTIC,
    CONF_VALID_FROM,
    CONF_VALID_TO,
    COVERAGES,
    Coverage,
    Terms,
    contract_of,
)
from ..details import CONF_MARKET, market_of
from ..fields import number
from ..libraries import async_get_libraries
from .keeping import KeepingFlow

type Input = dict[str, Any] | None

_HIGHEST: Final = 5000.0
"""gCO2eq/kWh; no electricity has more."""

_LONGEST: Final = 60.0 * 24 * 366
"""Minutes; certificates of a year are the longest."""

_RESIDUAL: Final = Selection(methods=frozenset({Method.RESIDUAL_MIX}))
_FIELDS: Final = {"interval": CONF_CERTIFICATE_MINUTES}
"""Fields that a contract knows by another name."""


class ContractSubentryFlow(KeepingFlow):
    """Add a contract to a site, or change one."""

    async def async_step_user(self, user_input: Input = None) -> SubentryFlowResult:
        """Ask what kind of contract it is."""
        return self.async_show_menu(
            step_id="user", menu_options=[kind.value for kind in ContractKind]
        )

    async def async_step_reconfigure(self, user_input: Input = None) -> SubentryFlowResult:
        """Change a contract; it stays of its kind, unless that is not known."""
        try:
            kind = ContractKind(self._get_reconfigure_subentry().data.get(CONF_KIND, ""))
        except ValueError:
            return await self.async_step_user()
        return await self._async_form(kind, None)

    async def async_step_certificate(self, user_input: Input = None) -> SubentryFlowResult:
        """Ask for guarantees of origin, green certificates and their like."""
        return await self._async_form(ContractKind.CERTIFICATE, user_input)

    async def async_step_ppa(self, user_input: Input = None) -> SubentryFlowResult:
        """Ask for a contract with a power plant."""
        return await self._async_form(ContractKind.PPA, user_input)

    async def async_step_supplier_rate(self, user_input: Input = None) -> SubentryFlowResult:
        """Ask for what the supplier discloses of a tariff."""
        return await self._async_form(ContractKind.SUPPLIER_RATE, user_input)

    async def async_step_residual_mix(self, user_input: Input = None) -> SubentryFlowResult:
        """Ask for the mix that is left when all certificates are taken out."""
        return await self._async_form(ContractKind.RESIDUAL_MIX, user_input)

    async def _async_form(self, kind: ContractKind, user_input: Input) -> SubentryFlowResult:
        """Ask for what a contract of a kind says, until it can be meant; then keep it."""
        errors: dict[str, str] = {}
        if user_input is not None:
            data = contract_data(kind, user_input)
            errors = await self._async_errors(data)
            if not errors:
                return self.keep(_title(kind, user_input), data)
        suggested = user_input or await self._async_suggested(kind)
        return self.async_show_form(
            step_id=kind.value,
            data_schema=self.add_suggested_values_to_schema(contract_schema(kind), suggested),
            errors=errors,
        )

    async def _async_suggested(self, kind: ContractKind) -> Mapping[str, Any]:
        """Return what a new contract probably says, or what the one to change says."""
        if self.source == SOURCE_RECONFIGURE:
            subentry = self._get_reconfigure_subentry()
            return {**subentry.data, CONF_NAME: subentry.title}
        options = self._get_entry().options
        suggested: dict[str, Any] = {CONF_MARKET: market_of(options, self.hass.config.country)}
        if kind is ContractKind.RESIDUAL_MIX:
            zone = options.get(CONF_ZONE) or self.hass.config.country
            factors = (await async_get_libraries(self.hass)).factors
            published = factors.best(zone, dt_util.now().date(), _RESIDUAL)
            if published is not None:
                source = published.source
                suggested[CONF_INTENSITY] = published.value
                suggested[CONF_ORIGIN] = f"{source.publisher}, {source.title}, {source.edition}"
        return suggested

    async def _async_errors(self, data: Mapping[str, Any]) -> dict[str, str]:
        """Return what is wrong with a contract, by field."""
        amount_key = AMOUNTS.get(data.get(CONF_COVERAGE, Coverage.ALL))
        if amount_key is not None and amount_key not in data:
            return {amount_key: "amount_missing"}
        terms = Terms(
            zone=dt_util.get_default_time_zone(), profiles=lambda _: np.zeros(1), market=""
        )
        try:
            contract_of("contract", data, terms)
        except ImpossibleAmountError as err:
            field = err.name.partition(" ")[0]
            return {_FIELDS.get(field, field): "impossible_amount"}
        except ContractError:
            return {CONF_VALID_TO: "ends_before_it_begins"}
        if amount_key == CONF_STATISTIC:
            return await self._async_statistic_errors(data[CONF_STATISTIC])
        return {}

    async def _async_statistic_errors(self, statistic: str) -> dict[str, str]:
        """Return what is wrong with the statistic of a plant's energy."""
        if RECORDER_DOMAIN not in self.hass.config.components:
            return {CONF_STATISTIC: "no_recorder"}
        known = await get_instance(self.hass).async_add_executor_job(
            partial(get_metadata, self.hass, statistic_ids={statistic})
        )
        if statistic not in known:
            return {CONF_STATISTIC: "unknown_statistic"}
        _, metadata = known[statistic]
        unit = metadata["unit_of_measurement"]
        if not metadata["has_sum"] or unit not in EnergyConverter.VALID_UNITS:
            return {CONF_STATISTIC: "not_energy"}
        return {}


def contract_data(kind: ContractKind, user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept of a form: nothing that another way of covering would need."""
    needless = set(AMOUNTS.values()) - {
        AMOUNTS.get(user_input.get(CONF_COVERAGE, Coverage.ALL)),
    }
    data = {CONF_KIND: kind.value}
    for key, value in user_input.items():
        kept = value.strip() if isinstance(value, str) else value
        if key != CONF_NAME and key not in needless and kept != "":
            data[key] = kept
    return data


def contract_schema(kind: ContractKind) -> probatio.Schema:
    """Return the form of a kind of contract."""
    fields: dict[Any, Any] = {probatio.Optional(CONF_NAME): TextSelector()}
    if coverages := COVERAGES[kind]:
        fields[probatio.Required(CONF_COVERAGE, default=coverages[0].value)] = SelectSelector(
            SelectSelectorConfig(
                options=[coverage.value for coverage in coverages],
                translation_key=CONF_COVERAGE,
                mode=SelectSelectorMode.LIST,
            )
        )
        selectors: dict[Coverage, Any] = {
            Coverage.VOLUME: number(0, unit="kWh"),
            Coverage.SHARE: number(0, 100, "%"),
            Coverage.STATISTIC: StatisticSelector(),
        }
        for coverage in coverages:
            if coverage in AMOUNTS:
                fields[probatio.Optional(AMOUNTS[coverage])] = selectors[coverage]
    clean = kind in {ContractKind.CERTIFICATE, ContractKind.PPA}
    fields |= {
        probatio.Required(CONF_INTENSITY, default=0.0 if clean else probatio.UNDEFINED): number(
            0, _HIGHEST, UNIT_INTENSITY
        ),
        probatio.Required(CONF_MARKET): TextSelector(),
        probatio.Optional(CONF_ORIGIN): TextSelector(),
        probatio.Optional(CONF_VALID_FROM): DateSelector(),
        probatio.Optional(CONF_VALID_TO): DateSelector(),
    }
    if kind is ContractKind.CERTIFICATE:
        fields[probatio.Optional(CONF_CERTIFICATE_MINUTES)] = number(1, _LONGEST, "min")
    if kind is not ContractKind.RESIDUAL_MIX:
        fields[probatio.Required(CONF_CARBON_FREE, default=clean)] = BooleanSelector()
    return probatio.Schema(fields)


def _title(kind: ContractKind, user_input: Mapping[str, Any]) -> str:
    """Return what a contract is called: its name, else where it is written, else its kind."""
    for key in (CONF_NAME, CONF_ORIGIN):
        if title := user_input.get(key, "").strip():
            return str(title)
    return "PPA" if kind is ContractKind.PPA else kind.replace("_", " ").capitalize()
