"""An authority, and a broker's files signed by it."""

from pathlib import Path
import time

import pytest

from custom_components.carbon_meter.community.authority.authority import Authority


@pytest.fixture
def now() -> float:
    """The real time: TLS looks at no other clock."""
    return time.time()


@pytest.fixture
def authority(tmp_path: Path, now: float) -> Authority:
    return Authority.create(tmp_path / "authority", "Sunny Street", now=now)


@pytest.fixture
def served(authority: Authority, now: float) -> tuple[str, str]:
    """Key and certificate of a broker."""
    return authority.sign_server(["localhost"], ["127.0.0.1"], now=now)
