"""A house for blueprints."""

from collections.abc import AsyncGenerator
import logging

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest

from tests.blueprints.harness import House

WATCHED = ("homeassistant.components.automation", "homeassistant.helpers.template")
"""Loggers whose complaints are faults of a blueprint, whatever it does."""


@pytest.fixture
async def house(
    hass: HomeAssistant,
    socket_enabled: None,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> AsyncGenerator[House]:
    """Return a house without devices, on a Wednesday at noon.

    A test fails when an automation or a template complained, but for `house.expected_errors`.
    """
    opened = House(hass, freezer)
    await opened.open()
    yield opened
    await opened.close()
    complaints = [
        record.getMessage()
        for record in caplog.get_records("call")
        if record.levelno >= logging.WARNING and record.name.startswith(WATCHED)
    ]
    unexpected = [
        complaint
        for complaint in complaints
        if not any(part in complaint for part in opened.expected_errors)
    ]
    assert unexpected == []
