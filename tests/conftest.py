"""What all tests share."""

# Before the test plugin shadows the package.
import custom_components.carbon_meter  # noqa: F401, I001

from collections.abc import AsyncGenerator
import logging
from pathlib import Path

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest

from tests.common import SiteUnderTest


# Every frame on the wire, twice, and every statement of the recorder.
for noisy in ("pymodbus.logging", "tmodbus.raw_traffic", "sqlalchemy.engine"):
    logging.getLogger(noisy).setLevel(logging.WARNING)


@pytest.fixture
def hass_config_dir(tmp_path: Path) -> str:
    """Return a configuration directory that belongs to one test alone."""
    directory = tmp_path / "config"
    (directory / ".storage").mkdir(parents=True)
    return str(directory)


@pytest.fixture
async def site(
    hass: HomeAssistant,
    enable_custom_integrations: None,
    socket_enabled: None,
    freezer: FrozenDateTimeFactory,
) -> AsyncGenerator[SiteUnderTest]:
    """Return a site without meters, in a time that only the test moves."""
    under_test = SiteUnderTest(hass, freezer)
    yield under_test
    await under_test.close()


@pytest.fixture
def real_time(
    hass: HomeAssistant, enable_custom_integrations: None, socket_enabled: None
) -> HomeAssistant:
    """Return Home Assistant with sockets and a clock that runs."""
    return hass
