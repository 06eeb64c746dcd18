"""Other gases as carbon dioxide."""

import csv
import math
from pathlib import Path

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.carbon.factors.gwp import (
    AR5,
    AR6,
    co2_equivalent,
    load_gwp_sets,
)

SETS = load_gwp_sets()
TABLE = Path(__file__).parents[4] / "shared/data/carbon/factors/globalwarmingpotentials_0.13.2.csv"


def test_a_thousand_with_some_methane_and_nitrous_oxide() -> None:
    """1000 CO2, 2 CH4 and 0.1 N2O are 1082.5 by AR5 (facts, A8)."""
    assert co2_equivalent({"CO2": 1000, "CH4": 2, "N2O": 0.1}, SETS[AR5]) == 1082.5


@pytest.mark.parametrize(("name", "methane", "nitrous"), [(AR5, 28, 265), (AR6, 27.9, 273)])
def test_methane_and_nitrous_oxide(name: str, methane: float, nitrous: float) -> None:
    """Over 100 years (facts, A8)."""
    assert set(SETS) == {AR5, AR6}
    potentials = SETS[name].potentials
    assert (potentials["CO2"], potentials["CH4"], potentials["N2O"]) == (1, methane, nitrous)
    assert SETS[name].licence
    assert SETS[name].title


@pytest.mark.skipif(not TABLE.exists(), reason="the table does not lie beside this checkout")
@pytest.mark.parametrize(("name", "column"), [(AR5, "AR5GWP100"), (AR6, "AR6GWP100")])
def test_every_gas_against_the_table(name: str, column: str) -> None:
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    expected = {row["Species"]: float(row[column]) for row in rows if row[column]}
    assert SETS[name].potentials == {"CO2": 1.0, **expected}


def test_a_gas_that_the_set_does_not_have() -> None:
    with pytest.raises(LookupError, match="ar5 has no warming potential of steam"):
        co2_equivalent({"CO2": 1, "steam": 1}, SETS[AR5])


@pytest.mark.parametrize("mass", [math.nan, math.inf])
def test_a_mass_that_is_not_finite(mass: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        co2_equivalent({"CH4": mass}, SETS[AR6])


@given(st.dictionaries(st.sampled_from(sorted(SETS[AR5].potentials)), st.floats(0, 1e6)))
def test_it_adds_up(masses: dict[str, float]) -> None:
    total = co2_equivalent(masses, SETS[AR5])
    alone = math.fsum(co2_equivalent({gas: mass}, SETS[AR5]) for gas, mass in masses.items())
    assert total == pytest.approx(alone, rel=1e-12)
