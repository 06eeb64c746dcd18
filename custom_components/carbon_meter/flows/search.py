"""The steps that search for meters and add many at once."""

import asyncio
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
import probatio

from ..const import (
    CONF_INTERVAL,
    CONF_POWER_INVERTED,
    CONF_RESCAN,
    CONF_ROLE,
    DEFAULT_INTERVAL,
    DEFAULT_PORT,
    DOMAIN,
    LOGGER,
    Role,
)
from ..discovery.elsewhere import readers
from ..discovery.found import FoundMeter, new_meters
from ..discovery.scan import NetworkSearch, SearchPlan, SearchRunningError
from ..discovery.subnets import Subnet, async_subnets
from ..drivers.modbus import ModbusDriver
from ..entries import async_sites
from ..fields import whole_number
from ..libraries import async_get_libraries
from ..metering.candidate import Candidate
from .drafts import MeterDraft, is_configured
from .finder import MeterFinder
from .meter_form import LONGEST_INTERVAL, choice_key, label
from .meter_steps import Input, MeterSteps

CONF_EVERY_UNIT: Final = "every_unit"
CONF_METERS: Final = "meters"
CONF_PROTOCOLS: Final = "protocols"
CONF_SUBNETS: Final = "subnets"

_BY_SEARCH: Final = ("network", "gateway")

_ELSEWHERE: Final = "⇄"
"""Marks a meter that Home Assistant reads already, by another integration."""

_SHOWN: Final = 4
"""Meters whose values are shown for one guess."""

type Group = tuple[str, ...]
"""Choices of meters that may be the same families, the best guess first."""


class SearchSteps(MeterSteps):
    """From a search of the network, or of a gateway, to any number of meters."""

    _search: NetworkSearch | None = None
    _search_task: asyncio.Task[None] | None = None
    _search_step = "network"
    _search_input: Input = None
    _search_error: str | None = None
    _rescan: list[str] | None = None
    """The networks that the site may search by itself; None where nothing was said."""

    _found: Sequence[FoundMeter] = ()
    _chosen: Sequence[FoundMeter] = ()
    _decided: Mapping[Group, str] = {}

    @override
    async def async_offers(self) -> list[str]:
        """Return the steps by which a meter can be added, for the menu."""
        return [*_BY_SEARCH, *await super().async_offers()]

    @property
    def site_data(self) -> dict[str, Any]:
        """Return what the user has said of the site on the way, for its data."""
        return {} if self._rescan is None else {CONF_RESCAN: self._rescan}

    @callback
    def keep_site_data(self, entry: ConfigEntry) -> None:
        """Keep it with a site that is there already."""
        if self.site_data:
            self.hass.config_entries.async_update_entry(
                entry, data={**entry.data, **self.site_data}
            )

    async def async_step_network(self, user_input: Input = None) -> Any:
        """Ask what part of the network is to be searched, and for what."""
        self._search_step = "network"
        subnets = {str(subnet.network): subnet for subnet in await async_subnets(self.hass)}
        if not subnets:
            return self.async_abort(reason="no_subnet")
        libraries = await async_get_libraries(self.hass)
        drivers = {
            driver.key: driver
            for driver in libraries.drivers.values()
            if driver.ports or driver.answers_calls
        }
        if user_input is not None:
            self._search_input = user_input
            self._rescan = user_input[CONF_SUBNETS] if user_input[CONF_RESCAN] else []
            plan = SearchPlan(
                hosts=[
                    host
                    for key in user_input[CONF_SUBNETS]
                    if key in subnets
                    for host in subnets[key].hosts
                ],
                drivers=[drivers[key] for key in user_input[CONF_PROTOCOLS] if key in drivers],
                every_unit=user_input[CONF_EVERY_UNIT],
            )
            return await self._async_begin(plan)
        schema = probatio.Schema(
            {
                probatio.Required(CONF_SUBNETS, default=list(subnets)): _several(
                    [_option(key, subnet.label) for key, subnet in subnets.items()]
                ),
                probatio.Required(
                    CONF_PROTOCOLS,
                    default=[key for key, driver in drivers.items() if driver.searched],
                ): _several([_option(key, driver.name) for key, driver in drivers.items()]),
                probatio.Required(CONF_EVERY_UNIT, default=False): BooleanSelector(),
                probatio.Required(CONF_RESCAN, default=self._may_rescan): BooleanSelector(),
            }
        )
        return self._search_form(schema, {"count": str(_addresses(subnets.values()))})

    async def async_step_gateway(self, user_input: Input = None) -> Any:
        """Ask for the address of a gateway with several meters behind it."""
        self._search_step = "gateway"
        if user_input is not None:
            self._search_input = user_input
            libraries = await async_get_libraries(self.hass)
            driver = libraries.drivers[ModbusDriver.key]
            plan = SearchPlan(
                hosts=[user_input[CONF_HOST].strip().lower()],
                drivers=[driver],
                ports={driver.key: (user_input[CONF_PORT],)},
                every_unit=user_input[CONF_EVERY_UNIT],
                announcements=False,
            )
            return await self._async_begin(plan)
        schema = probatio.Schema(
            {
                probatio.Required(CONF_HOST): TextSelector(),
                probatio.Required(CONF_PORT, default=DEFAULT_PORT): whole_number(1, 65535),
                probatio.Required(CONF_EVERY_UNIT, default=True): BooleanSelector(),
            }
        )
        return self._search_form(schema, {})

    def _search_form(self, schema: probatio.Schema, placeholders: Mapping[str, str]) -> Any:
        """Show the form of a search, with what came of the one before."""
        # It stays until the next search: the page may ask for the form more than once.
        error = self._search_error
        return self.async_show_form(
            step_id=self._search_step,
            data_schema=self.add_suggested_values_to_schema(schema, self._search_input),
            errors={"base": error} if error else {},
            description_placeholders={**self._said, **placeholders},
        )

    @property
    def _may_rescan(self) -> bool:
        """Return whether the user has allowed the site, or any, to search by itself."""
        entries = async_sites(self.hass, include_ignore=False)
        sites = entries if self.site is None else [self.site]
        return any(site.data.get(CONF_RESCAN) for site in sites)

    @property
    def _said(self) -> dict[str, str]:
        """Return what the search has to tell beside its meters."""
        search = self._search
        services = search.services if search is not None else ()
        sealed = [service for service in services if service.kind.needs_certificate]
        return {
            "ports": str(search.open_ports if search is not None else 0),
            "sealed": ", ".join(f"{service.host} ({service.kind.name})" for service in sealed)
            or "-",
        }

    async def _async_begin(self, plan: SearchPlan) -> Any:
        """Begin a search in the background of the flow."""
        shown = 0
        self._search_error = None

        def told(part: float) -> None:
            nonlocal shown
            self.async_update_progress(min(part, 1.0))
            if (found := len(search.meters)) != shown:
                shown = found
                self.async_notify_flow_changed()

        search = self._search = NetworkSearch(self.hass, plan, told)
        self._plan_text = {
            "hosts": str(len(plan.hosts)),
            "seconds": str(ceil(plan.longest_knocking)),
        }
        self._search_task = self.hass.async_create_task(
            self._async_run(search), "search for meters"
        )
        return await self.async_step_searching()

    async def _async_run(self, search: NetworkSearch) -> None:
        """Search; what goes wrong is told in the form."""
        try:
            await search.async_run()
        except SearchRunningError:
            self._search_error = "search_running"
        except Exception:  # noqa: BLE001  # whatever it is: the form can be sent again
            LOGGER.exception("The search for meters failed")
            self._search_error = "search_failed"

    async def async_step_searching(self, user_input: Input = None) -> Any:
        """Show how far the search is; closing the flow ends it."""
        search, task = self._search, self._search_task
        if search is None or task is None:
            return await self.async_step_user()
        if task.done():
            return self.async_show_progress_done(next_step_id="searched")
        return self.async_show_progress(
            step_id="searching",
            progress_action="asking" if self._search_step == "gateway" else "searching",
            description_placeholders={**self._plan_text, "found": str(len(search.meters))},
            progress_task=task,
        )

    async def async_step_searched(self, user_input: Input = None) -> Any:
        """Go on with what the search has found."""
        search, task = self._search, self._search_task
        if search is None or task is None or not task.done() or task.cancelled():
            return await self.async_step_user()
        self._search_task = None
        if self._search_error is not None:
            return await self._async_search_again()
        libraries = await async_get_libraries(self.hass)
        self._found = new_meters(self.hass, libraries.drivers, search.meters)
        if not self._found:
            self._search_error = "nothing_new" if search.meters else "nothing_found"
            return await self._async_search_again()
        return await self.async_step_pick()

    async def _async_search_again(self) -> Any:
        if self._search_step == "gateway":
            return await self.async_step_gateway()
        return await self.async_step_network()

    async def async_step_pick(self, user_input: Input = None) -> Any:
        """Choose among the meters that were found, seeing what they say."""
        errors: dict[str, str] = {}
        elsewhere = readers(self.hass, self._found)
        if user_input is not None:
            self._chosen = [m for m in self._found if m.key in user_input[CONF_METERS]]
            if self._chosen:
                return await self._async_chosen()
            errors = {"base": "none_chosen"}
        options = [
            _option(meter.key, _line(meter, elsewhere.get(meter.key, ""))) for meter in self._found
        ]
        default = [meter.key for meter in self._found if meter.key not in elsewhere]
        return self.async_show_form(
            step_id="pick",
            data_schema=probatio.Schema(
                {probatio.Required(CONF_METERS, default=default): _several(options)}
            ),
            errors=errors,
            description_placeholders={"count": str(len(self._found)), **self._said},
        )

    async def _async_chosen(self) -> Any:
        """Go on: a single meter is confirmed as one that was typed in, several at once."""
        if len(self._chosen) == 1:
            (meter,) = self._chosen
            libraries = await async_get_libraries(self.hass)
            self._finder = MeterFinder(self.hass, libraries.drivers[meter.driver.key])
            self._finder.address = meter.address
            self._finder.candidates = (
                *meter.candidates,
                *(other for other in meter.companions if other not in meter.candidates),
            )
            return await self.async_step_confirm()
        self._decided = {}
        return await self.async_step_candidates()

    async def async_step_candidates(self, user_input: Input = None) -> Any:
        """Choose what the meters are that do not say it; those that look alike together."""
        open_groups = self._open_groups()
        if user_input is not None and open_groups:
            group = next(iter(open_groups))
            self._decided = {**self._decided, group: user_input["model"]}
            open_groups = self._open_groups()
        if not open_groups:
            return await self.async_step_roles()
        group, meters = next(iter(open_groups.items()))
        options = [_option(choice, _guesses(meters, choice)) for choice in group]
        return self.async_show_form(
            step_id="candidates",
            data_schema=probatio.Schema(
                {
                    probatio.Required("model", default=group[0]): SelectSelector(
                        SelectSelectorConfig(options=options, mode=SelectSelectorMode.LIST)
                    )
                }
            ),
            description_placeholders={
                "meters": ", ".join(meter.place for meter in meters),
                "count": str(len(meters)),
            },
        )

    def _open_groups(self) -> dict[Group, list[FoundMeter]]:
        """Return the meters that may be several things and are not decided, alike ones together."""
        groups: dict[Group, list[FoundMeter]] = {}
        for meter in self._chosen:
            group = _group(meter)
            if len(group) > 1 and group not in self._decided:
                groups.setdefault(group, []).append(meter)
        return groups

    def _choice(self, meter: FoundMeter) -> Candidate:
        """Return what a meter is, as far as the user has decided it."""
        choice = self._decided.get(_group(meter))
        return next(
            (candidate for candidate in meter.candidates if choice_key(candidate) == choice),
            meter.best,
        )

    async def async_step_roles(self, user_input: Input = None) -> Any:
        """Ask where the meters sit, and add them all."""
        errors: dict[str, str] = {}
        if user_input is not None:
            roles = _roles(user_input)
            if roles is None:
                errors = {"base": "two_roles"}
            else:
                libraries = await async_get_libraries(self.hass)
                drafts = [
                    draft
                    for draft in self._drafts(roles, user_input[CONF_INTERVAL])
                    if not is_configured(self.hass, libraries.drivers, draft)
                ]
                if not drafts:
                    return self.async_abort(reason="already_configured")
                return await self.async_finish(drafts, user_input)
        options = [
            _option(meter.key, f"{label(self._choice(meter))} @ {meter.place}")
            for meter in self._chosen
        ]
        one = SelectSelectorConfig(options=options, mode=SelectSelectorMode.DROPDOWN)
        many = SelectSelectorConfig(
            options=options, mode=SelectSelectorMode.DROPDOWN, multiple=True
        )
        schema = probatio.Schema(
            {
                **self.site_fields(),
                probatio.Optional(Role.GRID.value): SelectSelector(one),
                probatio.Optional(Role.SOLAR.value): SelectSelector(many),
                probatio.Optional(Role.BATTERY.value): SelectSelector(many),
                probatio.Required(CONF_INTERVAL, default=DEFAULT_INTERVAL): whole_number(
                    1, LONGEST_INTERVAL, "s"
                ),
            }
        )
        return self.async_show_form(
            step_id="roles",
            data_schema=self.add_suggested_values_to_schema(schema, user_input),
            errors=errors,
            description_placeholders={"count": str(len(self._chosen))},
        )

    def _drafts(self, roles: Mapping[str, Role], interval: int) -> list[MeterDraft]:
        """Return the chosen meters as they are to be added; alike names are told apart."""
        chosen = {meter.key: self._choice(meter) for meter in self._chosen}
        names = [candidate.name for candidate in chosen.values()]
        drafts: list[MeterDraft] = []
        for meter in self._chosen:
            candidate = chosen[meter.key]
            backwards = candidate.manufacturer.lower() in candidate.profile.export_positive
            settings = {
                CONF_ROLE: roles.get(meter.key, Role.SUBMETER).value,
                CONF_INTERVAL: interval,
                CONF_POWER_INVERTED: backwards,
            }
            alike = names.count(candidate.name) > 1
            title = f"{candidate.name} {candidate.serial or meter.place}" if alike else ""
            drafts.append(meter.draft(settings, candidate=candidate, title=title))
        return drafts


@callback
def withdraw_offers(
    hass: HomeAssistant, drafts: Sequence[MeterDraft], *, except_for: str = ""
) -> None:
    """End the flows, but for one, that offer what is being added."""
    added = {draft.unique_id for draft in drafts}
    flows = hass.config_entries.flow
    for flow in flows.async_progress_by_handler(DOMAIN):
        if flow["flow_id"] != except_for and flow["context"].get("unique_id") in added:
            flows.async_abort(flow["flow_id"])


def _addresses(subnets: Any) -> int:
    """Return how many addresses a search of the networks asks."""
    chosen: list[Subnet] = list(subnets)
    return sum(len(subnet.hosts) for subnet in chosen)


def _roles(user_input: Mapping[str, Any]) -> dict[str, Role] | None:
    """Return the roles by the meters' keys, None where one has two."""
    named: list[tuple[str, Role]] = []
    if grid := user_input.get(Role.GRID.value):
        named.append((grid, Role.GRID))
    for role in (Role.SOLAR, Role.BATTERY):
        named += [(key, role) for key in user_input.get(role.value, ())]
    roles = dict(named)
    return roles if len(roles) == len(named) else None


def _group(meter: FoundMeter) -> Group:
    return tuple(choice_key(candidate) for candidate in meter.candidates)


def _guesses(meters: Sequence[FoundMeter], choice: str) -> str:
    """Return what the meters say if they are of one family."""
    texts = [
        f"{label(candidate)} @ {meter.place}"
        for meter in meters
        for candidate in meter.candidates
        if choice_key(candidate) == choice
    ]
    return "; ".join(texts[:_SHOWN]) + (" …" if len(texts) > _SHOWN else "")


def _line(meter: FoundMeter, elsewhere: str) -> str:
    """Return a meter for the list: what it is, where, and what it says."""
    doubt = "" if meter.best.certain else "? "
    other = f" {_ELSEWHERE} {elsewhere}" if elsewhere else ""
    return f"{doubt}{label(meter.best)} @ {meter.place}{other}"


def _option(value: str, text: str) -> SelectOptionDict:
    return SelectOptionDict(value=value, label=text)


def _several(options: list[SelectOptionDict]) -> Any:
    """Return a choice of any number of options."""
    return SelectSelector(
        SelectSelectorConfig(options=options, multiple=True, mode=SelectSelectorMode.LIST)
    )
