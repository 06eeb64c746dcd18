"""What the tests of the archive share."""

from collections.abc import Generator
from pathlib import Path

import pytest

from custom_components.carbon_meter.carbon.archive.archive import Archive


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the archive of a test lies."""
    return tmp_path / "site.db"


@pytest.fixture
def archive(path: Path) -> Generator[Archive]:
    """Return an empty archive."""
    opened = Archive(path)
    yield opened
    opened.close()
