"""Found meters that Home Assistant reads already, by another integration."""

from collections import Counter
from collections.abc import Sequence

from homeassistant.core import HomeAssistant

from ..identities import adopted_identities, host_identity, known_elsewhere, serial_identity
from .found import FoundMeter


def readers(hass: HomeAssistant, meters: Sequence[FoundMeter]) -> dict[str, str]:
    """Return the integrations that read some of the meters, by the meters' keys.

    Of several meters at one host the host tells nothing: it is a gateway.
    """
    hosts = _own_hosts(meters)
    found: dict[str, str] = {}
    for meter in meters:
        entry = known_elsewhere(hass, host=hosts.get(meter.key), serial=meter.best.serial or None)
        if entry is not None:
            found[meter.key] = f"{entry.domain} ({entry.title})"
    return found


def not_adopted(hass: HomeAssistant, meters: Sequence[FoundMeter]) -> list[FoundMeter]:
    """Return the meters that no site has by the entities of another integration."""
    hosts = _own_hosts(meters)
    adopted = adopted_identities(hass)
    return [
        meter
        for meter in meters
        if not adopted
        & {serial_identity(meter.best.serial), host_identity(hosts.get(meter.key, ""))}
    ]


def _own_hosts(meters: Sequence[FoundMeter]) -> dict[str, str]:
    """Return the hosts of the meters that share theirs with none, by their keys."""
    counts = Counter(meter.host for meter in meters)
    return {meter.key: meter.host for meter in meters if meter.host and counts[meter.host] == 1}
