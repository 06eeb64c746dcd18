"""Ridge regression from sums."""

from hypothesis import given, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.forecast.ridge import Sums


def data(seed: int, rows: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    columns = random.normal(size=(rows, 3)) * [1, 10, 0.1] + [5, 0, -1]
    return columns, columns @ np.array([[2.0], [-0.3], [7]]) + 4


def test_a_linear_relation_is_found() -> None:
    columns, values = data(1, 200_000)

    fit = Sums.of(columns, values).solve(0.0)
    np.testing.assert_allclose(fit.of(columns[:100]), values[:100], atol=1e-2)


def test_the_penalty_is_that_of_the_textbook() -> None:
    """One column of unit variance, n samples: the weight is n / (n + penalty n + 10)."""
    columns = np.array([[-1.0], [1.0]] * 50)
    fit = Sums.of(columns, 3 * columns + 1).solve(0.5)

    assert fit.weights[0, 0] == pytest.approx(3 * 100 / (100 + 50 + 10))
    assert fit.of(np.array([[0.0]]))[0, 0] == pytest.approx(1.0)


@given(st.integers(0, 1000), st.integers(1, 1999))
def test_leaving_a_part_out_is_fitting_the_rest(seed, cut) -> None:
    columns, values = data(seed)
    left = Sums.of(columns[:cut], values[:cut])
    rest = Sums.of(columns[cut:], values[cut:])

    # Two samples or more: one alone says nothing.
    if len(columns) - cut > 1:
        first, second = (left + rest - left).solve(0.01), rest.solve(0.01)
        np.testing.assert_allclose(
            first.of(columns[:50]), second.of(columns[:50]), rtol=1e-5, atol=1e-5
        )


def test_a_column_that_never_changes_has_no_weight() -> None:
    columns, values = data(2)
    columns[:, 0] = 7.0
    fit = Sums.of(columns, values).solve(0.01)

    assert fit.weights[0, 0] == 0
    assert np.isfinite(fit.of(columns)).all()


def test_constant_values_and_no_samples_have_finite_answers() -> None:
    columns, values = data(3)

    fit = Sums.of(columns, np.zeros_like(values)).solve(0.01)
    assert abs(fit.of(columns)).max() == 0
    empty = Sums.of(columns[:0], values[:0]).solve(0.01)
    assert abs(empty.of(columns)).max() == 0
