"""Meters that a search has found: each once, whatever the ways it was found by."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
import re
from typing import Any

from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant

from ..const import CONF_UNIT
from ..driver import Find, MeterDriver
from ..flows.drafts import MeterDraft, is_configured, meter_data, meter_unique_id, place_id
from ..metering.candidate import Candidate


@dataclass(frozen=True, kw_only=True)
class FoundMeter:
    """One meter that can be added."""

    driver: MeterDriver
    address: Mapping[str, Any]
    candidates: tuple[Candidate, ...]
    """What it may be, the best guess first; just one where the device proves it."""

    companions: tuple[Candidate, ...]
    """All that answers at the address, this meter among them."""

    @property
    def best(self) -> Candidate:
        """Return what it most probably is."""
        return self.candidates[0]

    @property
    def host(self) -> str:
        """Return the host, empty where the protocol has none."""
        return str(self.address.get(CONF_HOST, ""))

    @property
    def key(self) -> str:
        """Return what stands for the meter in a form."""
        place = place_id(self.driver, self.draft({}).data)
        return f"{self.driver.key}:{place}"

    @property
    def place(self) -> str:
        """Return where it is, for people."""
        if not self.host:
            return self.driver.name
        port = f":{self.address[CONF_PORT]}" if CONF_PORT in self.address else ""
        unit = f" #{self.address[CONF_UNIT]}" if CONF_UNIT in self.address else ""
        return f"{self.host}{port}{unit}"

    @property
    def unique_id(self) -> str:
        """Return what tells the meter from every other."""
        return meter_unique_id(self.driver, self.address, self.best, self.companions)

    def draft(
        self,
        settings: Mapping[str, Any],
        *,
        candidate: Candidate | None = None,
        title: str = "",
    ) -> MeterDraft:
        """Return the meter as it is to be added, as its best candidate or as a chosen one."""
        chosen = candidate or self.best
        return MeterDraft(
            title=title or chosen.name,
            data=meter_data(self.driver, self.address, chosen, settings),
            unique_id=meter_unique_id(self.driver, self.address, chosen, self.companions),
        )


def found_meters(driver: MeterDriver, finds: Iterable[Find]) -> list[FoundMeter]:
    """Return the meters at the addresses: every proved one, else one with all its guesses."""
    meters: list[FoundMeter] = []
    for address, candidates in finds:
        proved: list[tuple[Candidate, ...]] = [
            (candidate,) for candidate in candidates if candidate.certain
        ]
        meters += [
            FoundMeter(
                driver=driver, address=address, candidates=choices, companions=tuple(candidates)
            )
            for choices in proved or ([tuple(candidates)] if candidates else [])
        ]
    return meters


def distinct(meters: Iterable[FoundMeter]) -> list[FoundMeter]:
    """Return each meter once, by host and unit id.

    The same number at two addresses of a host, or of the same maker at two hosts, is the
    same meter: the one that is proved stays, else the one that was found first. So it is
    for two protocols of one host of which one knows no number, when the maker is the same.
    """
    kept: list[FoundMeter] = []
    for meter in sorted(meters, key=lambda meter: not meter.best.certain):
        if not any(_same(meter, other) for other in kept):
            kept.append(meter)
    return sorted(kept, key=_order)


def _same(one: FoundMeter, other: FoundMeter) -> bool:
    """Return whether two finds are one meter."""
    if one.driver is other.driver and one.address == other.address:
        return one.key == other.key
    if one.unique_id == other.unique_id:
        return True
    if not one.host or one.host != other.host:
        return False
    numbers = {_number(one.best.serial), _number(other.best.serial)}
    if "" not in numbers:
        return len(numbers) == 1
    if one.driver is other.driver:
        return False
    return _maker(one) == _maker(other)


def _number(serial: str) -> str:
    """Return a number without what makers write between its digits."""
    return re.sub(r"[^0-9a-z]", "", serial.lower())


def _maker(meter: FoundMeter) -> str:
    return (meter.best.manufacturer or meter.best.profile.vendor).lower()


def _order(meter: FoundMeter) -> tuple[Any, ...]:
    """Sort addresses as people do: 9 before 10."""
    try:
        host: tuple[int, Hashable] = (0, int(ip_address(meter.host)))
    except ValueError:
        host = (1, meter.host)
    return (*host, meter.address.get(CONF_PORT, 0), meter.address.get(CONF_UNIT, 0), meter.key)


def new_meters(
    hass: HomeAssistant, drivers: Mapping[str, MeterDriver], meters: Sequence[FoundMeter]
) -> list[FoundMeter]:
    """Return the meters that no site has yet, as any of what they may be."""
    return [
        meter
        for meter in meters
        if not any(
            is_configured(hass, drivers, meter.draft({}, candidate=candidate))
            for candidate in meter.candidates
        )
    ]
