"""Which model of each family the virtual meters play: what stands on its pages beside numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

_FILE = Path(__file__).parent / "models.yaml"


@dataclass(frozen=True, kw_only=True)
class Model:
    """One model of a family."""

    wiring: str = "wye"
    form: str = "number"
    """How it writes numbers."""

    exact: bool = False
    """Whether it knows only quantities that have a place on its pages already."""

    settings: Mapping[str, str | int] = field(default_factory=dict)
    """Which meter of the device is played unless another is named."""

    pages: Mapping[str, Any] = field(default_factory=dict)
    """By the names that the profile gives them."""

    probe: Any = None
    """The page by which it is recognised, where that is another one."""

    open_probe: bool = False
    """Whether that page opens without a password."""


@cache
def models() -> Mapping[str, Model]:
    """Return the models by the id of their profile."""
    data = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return MappingProxyType({key: Model(**row) for key, row in data.items()})
