"""A mix of generation and its intensity."""

import json
import math
from pathlib import Path
from statistics import median

from hypothesis import given, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.factors.factor import Scope
from custom_components.carbon_meter.carbon.factors.library import load_library
from custom_components.carbon_meter.carbon.factors.mix import (
    DIRECT,
    LIFE_CYCLE,
    GenerationFactors,
    generation_factors,
    mix_intensities,
    mix_intensity,
)
from custom_components.carbon_meter.carbon.factors.technology import Technology

from .tables import library, write

T = Technology
PACKAGED = load_library()
SETS = {name: generation_factors(PACKAGED, name) for name in (DIRECT, LIFE_CYCLE)}
CISO = {
    T.COAL: 9,
    T.GAS: 6574,
    T.NUCLEAR: 2273,
    T.OIL: 88,
    T.HYDRO: 2403,
    T.SOLAR: 1222,
    T.WIND: 2497,
}
MIXES = Path(__file__).parents[4] / "shared/data/carbon/factors/codecarbon_global_energy_mix.json"


@pytest.mark.parametrize(
    ("name", "scope", "figures"),
    [
        (DIRECT, Scope.DIRECT, (760, 370, 406, 575, 0, 0, 0, 0, 0, 0)),
        (LIFE_CYCLE, Scope.LIFE_CYCLE, (820, 490, 650, 700, 230, 38, 24, 12, 45, 11)),
    ],
)
def test_the_two_sets(name: str, scope: Scope, figures: tuple[float, ...]) -> None:
    """The sets that reproduce published intensities digit by digit (facts, A1)."""
    factors = SETS[name]
    assert (factors.id, factors.scope) == (name, scope)
    assert tuple(factors.values.values()) == figures
    assert list(factors.values) == list(Technology)[:10]


@pytest.mark.parametrize(("name", "expected"), [(DIRECT, 164.27), (LIFE_CYCLE, 229.21)])
def test_california_on_new_year_2019(name: str, expected: float) -> None:
    """CISO, 2019-01-01 00:00 UTC (facts, A1)."""
    found = mix_intensity(CISO, SETS[name])
    assert round(found.value, 2) == expected
    assert (found.factors, found.scope) == (name, SETS[name].scope)
    assert found.unknown_share == 0


def test_what_is_missing_or_charging_is_left_out() -> None:
    mix = {T.COAL: 10, T.GAS: None, T.OIL: math.nan, T.HYDRO: -500, T.WIND: 10}
    assert mix_intensity(mix, SETS[DIRECT]).value == 380


@pytest.mark.parametrize(
    "mix", [{}, {T.GAS: None}, {T.GAS: 0}, {T.HYDRO: -3}, {T.GAS: math.inf}, {T.WIND: math.nan}]
)
def test_no_generation_has_no_intensity(mix: dict[Technology, float | None]) -> None:
    assert mix_intensity(mix, SETS[DIRECT]) is None


def test_what_the_set_does_not_know_counts_as_unknown() -> None:
    found = mix_intensity({T.OCEAN: 1, T.UNKNOWN: 1, T.WIND: 2}, SETS[DIRECT])
    assert found.unknown_share == 0.5
    assert found.value == 287.5


def test_a_country_may_have_figures_of_its_own(tmp_path: Path) -> None:
    rows = (
        '  - {zone: "001", year: 2014, technology: unknown, value: 575}\n'
        '  - {zone: "001", year: 2014, technology: hydro, value: 24}\n'
        "  - {zone: DE, year: 2020, technology: hydro, value: 10.7}\n"
    )
    loaded = library(tmp_path, rows)
    assert generation_factors(loaded, "table", "DE").values[T.HYDRO] == 10.7
    assert generation_factors(loaded, "table", "FR").values[T.HYDRO] == 24
    assert generation_factors(loaded, "table").values[T.HYDRO] == 24


def test_a_table_without_a_set_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "half", '  - {zone: "001", year: 2014, technology: coal, value: 1}\n')
    half = load_library([tmp_path])
    with pytest.raises(LookupError, match="no figure for generation of unknown origin"):
        generation_factors(half, "half")
    with pytest.raises(LookupError, match="no table of generation factors 'none'"):
        generation_factors(half, "none")


ENERGY = st.none() | st.floats(-1e6, 1e6) | st.just(math.nan) | st.just(math.inf)
MIX = st.dictionaries(st.sampled_from(list(Technology)), ENERGY)


@given(MIX, st.sampled_from([DIRECT, LIFE_CYCLE]))
def test_an_intensity_lies_among_the_factors(
    mix: dict[Technology, float | None], name: str
) -> None:
    found = mix_intensity(mix, SETS[name])
    if found is not None:
        values = SETS[name].values.values()
        assert min(values) <= found.value * (1 + 1e-12)
        assert found.value <= max(values) * (1 + 1e-12)
        assert 0 <= found.unknown_share <= 1


@given(st.lists(MIX, max_size=12), st.sampled_from([DIRECT, LIFE_CYCLE]))
def test_a_table_of_mixes_is_row_by_row_the_same(
    mixes: list[dict[Technology, float | None]], name: str
) -> None:
    columns = list(Technology)
    table = np.array(
        [
            [mix.get(column) if mix.get(column) is not None else np.nan for column in columns]
            for mix in mixes
        ],
        dtype=float,
    ).reshape(len(mixes), len(columns))
    found = mix_intensities(table, columns, SETS[name])
    for mix, value in zip(mixes, found, strict=True):
        single = mix_intensity(mix, SETS[name])
        assert math.isnan(value) == (single is None)
        if single is not None:
            assert value == pytest.approx(single.value, rel=1e-9)


@pytest.mark.skipif(
    not MIXES.exists(), reason="the mixes of all countries are not beside this checkout"
)
def test_the_mixes_of_all_countries() -> None:
    """Beside the intensities that are printed with them, which are made with other factors.

    Life cycle, 2022 mostly: half of the countries come within a tenth, and the order is kept.
    """
    columns = {
        T.COAL: "coal_TWh",
        T.GAS: "gas_TWh",
        T.OIL: "oil_TWh",
        T.BIOMASS: "biofuel_TWh",
        T.HYDRO: "hydroelectricity_TWh",
        T.NUCLEAR: "nuclear_TWh",
        T.SOLAR: "solar_TWh",
        T.WIND: "wind_TWh",
    }
    pairs = []
    for row in json.loads(MIXES.read_text(encoding="utf-8")).values():
        found = mix_intensity({kind: row[key] for kind, key in columns.items()}, SETS[LIFE_CYCLE])
        if found is not None and row["carbon_intensity"]:
            pairs.append((found.value, row["carbon_intensity"]))
    assert len(pairs) > 200
    assert median(abs(ours / printed - 1) for ours, printed in pairs) < 0.1
    ours, printed = np.array(pairs).T
    assert np.corrcoef(ours, printed)[0, 1] > 0.9


def test_a_set_can_be_made_by_hand() -> None:
    own = GenerationFactors(id="own", scope=Scope.DIRECT, values={T.UNKNOWN: 500, T.WIND: 0})
    assert own.of(T.WIND) == 0
    assert own.of(T.COAL) == 500
