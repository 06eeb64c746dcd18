"""The demo: a virtual home, a real Home Assistant that reads its meters, and a live table."""

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path
import shutil
import sys
import tempfile
import time
from typing import Final

from demo.acts import REST
from demo.check import check, page_answers
from demo.client import ClientError, HomeAssistantClient
from demo.config_dir import INTEGRATIONS, ROOT, Settings
from demo.dashboard import show_dashboard
from demo.figures import Entities, Figures, find_entities, read_figures, table
from demo.grid_signal import SENSOR, template_sensor
from demo.home_assistant import HomeAssistant, free_port, is_free
from demo.loads import LOADS, add_loads, follow_plans
from demo.plans import check_plans
from demo.processes import ChildError, Children, Progress
from demo.site import add_meters, choose_signal, describe_battery
from demo.virtual_home import VirtualHome

_STATE: Final = ROOT / ".cache" / "demo"
_VILLAGE: Final = ROOT / ".cache" / "demo-community"
_HOMES: Final = 30
_CHECK_SPEED: Final = 60.0
_REFRESH: Final = 2.0
_PATIENCE: Final = 30.0
_INTEGRATIONS: Final = {**INTEGRATIONS, "template": template_sensor()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run with the arguments of the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        with Children() as children:
            if not (options.check or options.thorough):
                return children.run(_show(children, options))
            _STATE.parent.mkdir(parents=True, exist_ok=True)
            state = Path(tempfile.mkdtemp(prefix="demo-check-", dir=_STATE.parent))
            code = children.run(_check(children, state, options))
            if code == 0:
                shutil.rmtree(state, ignore_errors=True)
            else:
                sys.stderr.write(f"the logs are in {state}\n")
            return code
    except (ChildError, ClientError, FileExistsError, TimeoutError) as err:
        sys.stderr.write(f"error: {err}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nstopped\n")
        return 130


def _parser() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument(
        "--check",
        action="store_true",
        help="without a browser: wait until the carbon figures are right, print them and end",
    )
    parser.add_argument(
        "--thorough",
        action="store_true",
        help="as --check, and wait for the next five minutes before the battery is discharged",
    )
    parser.add_argument(
        "--community",
        metavar="N",
        nargs="?",
        type=_homes,
        const=_HOMES,
        help="a community instead of a home: a broker, a hub and N homes (%(const)s)",
    )
    parser.add_argument("--port", type=int, default=8123, help="of Home Assistant (%(default)s)")
    parser.add_argument(
        "--meter-port", type=int, default=5020, help="of the virtual meters (%(default)s)"
    )
    parser.add_argument(
        "--speed", type=float, default=1.0, help="virtual seconds in a real one (%(default)g)"
    )
    parser.add_argument(
        "--interval", type=int, default=2, help="seconds between two readings (%(default)s)"
    )
    parser.add_argument(
        "--fresh", action="store_true", help="forget what earlier runs left: accounts, history"
    )
    return parser


def _homes(text: str) -> int:
    """Return how many homes a community has: at least one honest and one hostile."""
    number = int(text)
    if not 2 <= number <= 300:
        raise argparse.ArgumentTypeError(f"{text} is not between 2 and 300")
    return number


async def _check(children: Children, state: Path, options: argparse.Namespace) -> int:
    """Run headless until the figures are right; the exit code says whether they are."""
    if options.community is not None:
        # Not above: it imports the integration, which a demo of one home leaves to its children.
        from demo.community.run import run_check as check_community  # noqa: PLC0415

        return await check_community(children, state, options.community)
    return await run_check(children, state, thorough=options.thorough)


async def _show(children: Children, options: argparse.Namespace) -> int:
    """Run until Ctrl-C, with a live table."""
    if options.community is not None:
        from demo.community.run import show  # noqa: PLC0415

        return await show(children, _VILLAGE, options.port, options.community, fresh=options.fresh)
    counter_file = _STATE / "counters.json"
    if options.fresh:
        counter_file.unlink(missing_ok=True)
    if not is_free(options.meter_port):
        msg = f"port {options.meter_port} is in use: choose another one with --meter-port"
        raise ChildError(msg)
    # The meters of earlier runs are looked for where they were.
    arguments = [
        *("--port", str(options.meter_port), "--speed", str(options.speed)),
        *("--counters", str(counter_file)),
    ]
    async with (
        VirtualHome(children, _STATE / "virtual_home.log", arguments) as home,
        HomeAssistant(
            children,
            _STATE / "config",
            Settings(port=options.port, integrations=_INTEGRATIONS),
        ) as home_assistant,
    ):
        client = await home_assistant.start(fresh=options.fresh)
        _, entities = await _add(client, home, interval=options.interval)
        path = await show_dashboard(client, entities)
        account = home_assistant.account
        _say(
            "",
            f"  open     {home_assistant.url}{path}",
            f"  account  {account.username}",
            f"  password {account.password}",
            "",
            "  Ctrl-C ends everything.",
            "",
        )
        await _live_table(client, entities)
    return 0


async def run_check(
    children: Children, state: Path, *, python: Path | None = None, thorough: bool = False
) -> int:
    """Run headless until the figures are right; the exit code says whether they are.

    `state` is the folder for logs and configuration; `python` the interpreter of the
    environment whose Home Assistant runs, by default ours; for `thorough` see `check`.
    """
    settings = Settings(port=free_port(), integrations=_INTEGRATIONS)
    async with (
        VirtualHome(children, state / "virtual_home.log") as home,
        HomeAssistant(children, state / "config", settings, python=python) as home_assistant,
    ):
        await REST.begin(home)
        client = await home_assistant.start(fresh=True)
        entry_id, entities = await _add(client, home, interval=1)
        await show_dashboard(client, entities)
        await page_answers(client)
        verdicts = await check(client, entry_id, home, speed=_CHECK_SPEED, thorough=thorough)
        verdicts += await check_plans(client, entities.loads)
        _say("", *table(await read_figures(client, entities)), "", *map(str, verdicts))
        problems = home_assistant.problems()
        for line in problems:
            _say(f"the log has an error: {line}")
        if problems or not verdicts or not all(verdict.right for verdict in verdicts):
            return 1
        _say("", "the carbon figures and the plans are right, and the log has no error")
    return 0


async def _add(
    client: HomeAssistantClient, home: VirtualHome, *, interval: int
) -> tuple[str, Entities]:
    """Add the meters and the loads; return the site's entry and its entities."""
    with Progress("finding and adding the meters"):
        entry_id = await add_meters(client, home.meters, interval=interval)
        await choose_signal(client, entry_id, SENSOR)
        await describe_battery(client, entry_id)
        entities = await _all_there(client, entry_id, meters=len(home.meters))
    with Progress("adding what can wait for clean hours"):
        await add_loads(client, entry_id)
        entities = await _all_there(client, entry_id, meters=len(home.meters), loads=len(LOADS))
        await follow_plans(client, entities.loads)
    return entry_id, entities


async def _all_there(
    client: HomeAssistantClient, entry_id: str, *, meters: int, loads: int = 0
) -> Entities:
    """Return the entities when the site has so many meters and loads, each with its own.

    The site reloads with each of them: its entities are there when the last one is.
    """
    deadline = time.monotonic() + _PATIENCE
    while True:
        # Platform after platform enters its entities while the site is being set up.
        is_loaded = await client.is_loaded(entry_id)
        entities = await find_entities(client, entry_id)
        is_loaded = is_loaded and await client.is_loaded(entry_id)
        owners = [*entities.meters.values(), *entities.loads.values()]
        are_enough = len(entities.meters) >= meters and len(entities.loads) >= loads
        if is_loaded and are_enough and all(owners):
            states = await client.states()
            known = {each["entity_id"] for each in states if each["state"] != "unavailable"}
            if all(known.issuperset(owner.values()) for owner in owners):
                return entities
        if time.monotonic() > deadline:
            msg = f"not all meters and loads have entities: {entities.meters} {entities.loads}"
            raise TimeoutError(msg)
        await asyncio.sleep(0.2)


async def _live_table(client: HomeAssistantClient, entities: Entities) -> None:
    """Rewrite the table every two seconds; where there is no terminal, print it once a minute."""
    live = sys.stdout.isatty()
    lines = 0
    while True:
        rows: list[Figures] = await read_figures(client, entities)
        if lines and live:
            sys.stdout.write(f"\x1b[{lines}A")
        shown = table(rows)
        lines = len(shown)
        for line in shown:
            sys.stdout.write(f"{line}\x1b[K\n" if live else f"{line}\n")
        sys.stdout.flush()
        await asyncio.sleep(_REFRESH if live else 60.0)


def _say(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
