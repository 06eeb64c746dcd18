from importlib import metadata
from pathlib import Path
import re

from packaging.requirements import Requirement
import pytest

from demo.config_dir import ROOT
from demo.requirements import needed

FILES = sorted((ROOT / "requirements").glob("*.txt"))


def pinned(path: Path) -> dict[str, str]:
    lines = re.findall(r"^([a-z0-9-]+)(?:\[.*\])?==(\S+)", path.read_text(), flags=re.MULTILINE)
    return dict(lines)


def test_everything_that_the_demo_needs_is_pinned() -> None:
    pins = pinned(ROOT / "requirements" / "run.txt")
    for requirement in map(Requirement, needed()):
        name = requirement.name.lower().replace("_", "-")
        assert name in pins, f"{requirement} is missing: run scripts/lock"
        assert requirement.specifier.contains(pins[name]), f"{requirement}: run scripts/lock"


def test_nothing_needs_a_compiler_or_a_library_of_the_system() -> None:
    unwanted = {"pymicro-vad", "pyspeex-noise", "pyturbojpeg"}
    for name in ("run", "next"):
        assert not unwanted & pinned(ROOT / "requirements" / f"{name}.txt").keys()


def test_development_runs_what_the_demo_runs() -> None:
    run = pinned(ROOT / "requirements" / "run.txt")
    dev = pinned(ROOT / "requirements" / "dev.txt")
    assert run.items() <= dev.items()
    assert metadata.version("homeassistant") == run["homeassistant"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_address_is_written_down(path: Path) -> None:
    assert "://" not in path.read_text()
    assert "file:" not in path.read_text()
