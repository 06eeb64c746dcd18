"""Factor files made for a test."""

from pathlib import Path

from custom_components.carbon_meter.carbon.factors.library import FactorLibrary, load_library


def write(directory: Path, name: str, rows: str, **header: str) -> Path:
    """Write a factor file; `rows` are lines of YAML."""
    lines = {
        "id": name,
        "title": "A table",
        "publisher": "Somebody",
        "edition": "first",
        "scope": "direct",
        "includes_td": "false",
        **header,
    }
    text = "".join(f"{key}: {value}\n" for key, value in lines.items())
    path = directory / f"{name}.yaml"
    path.write_text(f"{text}factors:\n{rows}", encoding="utf-8")
    return path


def library(directory: Path, rows: str, **header: str) -> FactorLibrary:
    """Return a library of one table, which has to be sound."""
    write(directory, "table", rows, **header)
    loaded = load_library([directory])
    assert loaded.problems == ()
    return loaded
