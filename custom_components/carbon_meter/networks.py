"""Networks that users describe in `<config>/carbon_meter/networks`, and whose meters they are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from .carbon.flow.description import load_network
from .carbon.flow.metered import MeteredNetwork
from .const import (
    CONF_NETWORK,
    LOGGER,
    NETWORK_ISSUE,
    SUBENTRY_METER,
    Carrier,
    carrier_of,
)
from .datafile import DataFileError, Problem
from .repair_issue import RepairIssue

_SUFFIXES: Final = frozenset({".yaml", ".yml"})


@dataclass(frozen=True, kw_only=True)
class NetworkFile:
    """A described network; equal to another one where their files are."""

    path: Path
    digest: str
    title: str = field(compare=False)
    metered: MeteredNetwork = field(compare=False)
    meters: Mapping[str, int] = field(compare=False)
    """What the file calls its meters, and in which line."""

    phases_line: int | None = field(compare=False)


@dataclass(frozen=True, kw_only=True)
class NetworkLibrary:
    """The networks by the names of their files, and what is wrong in the others."""

    networks: Mapping[str, NetworkFile]
    problems: tuple[Problem, ...] = ()

    @property
    def broken(self) -> dict[str, tuple[Problem, ...]]:
        """Return the problems by the name of the file."""
        found: dict[str, tuple[Problem, ...]] = {}
        for problem in self.problems:
            name = Path(problem.file).name
            found[name] = (*found.get(name, ()), problem)
        return found


@dataclass(frozen=True, kw_only=True)
class ChosenNetwork:
    """A network whose meters are those of a site."""

    title: str
    metered: MeteredNetwork
    meters: Mapping[str, str]
    """The subentry id of each meter, by what the network calls it."""


class NetworkMisfitError(ValueError):
    """A network is not one of a site's meters; `problems` says where."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Take the problems, which are then in the order of lines."""
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def load_networks(directory: Path) -> NetworkLibrary:
    """Read the networks of a directory (`*.yaml`); one that does not exist has none.

    Never fails: a file that cannot be used is listed in `problems` with its lines. Reads
    files, so call it in an executor.
    """
    networks: dict[str, NetworkFile] = {}
    problems: list[Problem] = []
    try:
        paths = sorted(directory.iterdir())
    except FileNotFoundError:
        return NetworkLibrary(networks={})
    except OSError as err:
        problem = Problem(file=str(directory), line=1, message=f"cannot be read: {err}")
        return NetworkLibrary(networks={}, problems=(problem,))
    for path in paths:
        if path.suffix.lower() not in _SUFFIXES or path.name.startswith("."):
            continue
        try:
            described = load_network(path)
            digest = sha256(path.read_bytes()).hexdigest()
        except DataFileError as err:
            problems.extend(err.problems)
        except OSError as err:
            problems.append(Problem(file=str(path), line=1, message=f"cannot be read: {err}"))
        else:
            networks[path.name] = NetworkFile(
                path=path,
                digest=digest,
                title=described.title,
                metered=described.metered,
                meters=MappingProxyType(dict(described.meters)),
                phases_line=described.phases_line,
            )
    return NetworkLibrary(networks=MappingProxyType(networks), problems=tuple(problems))


def site_network(network: NetworkFile, entry: ConfigEntry) -> ChosenNetwork:
    """Return a network with the meters of a site, named by the title or the id of their subentry.

    Raises NetworkMisfitError for names that are none of its electricity meters, or of several,
    and for phases: what a meter counted in an hour is one figure, not three.
    """
    named: dict[str, set[str]] = {}
    for subentry in entry.get_subentries_of_type(SUBENTRY_METER):
        if carrier_of(subentry.data) is Carrier.ELECTRICITY:
            for name in (subentry.subentry_id, subentry.title.strip()):
                named.setdefault(name, set()).add(subentry.subentry_id)
    meters: dict[str, str] = {}
    problems: list[Problem] = []
    if network.phases_line is not None:
        message = "the hours of a meter have no phases: give each phase a meter of its own"
        problems.append(Problem(file=str(network.path), line=network.phases_line, message=message))
    for name, line in network.meters.items():
        found = named.get(name, set())
        if len(found) == 1:
            (meters[name],) = found
        else:
            several = "several meters of the site are" if found else "no meter of the site is"
            message = f"{several} called {name!r}"
            problems.append(Problem(file=str(network.path), line=line, message=message))
    for name, meter in meters.items():
        if list(meters.values()).count(meter) > 1:
            message = f"the meter {name!r} is named twice, by its title and by its id"
            line = network.meters[name]
            problems.append(Problem(file=str(network.path), line=line, message=message))
    if problems:
        raise NetworkMisfitError(problems)
    return ChosenNetwork(
        title=network.title, metered=network.metered, meters=MappingProxyType(meters)
    )


def chosen_network(chosen: str, entry: ConfigEntry, library: NetworkLibrary) -> ChosenNetwork:
    """Return the network of a file, by its name, with the meters of a site.

    Raises NetworkMisfitError for a file that is broken or gone, and as `site_network` does.
    """
    network = library.networks.get(chosen)
    if network is not None:
        return site_network(network, entry)
    gone = Problem(file=chosen, line=1, message="there is no such file")
    raise NetworkMisfitError(library.broken.get(chosen, (gone,)))


@callback
def async_network(
    hass: HomeAssistant, entry: ConfigEntry, library: NetworkLibrary
) -> ChosenNetwork | None:
    """Return the network that a site has chosen, None without one that can be used.

    What is wrong with a chosen one is told in a repair issue until it is mended.
    """
    issue = RepairIssue(hass, f"{NETWORK_ISSUE}{entry.entry_id}")
    chosen = entry.options.get(CONF_NETWORK)
    if not isinstance(chosen, str) or not chosen:
        issue.clear()
        return None
    try:
        found = chosen_network(chosen, entry, library)
    except NetworkMisfitError as err:
        told = listed(err.problems)
    else:
        issue.clear()
        return found
    LOGGER.error("The network of %s cannot be used:\n%s", entry.title, told)
    issue.tell("network_unusable", {"site": entry.title, "problems": told})
    return None


def listed(problems: Iterable[Problem]) -> str:
    """Return problems as a list for people, with the name of the file and the line."""
    return "\n".join(
        f"- {Path(problem.file).name}:{problem.line}: {problem.message}" for problem in problems
    )
