"""The rules for the package that Home Assistant's and HACS's own checks would make."""

import json
from pathlib import Path
import re
import struct

from homeassistant.const import Platform
import yaml

from custom_components.carbon_meter import const

PACKAGE = Path(const.__file__).parent
ROOT = PACKAGE.parent.parent


def test_manifest() -> None:
    manifest = json.loads((PACKAGE / "manifest.json").read_text())
    keys = list(manifest)
    assert keys == ["domain", "name", *sorted(keys[2:])]
    assert manifest["domain"] == const.DOMAIN == PACKAGE.name
    assert manifest["version"] == re.search(
        r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE
    ).group(1)
    assert manifest["iot_class"] == "local_polling"
    assert manifest["codeowners"]
    assert manifest["issue_tracker"].startswith("https://")
    assert manifest["documentation"].startswith("https://")


def test_only_one_manifest() -> None:
    ignored = {".venv", ".venv-next", ".cache", "node_modules", ".git"}
    found = [
        path
        for path in ROOT.rglob("manifest.json")
        if not ignored & set(path.relative_to(ROOT).parts)
    ]
    assert found == [PACKAGE / "manifest.json"]


def test_hacs() -> None:
    assert json.loads((ROOT / "hacs.json").read_text()) == {
        "name": "Carbon Meter",
        "homeassistant": "2026.10.0",
    }


def test_every_imported_component_is_declared() -> None:
    manifest = json.loads((PACKAGE / "manifest.json").read_text())
    declared = {*manifest["dependencies"], *manifest["after_dependencies"]}
    imported = {
        component
        for path in PACKAGE.rglob("*.py")
        for component in re.findall(
            r"homeassistant\.components(?:\.| import )(\w+)", path.read_text()
        )
    }
    # Entity platforms and diagnostics need no declaration: Home Assistant's own check says so.
    assert imported - declared <= {*(platform.value for platform in Platform), "diagnostics"}


def test_brand_icon() -> None:
    for name, size in (("icon.png", 256), ("icon@2x.png", 512)):
        data = (PACKAGE / "brand" / name).read_bytes()
        assert data[:8] == b"\x89PNG\r\n\x1a\n"
        assert struct.unpack(">II", data[16:24]) == (size, size)


def test_icons_are_of_known_sensors() -> None:
    icons = json.loads((PACKAGE / "icons.json").read_text())["entity"]["sensor"]
    names = json.loads((PACKAGE / "translations" / "en.json").read_text())["entity"]["sensor"]
    assert set(icons) <= set(names)
    assert all(icon["default"].startswith("mdi:") for icon in icons.values())


def test_quality_scale_gives_a_reason_for_every_exemption() -> None:
    rules = yaml.safe_load((PACKAGE / "quality_scale.yaml").read_text())["rules"]
    assert len(rules) == 54
    for rule, status in rules.items():
        if isinstance(status, dict):
            assert status["status"] == "exempt", rule
            assert status["comment"], rule
        else:
            assert status in {"done", "todo"}, rule


def test_project_names_no_registry_and_no_machine() -> None:
    registries = ["pypi" + ".org", "python" + "hosted", "deb.debian" + ".org", "npmjs" + ".org"]
    machine = ["/" + "work/", "/" + "root/"]
    for path in _project_files():
        text = path.read_text(encoding="utf-8", errors="ignore")
        for word in (*registries, *machine):
            assert word not in text, (path.relative_to(ROOT), word)


def _project_files() -> list[Path]:
    folders = [
        ".ci",
        ".devcontainer",
        ".github",
        "benchmarks",
        "custom_components",
        "demo",
        "docs",
        "hardware",
        "requirements",
        "scripts",
        "tests",
    ]
    return [
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".png"
    ] + [path for path in ROOT.iterdir() if path.is_file() and path.name != ".coverage"]
