"""`scripts/demo --community`: shows a community, or checks one without a browser."""

import asyncio
from pathlib import Path
import shutil
import sys
import time
from typing import Final

from demo.check import Verdict
from demo.community.check import check, publish
from demo.community.dashboard import show_dashboard
from demo.community.figures import Entities, all_there, find_entities, read_table
from demo.community.homes import HOUR, Part
from demo.community.village import Past, Village, running_village
from demo.config_dir import Settings
from demo.home_assistant import free_port
from demo.processes import Children, wait_until

_REFRESH: Final = 2.0
_TURN: Final = 90.0
"""Seconds after which somebody comes back or goes away."""

_WITHIN: Final = 120.0
"""Seconds within which the sensors show what is published."""

_MADE_OF: Final = "made_of"
"""File that says of what the community of a run was made."""

_LAYOUT: Final = 1
"""Another one where homes are or play something else than before."""

_SHOWN: Final = 12
"""Verdicts of a kind that are printed."""


async def show(children: Children, state: Path, port: int, count: int, *, fresh: bool) -> int:
    """Run until Ctrl-C, with a live table."""
    if fresh or not _is_of(state, count):
        shutil.rmtree(state, ignore_errors=True)
    settings = Settings(port=port)
    async with running_village(children, state, settings, count, fresh=fresh) as village:
        past = Past.of(time.time())
        await village.tell_past(past, time.time())
        await publish(village, past)
        (state / _MADE_OF).write_text(_made_of(count), encoding="ascii")
        entities = await _shown(village)
        path = await _dashboard(village, entities)
        account = village.home_assistant.account
        _say(
            "",
            f"  open     {village.home_assistant.url}{path}",
            f"  account  {account.username}",
            f"  password {account.password}",
            "",
            "  Ctrl-C ends everything.",
            "",
        )
        await asyncio.gather(_live_table(village, entities), _live(village))
    return 0


async def run_check(children: Children, state: Path, count: int) -> int:
    """Run headless until the figures are right; the exit code says whether they are."""
    settings = Settings(port=free_port())
    async with running_village(children, state, settings, count, fresh=True) as village:
        past = Past.of(time.time())
        await village.tell_past(past, time.time())
        verdicts = await check(village, past)
        entities = await _shown(village)
        await _dashboard(village, entities)
        lines = await read_table(village.client, entities, village.homes, village.finest)
        _say("", *lines, "", *_summary(verdicts))
        problems = village.home_assistant.problems()
        for line in problems:
            _say(f"the log has an error: {line}")
        if problems or not verdicts or not all(verdict.right for verdict in verdicts):
            return 1
        _say("", f"all {len(verdicts)} figures are right, and the log has no error")
    return 0


def _is_of(state: Path, count: int) -> bool:
    """Return whether the community of an earlier run is this one; begin anew where it is not."""
    if not state.exists():
        return True
    made_of = state / _MADE_OF
    if made_of.exists() and made_of.read_text(encoding="ascii") == _made_of(count):
        return True
    _say("The earlier community had other homes: a new one is begun.")
    return False


def _made_of(count: int) -> str:
    return f"{_LAYOUT} {count}\n"


def _summary(verdicts: list[Verdict]) -> list[str]:
    """Return what is wrong, and some of what is right."""
    wrong = [verdict for verdict in verdicts if not verdict.right]
    right = [verdict for verdict in verdicts if verdict.right]
    shown = [*wrong, *right[:_SHOWN], *right[_SHOWN:][-_SHOWN:]]
    lines = [str(verdict) for verdict in shown]
    if len(shown) < len(verdicts):
        lines.append(f"... and {len(verdicts) - len(shown)} more that are right")
    return lines


async def _shown(village: Village) -> Entities:
    """Wait until the sensors show what is published; return them.

    Those of feeders and groups come with their first figures.
    """
    found = await find_entities(village.client, village.entry_id)

    async def done() -> bool:
        nonlocal found
        found = await find_entities(village.client, village.entry_id)
        return await all_there(village.client, found, village.scopes, village.finest)

    await wait_until("the sensors show it", done, within=_WITHIN, every=0.5)
    return found


async def _dashboard(village: Village, entities: Entities) -> str:
    """Make the dashboard; return its path."""
    statistics = f"carbon_meter:{village.entry_id.lower()}"
    return await show_dashboard(village.client, entities, statistics, village.finest)


async def _live(village: Village) -> None:
    """Let homes tell each hour that ends; now and then somebody comes back or goes away."""
    told = int(time.time()) // HOUR * HOUR
    turn = time.monotonic() + _TURN
    while True:
        now = int(time.time()) // HOUR * HOUR
        if now > told:
            for home in village.honest:
                if home.wants_to_speak:
                    await home.tell(home.told_until or told, now)
            told = now
        if time.monotonic() > turn:
            turn = time.monotonic() + _TURN
            await _turn(village, now)
        await asyncio.sleep(_REFRESH)


async def _turn(village: Village, now: int) -> None:
    """Let the first of those who are away come back and tell, and the others wait."""
    for home in village.honest:
        if home.part in {Part.AWAY, Part.LATE}:
            if home.wants_to_speak:
                await home.go_offline()
            else:
                await home.tell(home.told_until or now, now)
                home.go_online()
                return


async def _live_table(village: Village, entities: Entities) -> None:
    """Rewrite the table every two seconds; where there is no terminal, print it once a minute."""
    live = sys.stdout.isatty()
    lines = 0
    while True:
        shown = await read_table(village.client, entities, village.homes, village.finest)
        if lines and live:
            sys.stdout.write(f"\x1b[{lines}A")
        lines = len(shown)
        for line in shown:
            sys.stdout.write(f"{line}\x1b[K\n" if live else f"{line}\n")
        sys.stdout.flush()
        entities = await find_entities(village.client, village.entry_id)
        await asyncio.sleep(_REFRESH if live else 60.0)


def _say(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()
