"""A Home Assistant core in this process: what a benchmark needs of it, and nothing beside.

It is Home Assistant's own code that starts it, without the wrappers of its test harness. Only the
integrations that are asked for are set up: where nobody asks for them there is no recorder, no
frontend and no logger, whose work is the same for whoever writes a state.
"""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Mapping
from contextlib import asynccontextmanager
import logging
from pathlib import Path
from typing import Any, Final

from homeassistant import bootstrap, loader
from homeassistant.config import async_hass_config_yaml
from homeassistant.config_entries import ConfigEntries
from homeassistant.core import HomeAssistant
from homeassistant.core_config import async_process_ha_core_config
from homeassistant.helpers import recorder
from homeassistant.runner import create_event_loop
from homeassistant.setup import async_setup_component
import yaml

# Home Assistant looks for custom integrations in whatever `custom_components` is imported first.
import custom_components.carbon_meter  # noqa: F401

_HOME: Final = {"name": "Benchmark", "country": "DE", "time_zone": "Europe/Berlin"}


class SetupError(RuntimeError):
    """Home Assistant could not be brought to where the benchmark begins."""


def run_in_core_loop[T](benchmark: Coroutine[Any, Any, T]) -> T:
    """Run a benchmark in an event loop as Home Assistant makes it."""
    with asyncio.Runner(loop_factory=create_event_loop) as runner:
        return runner.run(benchmark)


@asynccontextmanager
async def running_core(
    config_dir: Path, configuration: Mapping[str, Any]
) -> AsyncGenerator[HomeAssistant]:
    """Start Home Assistant with integrations by their YAML; stop it in the end.

    Raises SetupError when one of them does not set up.
    """
    # It warns of every custom integration.
    logging.getLogger(loader.__name__).setLevel(logging.ERROR)
    _write(config_dir, {"homeassistant": _HOME, **configuration})
    hass = HomeAssistant(str(config_dir))
    hass.config.skip_pip = True
    loader.async_setup(hass)
    config = await async_hass_config_yaml(hass)
    hass.config_entries = ConfigEntries(hass, config)
    try:
        if not await bootstrap.async_load_base_functionality(hass):
            raise SetupError("Home Assistant could not load its registries")
        await async_process_ha_core_config(hass, config["homeassistant"])
        recorder.async_initialize_recorder(hass)
        for domain in configuration:
            if not await async_setup_component(hass, domain, config):
                raise SetupError(f"the integration {domain} could not be set up")
        await hass.async_start()
        yield hass
    finally:
        await hass.async_stop(force=True)


def _write(config_dir: Path, configuration: Mapping[str, Any]) -> None:
    """Write what Home Assistant reads at start."""
    config_dir.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(dict(configuration))
    (config_dir / "configuration.yaml").write_text(text, encoding="utf-8")
