"""Whether the kernel says that a time server keeps the clock."""

import ctypes
import sys
from types import SimpleNamespace

import pytest

from custom_components.carbon_meter.membership.clock import is_synced


@pytest.mark.parametrize(("state", "said"), [(0, True), (4, True), (5, False), (-1, None)])
def test_what_the_kernel_says(
    monkeypatch: pytest.MonkeyPatch, state: int, said: bool | None
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace(adjtimex=lambda _: state))
    assert is_synced() is said


def test_nobody_can_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())
    assert is_synced() is None
    monkeypatch.setattr(sys, "platform", "darwin")
    assert is_synced() is None
