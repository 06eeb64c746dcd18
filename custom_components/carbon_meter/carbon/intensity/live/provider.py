"""What has to be known of a provider before it is asked: as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
import re
from typing import Final

from ...factors.factor import Scope
from ..source import IntensityKind
from .errors import ProviderAuthError, ProviderZoneError

HOUR: Final = 3600.0
DAY: Final = 86400.0


class Need(StrEnum):
    """What a user has to give beside the zone."""

    KEY = "key"
    """A key or token that the provider hands out after registration."""

    ACCOUNT = "account"
    """A user name and a password."""


class Basis(StrEnum):
    """Whose energy emissions are divided by."""

    CONSUMPTION = "consumption"
    """What is consumed in the zone, imports and exports accounted for."""

    PRODUCTION = "production"
    """What is generated in the zone."""


@dataclass(frozen=True, kw_only=True)
class Provider:
    """One provider: whom it serves, what it tells, what it asks for, how gently it is asked.

    All times are in seconds.
    """

    key: str
    name: str
    base_url: str
    zones: Mapping[str, str] = field(default_factory=dict)
    """Names of the zones by what stands for them; empty where there are too many to list."""

    zone_form: str = ""
    """A regular expression that a zone fulfils beside those that are listed."""

    zone_hint: str = ""
    """What a zone looks like, for the form."""

    countries: Mapping[str, str] | None = None
    """Countries that it serves (ISO 3166-1 alpha-2) with the zone to suggest there.

    The zone is empty where the user has to choose among several; None for places of the world.
    """

    zone_is_country: bool = False
    """Whether a country is a zone by its code, where `countries` does not say more."""

    need: Need | None = None
    register: str = ""
    """Where the user gets the key or the account."""

    kind: IntensityKind = IntensityKind.AVERAGE
    scope: Scope | None = None
    """None where the provider does not say, or says it with each answer."""

    basis: Basis | None
    """None where the provider does not say, and for marginal intensities."""

    tells_mix: bool = False
    """Whether it tells what was generated from what, which is weighed here."""

    includes_td: bool | None
    """Whether losses of the grid are counted already; None where the provider does not say."""

    licence: str
    attribution: str
    terms: str = ""
    """Where the licence and the terms of use stand."""

    spacing: float
    """Between two requests, on average."""

    burst: int = 1
    """Requests that may follow each other without spacing."""

    auth_statuses: frozenset[int] = frozenset({401})
    """HTTP statuses that mean that the key or password is not accepted."""

    ban: float = 900.0
    """To wait after `429` without a word on how long."""

    refresh: float
    """Between two refreshes."""

    step: float
    """The length of an interval."""

    tail: float = 26 * HOUR
    """The time before now that is asked for at each refresh: values come late and are revised."""

    carry: float = 0.0
    """For how long the last value stands in for the one that is not published yet."""

    horizon: float = 0.0
    """How far the provider's own forecast reaches; 0 without one."""

    chunk: float
    """The longest stretch of one query."""

    since: float | None = None
    """When its history begins, in seconds since 1970 UTC; None where that is not known."""

    def serves(self, country: str | None) -> bool:
        """Return whether it serves places in a country (ISO 3166-1 alpha-2), None for unknown."""
        return self.countries is None or country in self.countries

    def suggested_zone(self, country: str | None) -> str:
        """Return the zone to suggest in a country, empty where there is none or a choice."""
        if self.countries is not None:
            return self.countries.get(country or "", "")
        return country or "" if self.zone_is_country else ""

    def zone(self, text: str) -> str:
        """Return a zone as the provider writes it; raises ProviderZoneError for none of its."""
        zone = text.strip()
        for known in self.zones:
            if zone.casefold() == known.casefold():
                return known
        if self.zone_form and (match := re.fullmatch(self.zone_form, zone, re.IGNORECASE)):
            return match[0].upper()
        if not zone and len(self.zones) == 1:
            return next(iter(self.zones))
        raise ProviderZoneError(f"{text[:40]!r} is not a zone of {self.name}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """What a user gives to be served."""

    zone: str = ""
    key: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)

    def checked(self, provider: Provider) -> Access:
        """Return it with the zone as the provider writes it and no blanks around secrets.

        Raises ProviderZoneError, or ProviderAuthError where something is missing or cannot be
        sent.
        """
        access = Access(
            zone=provider.zone(self.zone),
            key=self.key.strip(),
            username=self.username.strip(),
            password=self.password,
        )
        missing = {
            None: False,
            Need.KEY: not access.key,
            Need.ACCOUNT: not (access.username and access.password),
        }
        if missing[provider.need]:
            raise ProviderAuthError(f"{provider.name} wants a {provider.need}")
        if not all(text.isprintable() for text in (access.key, access.username, access.password)):
            raise ProviderAuthError("a key or password has characters that cannot be sent")
        return access
