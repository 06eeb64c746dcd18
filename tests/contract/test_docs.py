"""The documentation tells the truth."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
import re
import subprocess
import sys
from typing import Any

import probatio
import pytest

from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile
from custom_components.carbon_meter.metering.profile import Profile
from custom_components.carbon_meter.metering.profile_library import FORMS
from custom_components.carbon_meter.metering.profile_schema import COMMON_FIELDS, load_profile
from custom_components.carbon_meter.metering.quantities import QUANTITIES
from custom_components.carbon_meter.plugin import MeterConnection, MeterDriver, Plugin

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

SECTIONS = {
    "modbus": "Modbus",
    "sunspec": "Modbus",
    "http": "HTTP and MQTT",
    "mqtt": "HTTP and MQTT",
    "speedwire": "Speedwire",
    "dlt645": "DL/T 645",
}


def test_meters_page_is_up_to_date() -> None:
    command = [sys.executable, ROOT / "scripts" / "make_meters_page.py", "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def examples() -> list[str]:
    """Return the YAML of docs/profiles.md that is a whole profile."""
    blocks = re.findall(r"```yaml\n(.*?)```", (DOCS / "profiles.md").read_text(), re.DOTALL)
    return [block for block in blocks if block.startswith("id:")]


def example(tmp_path: Path, profile_id: str) -> Profile:
    text = next(block for block in examples() if block.startswith(f"id: {profile_id}\n"))
    path = tmp_path / "example.yaml"
    path.write_text(text)
    return load_profile(path, FORMS)


def test_example_of_modbus_loads(tmp_path: Path) -> None:
    profile = example(tmp_path, "example_em3")
    assert isinstance(profile, ModbusProfile)
    assert float(profile.registers["power"].factor) == -0.1
    assert profile.registers["energy_import"].factor == 10


def test_fragment_fits_the_example(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (DOCS / "profiles.md").read_text(), re.DOTALL)
    (fragment,) = [block for block in blocks if not block.startswith("id:")]
    head = examples()[0].split("type:")[0]
    path = tmp_path / "fragment.yaml"
    path.write_text(head + fragment)
    profile = load_profile(path, FORMS)
    assert set(profile.quantities) == {"current", "energy_import"}


def test_every_quantity_is_in_the_page() -> None:
    page = (DOCS / "profiles.md").read_text()
    for key in QUANTITIES:
        assert re.sub(r"_l[123]$", "", key) in page or f"`{key}`" in page, key


def keys_of(schema: Any) -> Iterator[str]:
    """Yield the keys that a schema names, at any depth."""
    if isinstance(schema, probatio.Schema):
        yield from keys_of(schema.schema)
    elif isinstance(schema, (probatio.All, probatio.Any)):
        for part in schema.validators:
            yield from keys_of(part)
    elif isinstance(schema, dict) or hasattr(schema, "items"):
        for key, value in schema.items():
            name = key.schema if isinstance(key, probatio.Marker) else key
            if isinstance(name, str):
                yield name
            yield from keys_of(value)
    elif isinstance(schema, list):
        for part in schema:
            yield from keys_of(part)


def section(page: str, title: str) -> str:
    """Return the text under a heading."""
    return page.split(f"\n## {title}\n")[1].split("\n## ", maxsplit=1)[0]


def documented(text: str) -> set[str]:
    """Return the keys in the first columns of the tables."""
    rows = re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE)
    return {key for row in rows for key in re.findall(r"`([^`]+)`", row)}


def test_common_keys_are_documented_and_no_others() -> None:
    page = (DOCS / "profiles.md").read_text()
    assert documented(section(page, "Keys of every profile")) == set(keys_of(dict(COMMON_FIELDS)))


@pytest.mark.parametrize("title", sorted(set(SECTIONS.values())))
def test_keys_of_each_protocol_are_documented_and_no_others(title: str) -> None:
    page = (DOCS / "profiles.md").read_text()
    keys = {
        key
        for form in FORMS
        if SECTIONS[form.protocol] == title
        for key in keys_of(dict(form.fields))
    }
    assert documented(section(page, f"Keys of {title} profiles")) == keys


def test_every_protocol_is_named() -> None:
    row = re.search(r"^\| `protocol` \| (.*) \|$", (DOCS / "profiles.md").read_text(), re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", row.group(1))) == {form.protocol for form in FORMS}


def public(kind: type) -> Iterable[str]:
    return {name for name in vars(kind) if not name.startswith("_")}


@pytest.mark.parametrize("kind", [MeterDriver, MeterConnection, Plugin])
def test_what_a_plugin_has_is_documented(kind: type) -> None:
    page = (DOCS / "plugins.md").read_text()
    for name in public(kind):
        assert re.search(rf"`{name}\b|\b{name}=", page), name


def anchors(page: str) -> set[str]:
    """Return the addresses of the headings of a page, as GitHub makes them."""
    seen: Counter[str] = Counter()
    found: set[str] = set()
    text = re.sub(r"```.*?```", "", page, flags=re.DOTALL)
    for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE):
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return found


def test_links_lead_somewhere() -> None:
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.glob("*.md")):
        for target, anchor in re.findall(r"\]\(([^)#]*)(?:#([^)]*))?\)", page.read_text()):
            if target.startswith("https://"):
                continue
            file = page.parent / target if target else page
            assert file.exists(), (page.name, target)
            if anchor:
                assert anchor in anchors(file.read_text()), (page.name, target, anchor)


def test_no_two_families_have_one_heading() -> None:
    headings = re.findall(r"^### (.*)$", (DOCS / "meters.md").read_text(), re.MULTILINE)
    assert len(headings) == len(set(headings))
