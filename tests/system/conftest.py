"""What the tests of the whole have in common."""

from collections.abc import Iterator

import pytest

from demo.processes import Children


@pytest.fixture
def children() -> Iterator[Children]:
    """Give a place to start processes in; they end with the test."""
    with Children() as children:
        yield children
