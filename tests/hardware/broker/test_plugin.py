"""Finding mosquitto's plugin, wherever a package or a folder of unpacked packages has it."""

from pathlib import Path

import pytest

from hardware.broker import plugin
from hardware.broker.plugin import PLUGIN, find_mosquitto, find_plugin


def placed(folder: Path, *places: str) -> Path:
    """Make empty files; return the first."""
    for place in places:
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o755)
    return folder / places[0]


@pytest.mark.parametrize(
    ("broker", "library"),
    [
        ("usr/sbin/mosquitto", "usr/lib/x86_64-linux-gnu"),
        ("usr/sbin/mosquitto", "usr/lib"),
        ("usr/local/sbin/mosquitto", "usr/local/lib"),
        ("usr/bin/mosquitto", "usr/lib64"),
        # Debian's packages unpacked beside the system, with a starter of their own.
        ("bin/mosquitto", "usr/lib/aarch64-linux-gnu"),
    ],
)
def test_the_plugin_lies_with_its_broker(tmp_path: Path, broker: str, library: str) -> None:
    program = placed(tmp_path, broker, f"{library}/{PLUGIN}")
    assert find_plugin(program) == tmp_path / library / PLUGIN


def test_a_link_is_followed(tmp_path: Path) -> None:
    program = placed(tmp_path, "opt/sbin/mosquitto", f"opt/lib/{PLUGIN}")
    link = tmp_path / "somewhere" / "bin" / "mosquitto"
    link.parent.mkdir(parents=True)
    link.symlink_to(program)
    assert find_plugin(link) == tmp_path / "opt" / "lib" / PLUGIN


def test_without_a_broker_there_is_no_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin.shutil, "which", lambda _name, path=None: None)
    assert find_mosquitto() is None
    assert find_plugin() is None
