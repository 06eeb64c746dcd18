"""What the tests of a site's book share."""

from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from custom_components.carbon_meter.carbon.archive.archive import Archive
from custom_components.carbon_meter.carbon.site.book import SiteBook, SitePlan
from tests.carbon.site.homes import plan_of


@pytest.fixture
def archive(tmp_path: Path) -> Generator[Archive]:
    """Return an empty archive."""
    opened = Archive(tmp_path / "site.db")
    yield opened
    opened.close()


@pytest.fixture
def new_book(archive: Archive) -> Callable[..., SiteBook]:
    """Return how to open a book of the archive, as after a restart."""

    def opened(plan: SitePlan | None = None) -> SiteBook:
        return SiteBook(archive, plan or plan_of())

    return opened
