"""A hub that several files of tests begin with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from custom_components.carbon_meter.community.hub.opening import Hub
from tests.community.hub.homes import own_broker, settled


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """Return a hub at a broker of its own, two homes of which are members for long."""
    opened = own_broker(tmp_path)
    settled(opened, "a", "b")
    yield opened
    opened.close()
