"""The contracts of a site: from the stored data of their subentries to what accounting matches."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util

from .carbon.accounting.contracts import Contract, ContractError, ContractKind
from .carbon.flow.amounts import FloatArray, ImpossibleAmountError, amount
from .const import CONF_KIND, CONTRACT_ISSUE, DOMAIN, LOGGER, SUBENTRY_CONTRACT
from .details import CONF_MARKET, market_of, normal_market
from .repair_issue import RepairIssue

CONF_CARBON_FREE: Final = "carbon_free"
CONF_CERTIFICATE_MINUTES: Final = "certificate_minutes"
CONF_COVERAGE: Final = "coverage"
CONF_INTENSITY: Final = "intensity"
CONF_ORIGIN: Final = "source"
CONF_SHARE: Final = "share"
CONF_STATISTIC: Final = "statistic"
CONF_VALID_FROM: Final = "valid_from"
CONF_VALID_TO: Final = "valid_to"
CONF_VOLUME: Final = "volume"

type Profiles = Callable[[str], FloatArray | None]
"""The Wh of a statistic in each interval of the reporting period, None for an unknown one."""


class Coverage(StrEnum):
    """Which part of the load a contract covers."""

    VOLUME = "volume"
    SHARE = "share"
    STATISTIC = "statistic"
    ALL = "all"


COVERAGES: Final[Mapping[ContractKind, tuple[Coverage, ...]]] = MappingProxyType(
    {
        ContractKind.CERTIFICATE: (Coverage.VOLUME, Coverage.SHARE, Coverage.STATISTIC),
        ContractKind.PPA: (Coverage.STATISTIC, Coverage.SHARE, Coverage.VOLUME),
        ContractKind.SUPPLIER_RATE: (Coverage.ALL, Coverage.SHARE, Coverage.VOLUME),
        ContractKind.RESIDUAL_MIX: (),
    }
)
"""What each kind can cover, the usual first; a residual mix covers what is left."""

AMOUNTS: Final[Mapping[Coverage, str]] = MappingProxyType(
    {
        Coverage.VOLUME: CONF_VOLUME,
        Coverage.SHARE: CONF_SHARE,
        Coverage.STATISTIC: CONF_STATISTIC,
    }
)
"""The key that says how much."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a contract's data do not say themselves."""

    zone: tzinfo
    """The site's: the days of a contract are local days."""

    profiles: Profiles
    market: str
    """The site's, for a contract that names none."""

    part_of_year: float = 1.0
    """The part of the calendar year that is reported: of a yearly volume it gets as much."""


def contract_of(contract_id: str, data: Mapping[str, Any], terms: Terms) -> Contract:
    """Return the contract that a subentry's data tell.

    Raises ContractError and ImpossibleAmountError for what cannot be.
    """
    kind = _kind(contract_id, data)
    coverage = _coverage(contract_id, kind, data)
    key = None if coverage is None else AMOUNTS.get(coverage)
    if key is not None and data.get(key) is None:
        raise ContractError(contract_id, f"its {key} is missing")
    covered: dict[str, Any] = {}
    if coverage is Coverage.VOLUME:
        yearly = amount(f"{CONF_VOLUME} of {contract_id}", data[CONF_VOLUME])
        covered = {"volume": yearly * 1000.0 * terms.part_of_year}
    elif coverage is Coverage.SHARE:
        covered = {"share": amount(f"{CONF_SHARE} of {contract_id}", data[CONF_SHARE]) / 100.0}
    elif coverage is Coverage.STATISTIC:
        covered = {"profile": terms.profiles(str(data[CONF_STATISTIC]))}
        if covered["profile"] is None:
            raise ContractError(contract_id, f"there is no statistic {data[CONF_STATISTIC]!r}")
    minutes = data.get(CONF_CERTIFICATE_MINUTES)
    if minutes is not None:
        minutes = amount(f"{CONF_CERTIFICATE_MINUTES} of {contract_id}", minutes)
    return Contract(
        id=contract_id,
        kind=kind,
        intensity=amount(f"{CONF_INTENSITY} of {contract_id}", data.get(CONF_INTENSITY)),
        market=normal_market(data.get(CONF_MARKET)) or terms.market,
        source=str(data.get(CONF_ORIGIN) or ""),
        valid_from=_midnight(contract_id, data.get(CONF_VALID_FROM), terms.zone),
        valid_to=_midnight(contract_id, data.get(CONF_VALID_TO), terms.zone, days=1),
        interval=None if minutes is None else minutes * 60.0,
        carbon_free=data.get(CONF_CARBON_FREE) is True,
        **covered,
    )


def contracts_of(
    entry: ConfigEntry,
    zone: tzinfo,
    year_profile: Profiles,
    *,
    market: str | None = None,
    part_of_year: float = 1.0,
) -> list[Contract]:
    """Return a site's contracts, in the order in which they were added.

    `year_profile` gives the Wh of a statistic in each interval of the reporting period;
    `statistics_of` tells which will be asked for. `market` is the site's, found in its options
    unless given. A contract that cannot be is left out: see `async_contracts` for who tells it.
    """
    home = market_of(entry.options, None) if market is None else market
    terms = Terms(zone=zone, profiles=year_profile, market=home, part_of_year=part_of_year)
    return _read(entry, terms)[0]


@callback
def async_contracts(
    hass: HomeAssistant, entry: ConfigEntry, year_profile: Profiles, *, part_of_year: float = 1.0
) -> list[Contract]:
    """Return a site's contracts; a broken one is logged and told until it is mended.

    As `contracts_of`, with the time zone and the country of Home Assistant.
    """
    terms = Terms(
        zone=dt_util.get_default_time_zone(),
        profiles=year_profile,
        market=market_of(entry.options, hass.config.country),
        part_of_year=part_of_year,
    )
    contracts, broken = _read(entry, terms)
    for subentry in entry.get_subentries_of_type(SUBENTRY_CONTRACT):
        _tell(hass, subentry, broken.get(subentry.subentry_id))
    return contracts


def _read(entry: ConfigEntry, terms: Terms) -> tuple[list[Contract], dict[str, str]]:
    """Return the contracts that can be, and what is wrong with the others by their ids."""
    contracts: list[Contract] = []
    broken: dict[str, str] = {}
    for subentry in entry.get_subentries_of_type(SUBENTRY_CONTRACT):
        try:
            contracts.append(contract_of(subentry.subentry_id, subentry.data, terms))
        except (ContractError, ImpossibleAmountError) as err:
            broken[subentry.subentry_id] = str(err).replace(subentry.subentry_id, subentry.title)
    return contracts, broken


def statistics_of(entry: ConfigEntry) -> frozenset[str]:
    """Return the statistics whose energy a site's contracts cover."""
    return frozenset(_statistics(entry))


def _statistics(entry: ConfigEntry) -> Iterator[str]:
    for subentry in entry.get_subentries_of_type(SUBENTRY_CONTRACT):
        statistic = subentry.data.get(CONF_STATISTIC)
        if subentry.data.get(CONF_COVERAGE) == Coverage.STATISTIC and statistic is not None:
            yield str(statistic)


@callback
def _tell(hass: HomeAssistant, subentry: ConfigSubentry, problem: str | None) -> None:
    """Raise the repair issue of a contract, or take it back; log what is new."""
    issue_id = f"{CONTRACT_ISSUE}{subentry.subentry_id}"
    issue = RepairIssue(hass, issue_id)
    if problem is None:
        issue.clear()
        return
    placeholders = {"contract": subentry.title, "problem": problem}
    known = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
    if known is None or known.translation_placeholders != placeholders:
        LOGGER.error("The contract %s cannot be used: %s", subentry.title, problem)
    issue.tell("contract_unusable", placeholders)


def _kind(contract_id: str, data: Mapping[str, Any]) -> ContractKind:
    kind = data.get(CONF_KIND)
    if kind not in tuple(ContractKind):
        raise ContractError(contract_id, f"{kind!r} is no kind of contract")
    return ContractKind(kind)


def _coverage(contract_id: str, kind: ContractKind, data: Mapping[str, Any]) -> Coverage | None:
    """Return what a contract covers, None for a residual mix."""
    possible = COVERAGES[kind]
    if not possible:
        return None
    told = data.get(CONF_COVERAGE, possible[0])
    if told not in possible:
        raise ContractError(contract_id, f"a {kind} cannot cover {told!r}")
    return Coverage(told)


def _midnight(contract_id: str, day: object, zone: tzinfo, days: int = 0) -> float | None:
    """Return when a local day begins, or one so many days later; None for no day."""
    if day is None:
        return None
    refusal = ContractError(contract_id, f"{day!r} is not a date")
    if not isinstance(day, str):
        raise refusal
    try:
        local = date.fromisoformat(day) + timedelta(days=days)
        return datetime.combine(local, time.min, tzinfo=zone).timestamp()
    except (ValueError, OverflowError) as err:
        raise refusal from err
