"""Write docs/meters.md from the packaged profiles.

usage: python scripts/make_meters_page.py [--check]
"""

from pathlib import Path
import sys

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile  # noqa: E402
from custom_components.carbon_meter.metering.profile import Profile  # noqa: E402
from custom_components.carbon_meter.metering.profile_library import load_profiles  # noqa: E402

PAGE = ROOT / "docs" / "meters.md"

_HEAD = """\
# Supported meters

Written by `scripts/make_meters_page.py` from the profiles in
`custom_components/carbon_meter/metering/profiles/`; those files name the source of every register.

All are read over Modbus TCP: directly, through an RTU gateway, or behind an inverter (SunSpec).
"Proved" means that a register of the device says which family it is; the others are offered when
their values make a plausible picture, for you to confirm.

| vendor | family | models | phases | recognised | quantities |
|---|---|---|---|---|---|
"""


def _recognised(profile: Profile) -> str:
    if profile.sunspec_models:
        return "proved, announced by SunSpec"
    return "proved" if profile.signatures else "likely, by plausible values"


def _row(profile: Profile) -> str:
    cells = (
        profile.vendor,
        profile.name,
        ", ".join(profile.models),
        str(profile.phases) if not profile.sunspec_models else "1 to 3",
        _recognised(profile) + ("" if profile.confirmed else "; not yet confirmed on hardware"),
        str(len(profile.registers)),
    )
    return "| " + " | ".join(cells) + " |\n"


def _quantities(profile: Profile) -> str:
    names = ", ".join(f"`{quantity}`" for quantity in profile.registers)
    return f"\n## {profile.title}\n\nProfile `{profile.id}`. {names}\n"


def page() -> str:
    """Return the page as the profiles want it."""
    profiles = sorted(load_profiles().of(ModbusProfile).values(), key=lambda profile: profile.title)
    return _HEAD + "".join(map(_row, profiles)) + "".join(map(_quantities, profiles))


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
