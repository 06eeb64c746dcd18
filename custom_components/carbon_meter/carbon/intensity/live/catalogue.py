"""All providers, and how one is opened."""

from collections.abc import Mapping
import math
from types import MappingProxyType
from typing import Final

from .eco2mix import Eco2mixSource
from .eia import EiaSource
from .electricity_maps import ElectricityMapsSource
from .energinet import EnerginetSource
from .energy_charts import EnergyChartsSource
from .entsoe import EntsoeSource
from .fingrid import FingridSource
from .live_source import LiveSource
from .ned import NedSource
from .neso import NesoRegionalSource, NesoSource
from .open_electricity import OpenElectricitySource
from .provider import Access, Provider
from .surroundings import Surroundings
from .watttime import WattTimeSource

_SOURCES: Final[Mapping[str, type[LiveSource]]] = MappingProxyType(
    {
        source.provider.key: source
        for source in (
            NesoSource,
            NesoRegionalSource,
            EnergyChartsSource,
            EnerginetSource,
            ElectricityMapsSource,
            WattTimeSource,
            EntsoeSource,
            Eco2mixSource,
            EiaSource,
            OpenElectricitySource,
            FingridSource,
            NedSource,
        )
    }
)

PROVIDERS: Final[Mapping[str, Provider]] = MappingProxyType(
    {key: source.provider for key, source in _SOURCES.items()}
)
"""Descriptions by key, in the order in which they are offered."""


def by_nearness(country: str | None) -> list[Provider]:
    """Return all providers: those of a country first, free before others, its own before wide ones.

    `country` is its ISO 3166-1 alpha-2 code, None where it is not known.
    """
    return sorted(
        PROVIDERS.values(),
        key=lambda provider: (
            not provider.serves(country),
            provider.need is not None,
            math.inf if provider.countries is None else len(provider.countries),
        ),
    )


def open_source(
    key: str, access: Access, surroundings: Surroundings, *, base_url: str | None = None
) -> LiveSource:
    """Return the source of a provider; nothing is asked yet.

    `base_url` is where the provider is, if elsewhere than described. Raises LookupError for an
    unknown key, ProviderZoneError or ProviderAuthError for an access that cannot be right.
    """
    if key not in _SOURCES:
        raise LookupError(f"there is no provider {key!r}")
    return _SOURCES[key](surroundings, access, base_url=base_url)
