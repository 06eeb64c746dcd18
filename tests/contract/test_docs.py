"""The documentation tells the truth."""

from pathlib import Path
import re
import subprocess
import sys

from custom_components.carbon_meter.metering.profile_library import FORMS
from custom_components.carbon_meter.metering.profile_schema import load_profile
from custom_components.carbon_meter.metering.quantities import QUANTITIES

ROOT = Path(__file__).resolve().parents[2]


def test_meters_page_is_up_to_date() -> None:
    command = [sys.executable, ROOT / "scripts" / "make_meters_page.py", "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_example_profile_loads(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "profiles.md").read_text()
    example = re.search(r"```yaml\n(.*?)```", page, re.DOTALL).group(1)
    path = tmp_path / "example.yaml"
    path.write_text(example)
    profile = load_profile(path, FORMS)
    assert profile.id == "example_three_phase"
    assert profile.registers["power"].factor == 1000
    assert profile.registers["energy_import"].factor == 100


def test_every_quantity_is_in_the_page() -> None:
    page = (ROOT / "docs" / "profiles.md").read_text()
    for key in QUANTITIES:
        assert re.sub(r"_l[123]$", "", key) in page or key in page, key


def test_links_lead_somewhere() -> None:
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
            if not target.startswith("https://"):
                assert (page.parent / target).exists(), (page.name, target)
