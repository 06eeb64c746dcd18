"""Where mosquitto and its dynamic-security plugin lie on this machine."""

from pathlib import Path
import shutil
from typing import Final

PLUGIN: Final = "mosquitto_dynamic_security.so"
"""The plugin's file, as every package of mosquitto calls it."""

_PLACES: Final = ("lib", "lib/*", "lib64", "local/lib", "local/lib/*")
"""Below a prefix such as /usr; Debian has a folder for each kind of processor in between."""


def find_mosquitto() -> Path | None:
    """Return the broker on the PATH, or where the system keeps servers; None without one."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    return None if found is None else Path(found)


def find_plugin(mosquitto: Path | None = None) -> Path | None:
    """Return the plugin that belongs to a broker (by default the one found); None without one.

    The broker lies in bin or sbin of a prefix, or beside one: what is unpacked into a folder has
    a starter in FOLDER/bin and everything else in FOLDER/usr.
    """
    broker = mosquitto or find_mosquitto()
    if broker is None:
        return None
    prefixes: list[Path] = []
    for path in (broker.absolute(), broker.resolve()):
        prefixes += [path.parent.parent, path.parent.parent / "usr"]
    for prefix in [*prefixes, Path("/usr"), Path("/usr/local")]:
        for place in _PLACES:
            for candidate in sorted(prefix.glob(f"{place}/{PLUGIN}")):
                return candidate
    return None
