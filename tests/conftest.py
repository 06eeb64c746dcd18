"""What all tests share."""

# Before the test plugin shadows the package.
import custom_components.carbon_meter  # noqa: F401, I001

from collections.abc import AsyncGenerator
import logging
from pathlib import Path
import time

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest

from custom_components.carbon_meter.community.authority.authority import Authority
from tests.common import SiteUnderTest


# Every frame on the wire, twice, and every statement of the recorder.
for noisy in ("pymodbus.logging", "tmodbus.raw_traffic", "sqlalchemy.engine"):
    logging.getLogger(noisy).setLevel(logging.WARNING)


@pytest.fixture(scope="session", autouse=True)
def _real_datetime(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Make a certificate before any clock is frozen.

    The library keeps the class `datetime` as it finds it then, for the whole process.
    """
    Authority.create(tmp_path_factory.mktemp("authority"), "Warm-up", now=time.time())


@pytest.fixture
def hass_config_dir(tmp_path: Path) -> str:
    """Return a configuration directory that belongs to one test alone."""
    directory = tmp_path / "config"
    (directory / ".storage").mkdir(parents=True)
    return str(directory)


@pytest.fixture(autouse=True)
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let flows go on at once: no page has to be shown how they progress."""
    monkeypatch.setattr("custom_components.carbon_meter.flows.progress.SHORTEST", 0)


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
