"""Who fed whom at one node."""

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.carbon.supply.allocation import (
    Allocation,
    NodeEnergy,
    Sink,
    Source,
    allocate,
)

PROPORTIONAL, OWN_FIRST = Allocation.PROPORTIONAL, Allocation.SELF_CONSUMPTION_FIRST


def given_to(energy: NodeEnergy, how: Allocation) -> dict[tuple[str, str], float]:
    """Return what is not nothing, by the names of source and sink."""
    matrix = allocate(energy, how)
    return {
        (source.name, sink.name): float(matrix[source, sink])
        for source in Source
        for sink in Sink
        if matrix[source, sink]
    }


def test_all_that_leaves_carries_the_same_mix() -> None:
    energy = NodeEnergy(grid_import=1000.0, solar=3000.0, charge=1000.0, grid_export=500.0)

    assert given_to(energy, PROPORTIONAL) == {
        ("GRID", "HOME"): 625.0,
        ("GRID", "CHARGE"): 250.0,
        ("GRID", "EXPORT"): 125.0,
        ("SOLAR", "HOME"): 1875.0,
        ("SOLAR", "CHARGE"): 750.0,
        ("SOLAR", "EXPORT"): 375.0,
    }


def test_solar_serves_home_then_charging_and_the_rest_is_exported() -> None:
    energy = NodeEnergy(solar=5000.0, charge=1000.0, grid_export=1000.0)

    assert given_to(energy, OWN_FIRST) == {
        ("SOLAR", "HOME"): 3000.0,
        ("SOLAR", "CHARGE"): 1000.0,
        ("SOLAR", "EXPORT"): 1000.0,
    }


def test_what_was_imported_while_solar_was_exported_stayed_at_home() -> None:
    """Both happened in one interval, by turns: no kilowatt-hour went straight through."""
    energy = NodeEnergy(grid_import=1000.0, solar=5000.0, grid_export=2000.0)

    assert given_to(energy, OWN_FIRST) == {
        ("GRID", "HOME"): 1000.0,
        ("SOLAR", "HOME"): 3000.0,
        ("SOLAR", "EXPORT"): 2000.0,
    }


def test_solar_comes_before_the_battery_and_the_battery_exports_first() -> None:
    energy = NodeEnergy(solar=1000.0, discharge=4000.0, grid_export=2000.0)

    assert given_to(energy, OWN_FIRST) == {
        ("SOLAR", "HOME"): 1000.0,
        ("BATTERY", "HOME"): 2000.0,
        ("BATTERY", "EXPORT"): 2000.0,
    }


def test_the_grid_serves_home_before_it_charges() -> None:
    energy = NodeEnergy(grid_import=3000.0, solar=500.0, charge=2000.0)

    assert given_to(energy, OWN_FIRST) == {
        ("GRID", "HOME"): 1000.0,
        ("GRID", "CHARGE"): 2000.0,
        ("SOLAR", "HOME"): 500.0,
    }


@pytest.mark.parametrize("how", Allocation)
def test_energy_that_left_without_coming_is_a_source_of_its_own(how) -> None:
    energy = NodeEnergy(solar=1000.0, grid_export=1500.0)

    matrix = allocate(energy, how)

    assert matrix[Source.UNMETERED].sum() == pytest.approx(500.0)
    assert matrix[Source.SOLAR].sum() == pytest.approx(1000.0)
    assert matrix[:, Sink.EXPORT].sum() == pytest.approx(1500.0)


@pytest.mark.parametrize("how", Allocation)
def test_energy_that_came_without_leaving_is_a_sink_of_its_own(how) -> None:
    matrix = allocate(NodeEnergy(grid_import=1000.0, home=900.0), how)

    assert matrix[Source.GRID, Sink.HOME] == pytest.approx(900.0)
    assert matrix[Source.GRID, Sink.UNMETERED] == pytest.approx(100.0)


def test_where_home_is_metered_and_more_than_came_the_rest_is_unmetered() -> None:
    matrix = allocate(NodeEnergy(grid_import=1000.0, home=1100.0), OWN_FIRST)

    assert matrix[:, Sink.HOME].tolist() == pytest.approx([1000.0, 0.0, 0.0, 100.0])


@pytest.mark.parametrize("how", Allocation)
def test_nothing_from_nobody(how) -> None:
    assert not allocate(NodeEnergy(), how).any()


@pytest.mark.parametrize("how", Allocation)
def test_rounding_of_the_meters_is_no_unmetered_energy(how) -> None:
    matrix = allocate(NodeEnergy(solar=0.1, discharge=0.2, grid_export=0.3), how)

    assert not matrix[Source.UNMETERED].any()


@pytest.mark.parametrize(
    "figures",
    [
        {"grid_import": -1.0},
        {"solar": float("nan")},
        {"charge": None},
        {"home": -0.1},
        {"discharge": [1.0, 2.0], "solar": [1.0, 2.0, 3.0]},
    ],
)
def test_impossible_energies_are_refused(figures) -> None:
    with pytest.raises(ImpossibleAmountError):
        allocate(NodeEnergy(**figures), PROPORTIONAL)


energies = st.one_of(st.just(0.0), st.floats(1e-3, 1e5))


@settings(max_examples=300)
@given(
    st.lists(st.tuples(*[energies] * 5), min_size=1, max_size=4),
    st.sampled_from(Allocation),
    st.none() | energies,
)
def test_rows_are_what_came_and_columns_what_left(intervals, how, home) -> None:
    grid, solar, discharge, charge, export = np.array(intervals).T
    energy = NodeEnergy(
        grid_import=grid,
        solar=solar,
        discharge=discharge,
        charge=charge,
        grid_export=export,
        home=home,
    )

    matrix = allocate(energy, how)

    scale = (grid + solar + discharge + charge + export).max() + (home or 0.0) + 1e-9
    near = {"rel": 1e-9, "abs": 1e-12 * scale}
    assert (matrix >= 0.0).all()
    rows, columns = matrix.sum(axis=-1), matrix.sum(axis=-2)
    assert rows[:, Source.GRID] == pytest.approx(grid, **near)
    assert rows[:, Source.SOLAR] == pytest.approx(solar, **near)
    assert rows[:, Source.BATTERY] == pytest.approx(discharge, **near)
    assert columns[:, Sink.CHARGE] == pytest.approx(charge, **near)
    assert columns[:, Sink.EXPORT] == pytest.approx(export, **near)
    if home is not None:
        assert columns[:, Sink.HOME] == pytest.approx(home, **near)
    else:
        assert not columns[:, Sink.UNMETERED].any()
    assert not (columns[:, Sink.UNMETERED] * rows[:, Source.UNMETERED]).any()


@given(st.tuples(*[energies] * 5))
def test_own_sources_keep_the_grid_out_of_the_export_as_long_as_they_suffice(interval) -> None:
    grid, solar, discharge, charge, export = interval
    energy = NodeEnergy(
        grid_import=grid, solar=solar, discharge=discharge, charge=charge, grid_export=export
    )

    matrix = allocate(energy, OWN_FIRST)

    from_outside = matrix[Source.GRID, Sink.EXPORT] + matrix[Source.UNMETERED, Sink.EXPORT]
    short = max(0.0, export - solar - discharge)
    assert from_outside == pytest.approx(short, rel=1e-9, abs=1e-9)


def test_one_interval_is_as_good_as_many() -> None:
    many = allocate(
        NodeEnergy(grid_import=[1.0, 5.0], solar=[3.0, 0.0], charge=[1.0, 2.0]), OWN_FIRST
    )
    one = allocate(NodeEnergy(grid_import=5.0, solar=0.0, charge=2.0), OWN_FIRST)

    assert np.array_equal(many[1], one)
