"""Which part of the local network may be searched."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Any, Final

from homeassistant.components import network
from homeassistant.core import HomeAssistant

ALLOWED: Final = tuple(
    IPv4Network(block)
    for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16")
)
"""Private and link-local networks. Sources: RFC 1918, RFC 3927."""

LARGEST: Final = 24
"""Prefix length of the largest network that is searched as a whole."""


@dataclass(frozen=True, kw_only=True)
class Subnet:
    """A network that Home Assistant is in, as far as it may be searched."""

    network: IPv4Network
    own: IPv4Address
    adapter: str = ""
    cut_from: IPv4Network | None = None
    """The larger network that it is a part of: that around the own address."""

    @property
    def hosts(self) -> list[str]:
        """Return every address but the own."""
        return [str(host) for host in self.network.hosts() if host != self.own]

    @property
    def label(self) -> str:
        """Return the network for people."""
        cut = f" ⊂ {self.cut_from}" if self.cut_from else ""
        return f"{self.network}{cut} ({self.adapter})"


async def async_subnets(hass: HomeAssistant) -> tuple[Subnet, ...]:
    """Return the networks of the adapters that the user has enabled in Home Assistant."""
    return subnets(await network.async_get_adapters(hass))


def subnets(adapters: Iterable[Mapping[str, Any]]) -> tuple[Subnet, ...]:
    """Return the private IPv4 networks of enabled adapters, none larger than a /24, each once."""
    found: dict[IPv4Network, Subnet] = {}
    for adapter in adapters:
        if not adapter["enabled"]:
            continue
        for address in adapter["ipv4"]:
            own = IPv4Interface(f"{address['address']}/{address['network_prefix']}")
            if not any(own.ip in block for block in ALLOWED):
                continue
            whole = own.network
            part = IPv4Interface(f"{own.ip}/{max(whole.prefixlen, LARGEST)}").network
            subnet = Subnet(
                network=part,
                own=own.ip,
                adapter=adapter["name"],
                cut_from=whole if part != whole else None,
            )
            found.setdefault(part, subnet)
    return tuple(found.values())
