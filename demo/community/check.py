"""Whether the community's figures are right: the homes' own books against what the hub shows."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
import time
from typing import Any, Final

from custom_components.carbon_meter.community.contract.message import Flow
from custom_components.carbon_meter.community.ledger.calendar import Grain
from demo.check import Verdict
from demo.community import hub
from demo.community.homes import DAY, HOUR, Part, SimulatedHome, sums
from demo.community.places import GROUPS
from demo.community.village import Past, Village
from demo.processes import wait_until

_FLOWS: Final = (Flow.GRID_IMPORT, Flow.GRID_EXPORT, Flow.PV)
_LEAST_HOMES: Final = 15
_OPEN: Final = 3 * HOUR
"""Seconds after which an hour is published for sure."""

_WITHIN: Final = 300.0


async def check(village: Village, past: Past) -> list[Verdict]:
    """Compare hours, days and months, then let somebody do harm and the late ones tell.

    The homes have told their past and the hub has heard them.
    """
    await publish(village, past)
    end = int(time.time()) // HOUR * HOUR - _OPEN
    found = await _periods(village, "hour", past.hourly, end)
    found += await _periods(village, "day", past.since, past.until)
    found += await _parts(village, past)
    found += await _months(village, past)
    found += await _missing(village, end)
    found += await _harm(village)
    found += await _late(village)
    return found


async def publish(village: Village, past: Past) -> None:
    """Load the hub again: it then publishes what has come, without waiting for the hour."""
    await village.client.reload(village.entry_id)

    async def published() -> bool:
        # Months come last: they are made of days, and these of hours.
        found = await hub.view(
            village.client, "month", _iso(past.since + 2 * DAY), _iso(past.hourly)
        )
        return bool(found["periods"])

    await wait_until("the hub publishes", published, within=_WITHIN, every=1.0)


async def _periods(village: Village, grain: str, begin: int, end: int) -> list[Verdict]:
    """Compare every published period in [begin, end), flow by flow."""
    found = await hub.view(village.client, grain, _iso(begin), _iso(end))
    verdicts = [
        verdict
        for period in found["periods"]
        for flow in _FLOWS
        for verdict in _verdicts(village.honest, grain, period, flow)
    ]
    is_shown = village.finest is Grain.HOUR if grain == "hour" else _are_enough(village.honest)
    return [*verdicts, _count(f"{grain}s show figures", bool(verdicts), is_shown)]


async def _parts(village: Village, past: Past) -> list[Verdict]:
    """Compare the days of feeders and groups; what is too small has to be hidden."""
    verdicts = []
    for name in sorted(village.scopes):
        homes = [home for home in village.honest if village.is_in(home, name)]
        scope = "group" if name in GROUPS else "feeder"
        found = await hub.view(
            village.client, "day", _iso(past.since), _iso(past.until), scope=scope, name=name
        )
        shown = [
            verdict
            for period in found["periods"]
            for flow in _FLOWS
            for verdict in _verdicts(homes, f"{name}, day", period, flow)
        ]
        verdicts += shown
        if scope == "feeder" or not _are_enough(homes):
            verdicts.append(_count(f"{name} shows figures", bool(shown), _are_enough(homes)))
    return verdicts


def _are_enough(homes: Sequence[SimulatedHome]) -> bool:
    return len(homes) >= _LEAST_HOMES


def _verdicts(
    homes: Sequence[SimulatedHome], grain: str, period: Mapping[str, Any], flow: Flow
) -> Iterator[Verdict]:
    """Yield whether Wh and mg of a period are those that the homes have told."""
    figures = hub.flow_of(period, flow)
    if figures is None or figures["suppressed"] is not None:
        return
    begin, end = _moment(period["begin"]), _moment(period["end"])
    longest = HOUR if grain == "hour" else DAY
    own = sums(homes, begin, end, longest=longest).get(flow)
    if own is None:
        return
    name = f"{grain} of {datetime.fromtimestamp(begin, UTC):%Y-%m-%d %H:%M}, {flow.value}"
    for unit, factor, key, expected in (
        ("Wh", 1000, "kwh", own.wh),
        ("mg", 1_000_000, "kg", own.mg),
    ):
        # Carbon is left out, or not exact, where it would tell a few homes apart.
        is_exact = unit == "Wh" or not figures["is_approximate"]
        if (shown := figures[key]) is not None and is_exact:
            booked = float(round(shown * factor))
            yield Verdict(name=name, booked=booked, expected=expected, unit=unit, tolerance=0)


async def _months(village: Village, past: Past) -> list[Verdict]:
    """Compare the month before this one."""
    found = await hub.view(village.client, "month", _iso(past.since + 2 * DAY), _iso(past.hourly))
    return [
        verdict
        for period in found["periods"]
        for flow in _FLOWS
        for verdict in _verdicts(village.honest, "month", period, flow)
    ]


async def _missing(village: Village, end: int) -> list[Verdict]:
    """Check that who has not told the last hours is reported missing, and nobody else."""
    found = await hub.view(village.client, "hour", _iso(end - 12 * HOUR), _iso(end))
    verdicts = []
    for period in found["periods"]:
        start = _moment(period["begin"])
        figures = hub.flow_of(period, Flow.GRID_IMPORT)
        if figures is None or figures["suppressed"] is not None:
            continue
        told = sum((start, HOUR) in home.books for home in village.honest)
        hour = f"{datetime.fromtimestamp(start, UTC):%H:%M} UTC"
        verdicts += [
            _count(f"homes that have told the hour of {hour}", figures["homes"], told),
            _count("homes that should have", figures["expected"], len(village.honest)),
        ]
    return verdicts


async def _harm(village: Village) -> list[Verdict]:
    """Let the hostile home do harm; everything has to be refused, and nobody else to suffer."""
    if not any(home.part is Part.HOSTILE for home in village.homes):
        return []
    before = await _refused(village)
    harm = await village.attack()

    async def counted() -> bool:
        return await _refused(village) - before >= harm.sent_to_hub

    await wait_until("the hub refuses garbage", counted, within=_WITHIN)
    return [
        _count("messages to others' topics, refused by the broker", harm.refused_by_broker, 4),
        _count("garbage refused by the hub", await _refused(village) - before, harm.sent_to_hub),
    ]


async def _late(village: Village) -> list[Verdict]:
    """Let those tell who were away or late; the hub has to have it, and its sums to be sound."""
    end = int(time.time()) // HOUR * HOUR
    for home in village.honest:
        if home.is_silent:
            await home.tell(home.told_until or end, end)
            home.go_online()
    await village.until_heard()
    refused = sum(_refusals(home) for home in village.honest if home.part is not Part.CLOCK)
    return [
        _count("messages of honest homes refused", refused, 0),
        _count("sums that differ from a recomputation", await hub.recompute(village.client), 0),
    ]


def _refusals(home: SimulatedHome) -> int:
    return sum(home.link.status.refusals.values())


async def _refused(village: Village) -> int:
    """Return how many messages the hub has ever refused."""
    state = await hub.state_of(village.client, village.entry_id, "refused")
    return int(float(state)) if state.replace(".", "", 1).isdigit() else 0


def _count(name: str, booked: float, expected: float) -> Verdict:
    return Verdict(name=name, booked=float(booked), expected=expected, unit="", tolerance=0)


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat()


def _moment(text: str | float) -> int:
    """Return seconds since 1970 UTC of a moment, as text or as a number."""
    if isinstance(text, str):
        return int(datetime.fromisoformat(text).timestamp())
    return int(text)
