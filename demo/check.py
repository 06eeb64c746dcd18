"""Whether the carbon figures are right: the virtual home's truth against Home Assistant's books."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
import time
from typing import Any, Final

from demo.client import HomeAssistantClient
from demo.processes import Progress
from demo.virtual_home import VirtualHome

ENERGY_TOLERANCE: Final = 1.0
"""Wh: what the issue of a figure to people may differ by."""

CARBON_TOLERANCE: Final = 1e-6
"""Relative."""

_WITHIN: Final = 120.0
"""Seconds for all of it."""

_LEAST: Final = 100.0
"""Wh that must have flowed, so that a wrong figure shows."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One meter's books, and whether they are right."""

    meter: str
    shown: float
    """Wh by which the meter's counter rose."""

    booked: float
    """Wh of the ledger."""

    carbon: float
    """g of the ledger."""

    intensity: float
    """gCO2eq/kWh that the energy was to be weighed with."""

    @property
    def expected_carbon(self) -> float:
        """Return energy times intensity in g."""
        return self.booked / 1000 * self.intensity

    @property
    def right(self) -> bool:
        """Return whether energy and carbon are within the tolerances."""
        return (
            abs(self.booked - self.shown) <= ENERGY_TOLERANCE
            and abs(self.carbon - self.expected_carbon) <= CARBON_TOLERANCE * self.expected_carbon
            and self.booked > 0
        )

    def __str__(self) -> str:
        """Return one line."""
        return (
            f"{'right' if self.right else 'WRONG'}  {self.meter}: counter {self.shown:.1f} Wh, "
            f"booked {self.booked:.1f} Wh, {self.carbon:.3f} g at {self.intensity:.2f} gCO2eq/kWh"
        )


def counters(state: Mapping[str, Any]) -> dict[tuple[int, int], float]:
    """Return what the import counters of a virtual home show, in Wh, by port and unit."""
    return {
        (meter["port"], meter["unit"]): meter["shown"]["energy_import"]
        for meter in state["meters"].values()
    }


async def check(
    client: HomeAssistantClient,
    entry_id: str,
    home: VirtualHome,
    before: Mapping[tuple[int, int], float],
    *,
    speed: float,
) -> list[Verdict]:
    """Let energy flow, stop the virtual home's clock, and compare.

    `before` is what the counters showed when the meters were added, with the clock
    standing. Raises TimeoutError when the books do not come to rest in time.
    """
    deadline = time.monotonic() + _WITHIN
    await home.control("clock", speed=speed)
    with Progress(f"letting energy flow at {speed:g} times the pace") as progress:
        while not _enough(before, counters(await home.state())):
            _in_time(deadline, "not enough energy has flowed")
            progress.show()
            await asyncio.sleep(0.5)
    await home.control("clock", freeze=True)
    after = counters(await home.state())
    with Progress("waiting for the books") as progress:
        while True:
            verdicts = await _verdicts(client, entry_id, before, after)
            if all(verdict.right for verdict in verdicts):
                return verdicts
            if time.monotonic() > deadline:
                return verdicts
            progress.show()
            await asyncio.sleep(0.5)


async def page_answers(client: HomeAssistantClient) -> None:
    """Ask what the page in the browser asks before it shows anything.

    Raises ClientError when one of the questions has no answer: the page would stay empty.
    """
    for command in ("get_config", "get_services", "get_panels", "get_states", "auth/current_user"):
        await client.command(command)
    for category in ("entity", "entity_component", "title"):
        await client.command("frontend/get_translations", language="en", category=category)
    await client.command("config/entity_registry/list_for_display")


def _enough(before: Mapping[tuple[int, int], float], now: Mapping[tuple[int, int], float]) -> bool:
    return max(now[key] - before[key] for key in before) >= _LEAST


def _in_time(deadline: float, what: str) -> None:
    if time.monotonic() > deadline:
        raise TimeoutError(what)


async def _verdicts(
    client: HomeAssistantClient,
    entry_id: str,
    before: Mapping[tuple[int, int], float],
    after: Mapping[tuple[int, int], float],
) -> list[Verdict]:
    """Return the books of every meter that has carbon, from the integration's diagnostics."""
    diagnostics = (await client.get(f"/api/diagnostics/config_entry/{entry_id}"))["data"]
    subentries = {
        subentry["subentry_id"]: subentry for subentry in diagnostics["entry"]["subentries"]
    }
    names = {
        subentry["subentry_id"]: subentry["title"] for subentry in await client.subentries(entry_id)
    }
    verdicts: list[Verdict] = []
    for subentry_id, meter in diagnostics["meters"].items():
        data = subentries[subentry_id]["data"]
        if data["role"] not in ("grid", "submeter"):
            continue
        place = (data["port"], data["unit"])
        verdicts.append(
            Verdict(
                meter=names[subentry_id],
                shown=after[place] - before[place],
                booked=meter["total"]["import_energy"],
                carbon=meter["total"]["carbon"],
                intensity=diagnostics["intensity"]["value"],
            )
        )
    return verdicts
