"""Write docs/meters.md from the packaged profiles.

usage: python scripts/make_meters_page.py [--check]
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
import re
import sys
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from custom_components.carbon_meter.metering.profile import Profile  # noqa: E402
from custom_components.carbon_meter.metering.profile_library import load_profiles  # noqa: E402

PAGE: Final = ROOT / "docs" / "meters.md"

_PROTOCOLS: Final = {
    "modbus": (
        "Modbus",
        "Read over Modbus TCP: directly, or through a gateway for meters with RS-485.",
    ),
    "sunspec": (
        "SunSpec",
        "Every meter that announces one of these models over Modbus, also behind an inverter.",
    ),
    "http": ("HTTP", "Devices with a page of JSON in the local network."),
    "mqtt": ("MQTT", "Devices that publish to the broker that Home Assistant uses."),
    "speedwire": ("SMA Speedwire", "Meters that send by multicast in the local network."),
    "dlt645": ("DL/T 645-2007", "Utility meters of the Chinese standard, behind a serial server."),
}

_TRANSPORTS: Final = {
    "tcp": "network",
    "tcp_gateway": "gateway",
    "rtu": "RS-485",
    "rtu_over_tcp": "RTU over TCP",
}

_PHASE: Final = re.compile(r"_(l[123])$")

_HEAD: Final = """\
# Supported meters

Written by `scripts/make_meters_page.py` from the profiles in
`custom_components/carbon_meter/metering/profiles/`; do not edit it by hand. A meter that is missing
may be [a file away](profiles.md).

**Recognised**: *proved* means that the device itself says which family it is; *likely* that its
values make a plausible picture, for you to confirm.

**Confidence** is how many of the quantities two or more independent sources give. "Not yet
confirmed on hardware" marks a family of which all that is known comes from a single source.

"""


def page() -> str:
    """Return the page as the profiles want it."""
    profiles = sorted(load_profiles().profiles.values(), key=lambda each: each.title.lower())
    parts = [_HEAD, _overview(profiles)]
    for protocol in _protocols(profiles):
        title, text = _PROTOCOLS.get(protocol, (protocol, ""))
        family = [profile for profile in profiles if profile.protocol == protocol]
        parts.append(f"\n## {title}\n\n{text}\n\n{_table(family)}")
        parts.extend(map(_details, family))
    return "".join(parts)


def _protocols(profiles: Iterable[Profile]) -> list[str]:
    """Return the protocols that there are profiles of, the known ones first."""
    there = {profile.protocol for profile in profiles}
    return [key for key in _PROTOCOLS if key in there] + sorted(there - set(_PROTOCOLS))


def _overview(profiles: list[Profile]) -> str:
    rows = ["| protocol | families |\n|---|---|\n"]
    for protocol in _protocols(profiles):
        title = _PROTOCOLS.get(protocol, (protocol,))[0]
        count = sum(profile.protocol == protocol for profile in profiles)
        rows.append(f"| [{title}](#{_anchor(title)}) | {count} |\n")
    return "".join(rows)


def _anchor(title: str) -> str:
    """Return the address of a heading, as GitHub makes it."""
    return re.sub(r"[^a-z0-9 _-]", "", title.lower()).replace(" ", "-")


def _table(profiles: list[Profile]) -> str:
    rows = ["| family | models | phases | recognised | quantities | confidence |\n|" + "---|" * 6]
    for profile in profiles:
        cells = (
            f"[{profile.title}](#{_anchor(profile.title)})",
            ", ".join(profile.models),
            _phases(profile),
            _recognised(profile),
            str(len(profile.quantities)),
            _confidence(profile),
        )
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def _phases(profile: Profile) -> str:
    return "1 to 3" if profile.protocol == "sunspec" else str(profile.phases)


def _proved(proofs: Iterable[Any], none: str = "likely") -> str:
    """Return what the ways to recognise a family, if there are any, are worth."""
    certain = [proof.certain for proof in proofs]
    if not certain:
        return none
    return "proved" if any(certain) else "likely"


def _recognised(profile: Profile) -> str:
    """Return how a meter of the family is found out."""
    how = {
        "sunspec": lambda: "proved, announced by SunSpec",
        "modbus": lambda: "proved" if getattr(profile, "is_provable", False) else "likely",
        "http": lambda: _proved(filter(None, [getattr(profile, "probe", None)]), "you choose it"),
        "mqtt": lambda: _proved(getattr(profile, "announcements", ()), "you give its topic"),
        "speedwire": lambda: "proved, it answers by its own number",
        "dlt645": lambda: "proved, it answers by its own number",
    }
    return how.get(profile.protocol, lambda: "by its driver")()


def _confidence(profile: Profile) -> str:
    several = sum(len(sources) > 1 for sources in _sources(profile).values())
    text = f"{several} of {len(profile.quantities)}"
    return text if profile.confirmed else f"{text}; not yet confirmed on hardware"


def _sources(profile: Profile) -> dict[str, set[str]]:
    """Return the short names of the sources of each quantity, whatever the protocol."""
    found: dict[str, set[str]] = {key: set() for key in profile.quantities}
    for fact in _facts(profile):
        found[fact.quantity].update(fact.sources)
    return found


def _facts(profile: Any) -> Iterator[Any]:
    """Yield what a profile says of single quantities, each with its sources."""
    for name in ("registers", "fields", "channels", "data"):
        facts = getattr(profile, name, ())
        yield from facts.values() if isinstance(facts, Mapping) else facts


def _details(profile: Profile) -> str:
    """Return the paragraph of one family."""
    sources = _sources(profile)
    rows = [f"- Profile: `{profile.id}`{f', {profile.category}' if profile.category else ''}\n"]
    transports = [_TRANSPORTS.get(key, key) for key in getattr(profile, "transport", ())]
    if transports:
        line = getattr(profile, "serial_line", "")
        rows.append(f"- Connected by: {', '.join(transports)}{f' ({line})' if line else ''}\n")
    rows.append(f"- Quantities: {_grouped(profile.quantities)}\n")
    doubtful = [key for key in profile.quantities if _is_derived(profile, key) or not sources[key]]
    single = [key for key in profile.quantities if len(sources[key]) == 1 and key not in doubtful]
    if single and len(single) < len(profile.quantities):
        rows.append(f"- From a single source: {_grouped(single)}\n")
    if doubtful and len(doubtful) < len(profile.quantities):
        rows.append(f"- Derived or not verified: {_grouped(doubtful)}\n")
    rows += [f"- Source `{name}`: {text}\n" for name, text in profile.sources.items()]
    rows += [f"- {note}\n" for note in profile.notes]
    return f"\n### {profile.title}\n\n{''.join(rows)}"


def _is_derived(profile: Any, key: str) -> bool:
    """Return whether no source gives a quantity for certain."""
    register = getattr(profile, "registers", {}).get(key)
    return getattr(register, "doubt", None) is not None


def _grouped(quantities: Iterable[str]) -> str:
    """Return quantities by name, their phases behind."""
    names: dict[str, list[str]] = {}
    for key in quantities:
        phase = _PHASE.search(key) if not re.search(r"_l\d_l\d$", key) else None
        name = key[: phase.start()] if phase else key
        names.setdefault(name, []).append(phase.group(1).upper() if phase else "total")
    return ", ".join(
        f"`{name}`" if parts == ["total"] else f"`{name}` ({', '.join(parts)})"
        for name, parts in names.items()
    )


def main() -> int:
    """Write the page, or with --check say whether it is up to date."""
    wanted = page()
    if "--check" in sys.argv[1:]:
        if PAGE.read_text(encoding="utf-8") != wanted:
            print("docs/meters.md is out of date: run python scripts/make_meters_page.py")
            return 1
        return 0
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
