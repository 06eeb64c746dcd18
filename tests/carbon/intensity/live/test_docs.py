"""The page on sources says what the descriptions say."""

from pathlib import Path

import pytest

from custom_components.carbon_meter.carbon.intensity.live.catalogue import PROVIDERS
from custom_components.carbon_meter.carbon.intensity.live.errors import ProviderError
from custom_components.carbon_meter.carbon.intensity.live.provider import Need
from custom_components.carbon_meter.carbon.intensity.source import IntensityKind

LINES = (Path(__file__).parents[4] / "docs" / "sources.md").read_text("utf-8").splitlines()


@pytest.mark.parametrize("key", list(PROVIDERS))
def test_every_provider_is_described(key) -> None:
    provider = PROVIDERS[key]
    row = next(line for line in LINES if line.startswith(f"| `{key}` |"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]

    assert cells[1] == provider.name
    assert cells[3] == {None: "nothing", Need.KEY: "key", Need.ACCOUNT: "account"}[provider.need]
    assert ("marginal" in cells[4]) is (provider.kind is IntensityKind.MARGINAL)
    assert (cells[5] == "none") is (provider.horizon == 0)


@pytest.mark.parametrize("key", list(PROVIDERS))
def test_every_licence_is_named(key) -> None:
    provider = PROVIDERS[key]
    rows = [line for line in LINES if line.startswith("|") and f"`{key}`" in line]

    assert any(provider.licence in row and provider.attribution in row for row in rows)


def test_every_error_is_explained() -> None:
    explained = {line.split("`")[1] for line in LINES if line.startswith("| `")}

    assert {kind.reason for kind in ProviderError.__subclasses__()} <= explained
