"""Sets up the MQTT broker of a community, and makes, renews and revokes its certificates.

FOLDER holds everything of one community. What lies in FOLDER/broker goes to the machine of the
broker; FOLDER/authority is the community's key to itself and stays with the operator.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
import sys
import time
from typing import Any, Final

from custom_components.carbon_meter.community.authority import keys
from custom_components.carbon_meter.community.authority.errors import AuthorityError
from custom_components.carbon_meter.community.authority.issued import is_serial

from . import making
from .checking import check
from .errors import BrokerError
from .homes import DAYS, ByHand, changing_rights
from .layout import Layout, configuration, write_public
from .plugin import find_plugin
from .setup import ENROL_PORT, PORT, Setup

_FINE: Final = 0
_WRONG: Final = 1
_UNUSABLE: Final = 2

_RELOAD: Final = (
    "Let the broker read it: bring {broker} to its machine, if that is another one, all but\n"
    "dynamic-security.json, which the broker itself keeps; then `systemctl reload mosquitto`."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run with the arguments of the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.run
    try:
        return command(options)
    except (BrokerError, AuthorityError) as err:
        sys.stderr.write(f"{err}\n")
        return _UNUSABLE
    except OSError as err:
        sys.stderr.write(f"{err.filename or 'a file'}: {err.strerror or err}\n")
        return _UNUSABLE


def _parser() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/broker",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(
        name: str, run: Callable[[argparse.Namespace], int], text: str
    ) -> argparse.ArgumentParser:
        result = commands.add_parser(name, help=text, description=text)
        result.add_argument("folder", metavar="FOLDER", type=Path)
        result.set_defaults(run=run)
        return result

    init = command("init", _init, "make a community: its CA, its broker's files, its hub's file")
    init.add_argument("--community", metavar="ID", required=True, help="1 to 64 of a-z 0-9 _ -")
    init.add_argument("--name", metavar="TEXT", required=True, help="as people call it")
    init.add_argument("--years", type=int, default=making.YEARS, help="how long the CA holds")
    _add_choices(init)
    server = command("server", _server, "renew the broker's certificate, or change where it is")
    _add_choices(server)
    command("hub", _hub, "renew the hub's certificate: a new hub file")
    enrol = command("enrol", _enrol, "sign a home's request by hand and give it its rights")
    renew = command("renew", _renew, "sign a further request of a home enrolled by hand")
    for which in (enrol, renew):
        which.add_argument("--home", metavar="ID", required=True)
        which.add_argument("--csr", metavar="FILE", type=Path, required=True)
        which.add_argument("--days", type=int, default=DAYS, help="default %(default)s")
    revoke = command("revoke", _revoke, "take a home's rights and certificates, for good")
    revoke.add_argument("home", metavar="HOME")
    revoke.add_argument(
        "--serial",
        metavar="HEX",
        type=_serial,
        action="append",
        default=[],
        help="of a certificate that the hub has signed, as openssl x509 -serial prints it",
    )
    revoke.add_argument(
        "--unknown", action="store_true", help="also an id that the broker does not know"
    )
    for which in (enrol, revoke):
        which.add_argument(
            "--offline", action="store_true", help="the broker is stopped: change its file"
        )
    rotate = command("rotate", _rotate, "change to a new CA, with the old one beside it")
    rotate.add_argument("--finish", action="store_true", help="drop the old one")
    revoked = command("crl", _crl, "renew the list of certificates that no longer hold")
    revoked.add_argument("--with", dest="others", metavar="FILE", type=Path, help="the hub's list")
    command("check", _check, "look over everything; exit code 1 if something has to be done")
    return parser


def _add_choices(parser: argparse.ArgumentParser) -> None:
    """Add what can be decided at first and changed later."""
    add = parser.add_argument
    add("--host", metavar="NAME", action="append", dest="hosts", help="name or address; repeat")
    add("--port", type=int, help=f"for everybody enrolled (default {PORT})")
    add("--enrol-port", type=int, help=f"for enrolment alone (default {ENROL_PORT})")
    add("--listen", metavar="ADDRESS", help="the only address to listen at (default all)")
    add("--at", metavar="PATH", help="where FOLDER/broker will lie on the broker's machine")
    add("--plugin", metavar="FILE", help="mosquitto_dynamic_security.so on that machine")
    add("--user", help="whom the broker runs as (default mosquitto)")
    add("--log", help="a log_dest of mosquitto.conf (default stderr)")
    add("--connections", type=int, help="how many homes at once (default 12000)")


def _choices(options: argparse.Namespace) -> dict[str, Any]:
    """Return what was decided on the command line."""
    names = (
        "hosts", "port", "enrol_port", "listen", "at", "plugin", "user", "log", "connections",
    )  # fmt: skip
    given = {name: getattr(options, name) for name in names}
    chosen = {name: value for name, value in given.items() if value is not None}
    if "hosts" in chosen:
        chosen["hosts"] = tuple(dict.fromkeys(chosen["hosts"]))
    return chosen


def _init(options: argparse.Namespace) -> int:
    layout = Layout(options.folder)
    plugin = find_plugin()
    here = str(layout.broker.absolute())
    chosen = {"at": here, "hosts": ()} | _choices(options)
    if chosen["at"] != here and plugin is not None and not plugin.is_relative_to("/usr"):
        # One that was unpacked here for tests: the broker's machine has its own.
        plugin = None
    if plugin is not None:
        chosen = {"plugin": str(plugin)} | chosen
    setup = Setup(community=options.community, name=options.name, **chosen)
    if not 1 <= options.years <= 30:
        raise BrokerError("a CA holds 1 to 30 years")
    making.init(options.folder, setup, now=time.time(), years=options.years)
    _say(
        f"The community {setup.community} is in {layout.folder}.",
        f"1. Keep {layout.authority} to yourself, with a copy elsewhere: who has it",
        "   is the community.",
        f"2. Bring {layout.broker} to the broker's machine as {setup.at}, let it belong to the",
        f"   user {setup.user} there, and start {setup.at}/start.sh",
        f"3. In Home Assistant, add Carbon Meter, choose the hub, and give it {layout.hub_file}.",
        "   It holds the CA's key: delete it afterwards.",
        f"4. Let this look over everything now and then: scripts/broker check {options.folder}",
        "hardware/broker/README.md has each step in full.",
    )
    if plugin is None and options.plugin is None:
        _say(
            f"The plugin of the broker's mosquitto is expected in {setup.plugin}: if it is",
            "elsewhere, say so with `scripts/broker server FOLDER --plugin FILE`.",
        )
    return _FINE


def _server(options: argparse.Namespace) -> int:
    layout, setup = _opened(options)
    changed = replace(setup, **_choices(options))
    making.renew_server(layout, changed, making.load(layout), now=time.time())
    write_public(layout.setup, changed.as_json())
    _say(f"{layout.server} is new.", _reload(layout))
    if configuration(setup) != configuration(changed):
        _say(f"{layout.configuration} is another one: `systemctl restart mosquitto` instead.")
    told = ("hosts", "port", "enrol_port")
    if any(getattr(setup, name) != getattr(changed, name) for name in told):
        _say(
            "The broker is elsewhere now: give the hub a new file (scripts/broker hub). Homes that",
            "are enrolled look for it at the old place: keep that name, or invite them anew.",
        )
    return _FINE


def _hub(options: argparse.Namespace) -> int:
    layout, setup = _opened(options)
    authority = making.load(layout)
    making.renew_operator(layout, authority, now=time.time())
    making.renew_hub(layout, setup, authority, now=time.time())
    _say(
        f"{layout.hub_file} is new. In Home Assistant, reconfigure the hub and give it this file;",
        "it holds the CA's key: delete it afterwards.",
    )
    return _FINE


def _enrol(options: argparse.Namespace) -> int:
    layout, setup = _opened(options)
    with changing_rights(layout, setup, offline=options.offline) as control:
        path = ByHand(layout, now=time.time()).enrol(
            control, options.home, options.csr, days=options.days
        )
    _say(
        f"{path} is the certificate of {options.home}, good until {_last_day(path)}.",
        f"The home needs it and {layout.authorities}; neither is secret.",
    )
    return _FINE


def _renew(options: argparse.Namespace) -> int:
    layout, _ = _opened(options)
    path = ByHand(layout, now=time.time()).renew(options.home, options.csr, days=options.days)
    _say(f"{path} is the new certificate of {options.home}, good until {_last_day(path)}.")
    return _FINE


def _revoke(options: argparse.Namespace) -> int:
    layout, setup = _opened(options)
    with changing_rights(layout, setup, offline=options.offline) as control:
        count = ByHand(layout, now=time.time()).revoke(
            control, options.home, serials=options.serial, unknown=options.unknown
        )
    _say(
        f"{options.home} has no rights any more, and {count} certificates of it are on the list.",
        "The hub finds that out by the broker, at once or when it is next connected, and expels",
        "the home: it does not come back, also not under an id that it has asked for.",
    )
    if not count:
        _say(
            "Its certificate was signed by the hub, so this tool does not know it: it can still",
            "connect, but do nothing. The hub's list (crl --with FILE) keeps it out altogether.",
        )
    _say(_reload(layout))
    return _FINE


def _rotate(options: argparse.Namespace) -> int:
    layout, setup = _opened(options)
    if options.finish:
        making.finish(layout, setup, now=time.time())
        _say(
            "The old CA no longer holds.",
            f"1. {_reload(layout)}",
            f"2. Give the hub its new file: {layout.hub_file}.",
        )
    else:
        making.rotate(layout, setup, now=time.time())
        _say(
            "A new CA holds beside the old one.",
            f"1. {_reload(layout)}",
            f"2. Give the hub its new file: {layout.hub_file}. Homes get the new CA with their",
            "   next certificates.",
            f"3. After {DAYS} days all have: scripts/broker rotate {options.folder} --finish",
        )
    return _FINE


def _crl(options: argparse.Namespace) -> int:
    layout, _ = _opened(options)
    if options.others is not None:
        count = ByHand(layout, now=time.time()).take_over(options.others)
        _say(f"{count} certificates of {options.others} are on the list.")
    else:
        making.renew_list(layout, making.load(layout), now=time.time())
    _say(f"{layout.revoked} holds for {making.LIST_DAYS} days.", _reload(layout))
    return _FINE


def _check(options: argparse.Namespace) -> int:
    findings = check(*_opened(options), now=time.time())
    for finding in findings:
        word = "WRONG" if finding.is_wrong else "open " if finding.is_open else "fine "
        sys.stdout.write(f"{word}  {finding.text}\n")
    return _WRONG if any(finding.is_wrong for finding in findings) else _FINE


def _opened(options: argparse.Namespace) -> tuple[Layout, Setup]:
    layout = Layout(options.folder)
    return layout, Setup.load(layout.setup)


def _last_day(path: Path) -> str:
    """Return the day on which a certificate ends."""
    ends = keys.ends(path.read_text(encoding="ascii"))
    return str(datetime.fromtimestamp(ends, UTC).date())


def _reload(layout: Layout) -> str:
    return _RELOAD.format(broker=layout.broker)


def _serial(text: str) -> int:
    """Return a serial number as openssl prints it."""
    serial = int(text.removeprefix("serial=").replace(":", ""), 16)
    if not is_serial(serial):
        raise argparse.ArgumentTypeError(f"{text} is no serial number of a certificate")
    return serial


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    sys.exit(main())
