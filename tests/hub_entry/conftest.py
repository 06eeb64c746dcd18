"""A hub in a real Home Assistant, and homes that talk to it through a real broker."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from homeassistant.core import HomeAssistant
import pytest

from tests.hub_entry.village import Village
from tests.metering.json.broker import mosquitto


@pytest.fixture
def expected_lingering_timers() -> bool:
    """Let the MQTT integration keep the timer that it keeps in a test."""
    return True


@pytest.fixture
def plain_broker(socket_enabled: None, tmp_path: Path) -> Iterator[int]:
    """Run a broker such as Home Assistant's own; yield its port."""
    with mosquitto(tmp_path) as port:
        yield port


@pytest.fixture
async def village(
    plain_broker: int, mock_hass_config: None, real_time: HomeAssistant
) -> AsyncIterator[Village]:
    """Return a community over Home Assistant's own broker; its hub is set up by `open`."""
    village = Village(real_time, plain_broker)
    await village.connect()
    yield village
    await village.close()
