"""A throw-away Home Assistant config dir that answers on the loopback address only.

It holds the few integrations that a home with meters needs, and the integration of this checkout.
What Home Assistant writes into it (account, entries, history) is kept between runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
import json
from pathlib import Path
import shutil
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
INTEGRATION: Final = ROOT / "custom_components" / "carbon_meter"
LOOPBACK: Final = "127.0.0.1"

type Section = Mapping[str, Any] | Sequence[Mapping[str, Any]]

INTEGRATIONS: Final[Mapping[str, Section]] = {
    "frontend": {},
    "config": {},
    "history": {},
    "logbook": {},
    "recorder": {"commit_interval": 1},
    "energy": {},
    "sun": {},
    "system_health": {},
}

_AUTOMATIONS: Final = "automations.yaml"
_MARKER = ".carbon_meter_demo"
_MARKER_TEXT = "Home Assistant config dir of the Carbon Meter demo: may be deleted at any time.\n"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the home is; Home Assistant takes currency, factors and the sun from it."""

    name: str = "Carbon Meter demo"
    latitude: float = 52.52
    longitude: float = 13.405
    elevation: int = 34
    country: str = "DE"
    currency: str = "EUR"
    time_zone: str = "Europe/Berlin"
    language: str = "en"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one config dir is made of."""

    port: int = 8123
    place: Place = field(default_factory=Place)
    integrations: Mapping[str, Section] = field(default_factory=lambda: INTEGRATIONS)
    log_levels: Mapping[str, str] = field(default_factory=dict)  # logger name to level
    custom_integration: Path | None = INTEGRATION  # None: Home Assistant alone


def seed(config_dir: Path, settings: Settings, *, fresh: bool = False) -> None:
    """Write what Home Assistant reads at start; with `fresh`, forget every earlier run.

    Raises:
        FileExistsError: the directory holds something that this function did not put there.
    """
    marker = config_dir / _MARKER
    if config_dir.is_dir() and any(config_dir.iterdir()) and not marker.exists():
        msg = f"{config_dir} is not a config dir of the demo: choose an empty or new directory"
        raise FileExistsError(msg)
    if fresh and config_dir.exists():
        shutil.rmtree(config_dir)
    storage = config_dir / ".storage"
    storage.mkdir(parents=True, exist_ok=True)
    marker.write_text(_MARKER_TEXT, encoding="utf-8")
    (config_dir / "configuration.yaml").write_text(_configuration(settings), encoding="utf-8")
    if not (config_dir / _AUTOMATIONS).exists():
        (config_dir / _AUTOMATIONS).write_text("[]\n", encoding="utf-8")
    bind_to_loopback(config_dir, settings.port)
    if not (storage / "onboarding").exists():
        _write_store(storage / "onboarding", _onboarding())
    if settings.custom_integration is not None:
        _link(settings.custom_integration, config_dir / "custom_components")


def bind_to_loopback(config_dir: Path, port: int) -> None:
    """Let Home Assistant listen to this machine alone."""
    storage = config_dir / ".storage"
    storage.mkdir(parents=True, exist_ok=True)
    _write_store(storage / "http", _http(port))


def _configuration(settings: Settings) -> str:
    """Render configuration.yaml; JSON values are YAML values."""
    place = settings.place
    sections: dict[str, Section] = {
        "homeassistant": {
            "name": place.name,
            "latitude": place.latitude,
            "longitude": place.longitude,
            "elevation": place.elevation,
            "unit_system": "metric",
            "currency": place.currency,
            "country": place.country,
            "language": place.language,
            "time_zone": place.time_zone,
        },
        "logger": {"default": "warning", "logs": dict(settings.log_levels)},
        **settings.integrations,
    }
    lines: list[str] = []
    for section, values in sections.items():
        lines.append(f"{section}:")
        if isinstance(values, Mapping):
            lines += [f"  {key}: {json.dumps(value)}" for key, value in values.items()]
        else:
            lines += [f"  - {json.dumps(value)}" for value in values]
    # The page writes automations there, as it does in every other config dir.
    lines.append(f"automation: !include {_AUTOMATIONS}")
    return "\n".join(lines) + "\n"


def _http(port: int) -> dict[str, Any]:
    """Bind the server to the loopback address.

    This cannot be said in YAML: since 2026.10 an `http:` section is a trial that Home Assistant
    reverts after five minutes by restarting on all interfaces, port 8123.
    """
    return {
        "key": "http",
        "version": 2,
        "minor_version": 2,
        "data": {
            "stable": {
                "server_host": [LOOPBACK],
                "server_port": port,
                "cors_allowed_origins": [],
                "login_attempts_threshold": -1,
                "ip_ban_enabled": False,
                "ssl_profile": "modern",
                "use_x_frame_options": True,
                "created_at": "2026-01-01T00:00:00+00:00",
                "error": None,
                "error_message": None,
            },
            "pending": None,
            "yaml_migration_done": True,
        },
    }


def _onboarding() -> dict[str, Any]:
    """Leave only the creation of the owner's account to be done.

    The other steps would start integrations that look for servers on the internet.
    """
    return {
        "key": "onboarding",
        "version": 4,
        "minor_version": 1,
        "data": {"done": ["core_config", "analytics", "integration"]},
    }


def _write_store(path: Path, content: Mapping[str, Any]) -> None:
    """Write one of Home Assistant's storage files."""
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")


def _link(integration: Path, folder: Path) -> None:
    """Make an integration available as it is in the checkout, or as a copy without symlinks."""
    folder.mkdir(exist_ok=True)
    target = folder / integration.name
    if target.is_symlink():
        target.unlink()
    elif target.exists():
        shutil.rmtree(target)
    try:
        target.symlink_to(integration, target_is_directory=True)
    except OSError:
        shutil.copytree(integration, target, ignore=shutil.ignore_patterns("__pycache__"))
