"""Whether the carbon figures are right: the virtual home's truth against Home Assistant's books."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import math
import time
from typing import Final

from demo.acts import DAY, NIGHT, REST, Act
from demo.books import Kept, read_kept
from demo.client import HomeAssistantClient
from demo.config_dir import Place
from demo.grid_signal import intensity_at
from demo.oracle import Books, Flows, books_of
from demo.processes import Progress
from demo.site import ROUND_TRIP
from demo.virtual_home import VirtualHome

ENERGY_TOLERANCE: Final = 1.0
"""Wh: what the issue of a figure to people may differ by."""

CARBON_TOLERANCE: Final = 1e-6
"""Relative."""

_SHOWN: Final = 1e-3
"""g: what a sensor in kg may be rounded by."""

_WITHIN: Final = 120.0
"""Seconds for the books to come to rest."""

_LEAST: Final = 100.0
"""Wh that must flow in each act, so that a wrong figure shows."""

_INTERVAL: Final = 300.0
"""Seconds by which carbon is kept."""

_NEEDED: Final = 30.0
"""Seconds that all acts take at most; the end of an interval must not come between."""

_MARGIN: Final = 3.0
"""Seconds after which all meters have been read again."""

_BEGUN: Final = 15.0
"""Seconds of an interval in which all meters have been read, also after a reload at its begin."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One figure of the books, and whether it is right."""

    name: str
    booked: float
    expected: float
    unit: str
    tolerance: float

    @property
    def right(self) -> bool:
        """Return whether the figure is within its tolerance."""
        return abs(self.booked - self.expected) <= self.tolerance

    def __str__(self) -> str:
        """Return one line."""
        word = "right" if self.right else "WRONG"
        return (
            f"{word}  {self.name}: booked {self.booked:.3f} {self.unit}, "
            f"expected {self.expected:.3f} {self.unit}"
        )


@dataclass(frozen=True, kw_only=True)
class Counters:
    """What the counters of a virtual home show, and what truly has flowed, in Wh by node."""

    shown: Mapping[str, tuple[float, float]]
    """Import and export; the integration knows no other."""

    true: Mapping[str, tuple[float, float]]

    @classmethod
    async def read(cls, home: VirtualHome) -> Counters:
        """Return the counters of now."""
        meters = (await home.state())["meters"].values()

        def both(kind: str) -> dict[str, tuple[float, float]]:
            return {
                meter["node"]: (
                    meter[kind]["energy_import"],
                    meter[kind].get("energy_export", 0.0),
                )
                for meter in meters
            }

        return cls(shown=both("shown"), true=both("true"))


def flows_between(before: Counters, after: Counters, grid: float) -> Flows:
    """Return what the counters have gained, as they show it."""
    return Flows(
        imported={node: after.shown[node][0] - before.shown[node][0] for node in after.shown},
        exported={node: after.shown[node][1] - before.shown[node][1] for node in after.shown},
        grid=grid,
    )


async def check(
    client: HomeAssistantClient,
    entry_id: str,
    home: VirtualHome,
    *,
    speed: float,
    thorough: bool = False,
) -> list[Verdict]:
    """Let energy flow in a home that rests, let it rest again, and compare.

    With `thorough` the evening begins in the next five minutes, so that the battery gives what it
    was seen to take; without, all is mixed within the same five. Raises TimeoutError when not
    enough flows.
    """
    first = await Counters.read(home)
    intervals: list[Flows] = []
    before = first
    for acts in (DAY, NIGHT) if thorough else ((*DAY, *NIGHT),):
        await _wait_for_room(next_one=bool(intervals))
        grid = intensity_at(time.time(), Place().time_zone)
        after = await _play(home, acts, before, speed)
        intervals.append(flows_between(before, after, grid))
        before = after
    books = books_of(intervals, round_trip=ROUND_TRIP)
    await _all_booked(client, entry_id, first, before)
    # A site enters its books when it is unloaded, not only every five minutes.
    await client.reload(entry_id)
    deadline = time.monotonic() + _WITHIN
    with Progress("waiting for the books") as progress:
        while True:
            kept = await read_kept(client, entry_id)
            found = [*_energies(kept, first, before), *_carbon(kept, books)]
            if all(verdict.right for verdict in found) or time.monotonic() > deadline:
                return found
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


async def _wait_for_room(*, next_one: bool) -> None:
    """Wait until an interval has begun, and is not about to end."""
    since = time.time() % _INTERVAL
    if not next_one and _BEGUN < since < _INTERVAL - _NEEDED:
        return
    until = time.monotonic() + (_INTERVAL - since if since > _BEGUN else -since) + _BEGUN
    with Progress("waiting for the next five minutes") as progress:
        while time.monotonic() < until:
            progress.show()
            await asyncio.sleep(0.5)


async def _play(home: VirtualHome, acts: Sequence[Act], before: Counters, speed: float) -> Counters:
    """Play acts one after the other; return what the counters show when the home rests again."""
    now = before
    await home.control("clock", speed=speed)
    for act in acts:
        await act.begin(home)
        deadline = time.monotonic() + _NEEDED
        with Progress(f"{act.name}, at {speed:g} times the pace") as progress:
            begin = now
            while _most(begin, now := await Counters.read(home)) < _LEAST:
                if time.monotonic() > deadline:
                    msg = f"not enough energy has flowed in {act.name}"
                    raise TimeoutError(msg)
                progress.show()
                await asyncio.sleep(0.5)
    await REST.begin(home)
    await home.control("clock", speed=1)
    return await Counters.read(home)


def _most(before: Counters, now: Counters) -> float:
    """Return the most that any counter has gained."""
    return max(
        after - earlier
        for node in now.true
        for after, earlier in zip(now.true[node], before.true[node], strict=True)
    )


async def _all_booked(
    client: HomeAssistantClient, entry_id: str, before: Counters, after: Counters
) -> None:
    """Wait until the last of every counter is booked; what is missing then shows as a verdict."""
    deadline = time.monotonic() + _WITHIN
    with Progress("waiting for the last readings") as progress:
        while time.monotonic() < deadline:
            kept = await read_kept(client, entry_id)
            if all(verdict.right for verdict in _energies(kept, before, after)):
                break
            progress.show()
            await asyncio.sleep(0.5)
        await asyncio.sleep(_MARGIN)


def _energies(kept: Kept, before: Counters, after: Counters) -> list[Verdict]:
    """Return whether the energies of the meters are those that truly have flowed."""
    found: list[Verdict] = []
    for node, booked in kept.energy.items():
        for way, place in (("imported", 0), ("exported", 1)):
            expected = after.true[node][place] - before.true[node][place]
            if expected or booked[place]:
                found.append(
                    Verdict(
                        name=f"{kept.names[node]}, energy {way}",
                        booked=booked[place],
                        expected=expected,
                        unit="Wh",
                        tolerance=ENERGY_TOLERANCE,
                    )
                )
    return found


def _carbon(kept: Kept, books: Books) -> list[Verdict]:
    """Return whether every figure of carbon is what the counters and the signal make it."""
    expected: dict[tuple[str, str], float] = {
        ("site", "import carbon"): books.import_carbon,
        ("site", "export carbon"): books.export_carbon,
        ("site", "avoided by export"): books.avoided,
        ("site", "used energy"): books.used,
        ("site", "used carbon"): books.used_carbon,
        ("grid", "carbon"): books.import_carbon,
        ("battery", "carbon charged"): books.charge_carbon,
        ("battery", "carbon discharged"): books.discharge_carbon,
        **{(node, "carbon"): carbon for node, carbon in books.drawn_carbon.items()},
    }
    found = [
        Verdict(
            name=f"{kept.names[owner]}, {figure}",
            booked=kept.figures.get((owner, figure), 0.0),
            expected=value,
            unit="Wh" if "energy" in figure else "g",
            tolerance=CARBON_TOLERANCE * value,
        )
        for (owner, figure), value in expected.items()
    ]
    expected["battery", "carbon stored"] = books.stored_carbon
    found += [
        Verdict(
            name=f"{kept.names[owner]}, {figure} (sensor)",
            booked=grams,
            expected=expected[owner, figure],
            unit="g",
            tolerance=_SHOWN,
        )
        for (owner, figure), grams in kept.shown.items()
    ]
    stored = kept.figures.get(("battery", "carbon charged"), 0.0) + books.opening_carbon
    stored -= kept.figures.get(("battery", "carbon discharged"), 0.0)
    found.append(
        Verdict(
            name="Battery, charged + opening - discharged",
            booked=stored,
            expected=kept.shown.get(("battery", "carbon stored"), math.nan),
            unit="g",
            tolerance=_SHOWN,
        )
    )
    return found
