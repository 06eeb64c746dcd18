"""Only the user's own private networks are searched, and no more than a /24 of each."""

from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Any

from homeassistant.core import HomeAssistant
from hypothesis import given, strategies as st

from custom_components.carbon_meter.discovery.subnets import ALLOWED, async_subnets, subnets


def adapter(*addresses: str, enabled: bool = True) -> dict[str, Any]:
    interfaces = [IPv4Interface(address) for address in addresses]
    return {
        "name": "eth0",
        "enabled": enabled,
        "ipv4": [
            {"address": str(each.ip), "network_prefix": each.network.prefixlen}
            for each in interfaces
        ],
        "ipv6": [],
    }


def test_whole_network_without_the_own_address() -> None:
    (subnet,) = subnets([adapter("192.168.1.7/24")])
    assert subnet.network == IPv4Network("192.168.1.0/24")
    assert subnet.cut_from is None
    assert len(subnet.hosts) == 253
    assert "192.168.1.7" not in subnet.hosts
    assert not {"192.168.1.0", "192.168.1.255"} & set(subnet.hosts)


def test_larger_network_is_cut_and_says_so() -> None:
    (subnet,) = subnets([adapter("10.20.30.40/8")])
    assert subnet.network == IPv4Network("10.20.30.0/24")
    assert subnet.cut_from == IPv4Network("10.0.0.0/8")
    assert "10.0.0.0/8" in subnet.label


def test_smaller_network_stays_as_it_is() -> None:
    (subnet,) = subnets([adapter("172.16.0.5/30")])
    assert subnet.hosts == ["172.16.0.6"]


def test_disabled_public_and_loopback_networks_are_left_out() -> None:
    assert not subnets([adapter("192.168.1.7/24", enabled=False)])
    assert not subnets([adapter("8.8.8.8/24", "127.0.0.1/8", "100.64.0.1/24")])


def test_network_of_two_adapters_is_one() -> None:
    assert len(subnets([adapter("192.168.1.7/24"), adapter("192.168.1.8/24")])) == 1


async def test_networks_of_home_assistant(hass: HomeAssistant) -> None:
    assert [str(each.network) for each in await async_subnets(hass)] == ["10.10.10.0/24"]


@given(
    st.ip_addresses(v=4),
    st.integers(0, 32),
)
def test_nothing_large_or_foreign_is_ever_searched(address: IPv4Address, prefix: int) -> None:
    for subnet in subnets([adapter(f"{address}/{prefix}")]):
        assert subnet.network.num_addresses <= 256
        assert subnet.own not in map(IPv4Address, subnet.hosts)
        assert any(subnet.own in block for block in ALLOWED)
