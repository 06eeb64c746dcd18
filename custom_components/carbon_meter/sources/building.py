"""From the options of a site to its sources, in the user's order."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_ENTITY_ID
from homeassistant.core import HomeAssistant

from ..carbon.factors.library import FactorLibrary
from ..carbon.intensity.live.errors import ProviderError
from ..carbon.intensity.source import IntensityKind
from ..const import (
    CONF_KIND,
    CONF_MARGINAL,
    CONF_OFFER,
    CONF_PATH,
    CONF_SOURCES,
    CONF_TOPIC,
    CONF_UNIT,
    CONF_VALUE,
    CONF_ZONE,
    UNIT_INTENSITY,
    SourceKind,
)
from ..plugin import IntensityOffer
from .broken import BrokenRung
from .entity import EntityRung
from .fixed import FixedRung
from .live import LiveRung
from .offered import OfferedRung
from .opening import opened_source
from .rung import Rung
from .topic import TopicRung


@dataclass(frozen=True, kw_only=True)
class Builder:
    """What sources are made from."""

    hass: HomeAssistant
    entry: ConfigEntry
    factors: FactorLibrary
    offers: Mapping[str, IntensityOffer]

    def sources(self, options: Mapping[str, Any]) -> list[Rung]:
        """Return the sources of an account in the user's order, each of them once."""
        rungs: dict[str, Rung] = {}
        for given in options.get(CONF_SOURCES) or ():
            rung = self._made(options, given, IntensityKind.AVERAGE)
            rungs.setdefault(rung.info.id, rung)
        return list(rungs.values())

    def marginal(self, options: Mapping[str, Any]) -> Rung | None:
        """Return the marginal source, which is for avoided emissions only."""
        given = options.get(CONF_MARGINAL)
        return self._made(options, given, IntensityKind.MARGINAL) if given else None

    def _made(self, options: Mapping[str, Any], given: Any, kind: IntensityKind) -> Rung:
        """Return a source, or one that says why it cannot be."""
        try:
            return _of_kind(kind, self._source(options, given))
        except (ProviderError, LookupError, TypeError, ValueError, AttributeError) as err:
            known = given if isinstance(given, Mapping) else {}
            return BrokenRung(self.hass, self.entry, known, err)

    def _source(self, options: Mapping[str, Any], given: Mapping[str, Any]) -> Rung:
        """Return the source that an entry of the options names; raises what goes wrong."""
        match SourceKind(given[CONF_KIND]):
            case SourceKind.ENTITY:
                return EntityRung(self.hass, self.entry, given[CONF_ENTITY_ID])
            case SourceKind.TOPIC:
                unit = given.get(CONF_UNIT) or UNIT_INTENSITY
                path = given.get(CONF_PATH) or ""
                return TopicRung(self.hass, self.entry, given[CONF_TOPIC], unit, path)
            case SourceKind.FIXED:
                return FixedRung(float(given[CONF_VALUE]))
            case SourceKind.PLUGIN:
                key: str = given[CONF_OFFER]
                # The keys of other sources are none of its business.
                own = {CONF_ZONE: options[CONF_ZONE]} if CONF_ZONE in options else {}
                return OfferedRung(
                    self.hass, self.entry, (key, self.offers.get(key)), {**own, **given}
                )
            case SourceKind.LIVE:
                source = opened_source(self.hass, self.factors, given)
                return LiveRung(self.hass, self.entry, given, source)


def _of_kind(kind: IntensityKind, rung: Rung) -> Rung:
    """Return a source of the kind that is wanted; raises ValueError for another."""
    if rung.info.kind is not kind:
        raise ValueError(f"its intensities are {rung.info.kind}, not {kind}")
    return rung
