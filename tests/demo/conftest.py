"""What the tests of real processes share."""

from collections.abc import Iterator

import pytest

from demo.processes import Children


@pytest.fixture
def children() -> Iterator[Children]:
    """Give a place to start children in; they end with the test."""
    with Children() as children:
        yield children
