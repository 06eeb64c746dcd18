"""The backtest scores what came true, and the oracle cannot be beaten."""

from collections.abc import Sequence

import numpy as np
import pytest

from benchmarks.forecast.zones import Zone
from benchmarks.planning.backtest import (
    LOADS,
    Policy,
    Score,
    averages,
    backtest,
    verdict,
)

LEARNT, SCORED = 90, 12  # days


def zone(noise: float) -> Zone:
    """Return a grid with a day's swing and so much noise."""
    hours = np.arange((LEARNT + SCORED) * 24)
    rng = np.random.default_rng(1)
    values = 300.0 + 150.0 * np.cos(hours / 12.0 * np.pi) + rng.normal(0.0, noise, len(hours))
    return Zone(
        name="Test",
        time_zone="Europe/Berlin",
        start=1_767_225_600,
        values=np.maximum(values, 1.0),
        scored=LEARNT * 24,
    )


@pytest.fixture(name="noisy", scope="module")
def noisy_scores() -> Sequence[Score]:
    """Return the scores of a grid that nobody can foresee altogether."""
    return list(backtest(zone(60.0), None))


def test_nobody_beats_the_oracle(noisy: Sequence[Score]) -> None:
    """Whoever plans, with whatever forecast, keeps no more than all."""
    assert len(noisy) == len(LOADS)
    for score in noisy:
        assert 0.0 < score.possible < 1.0
        assert all(score.kept(policy) <= 1.0 + 1e-9 for policy in Policy)


def test_no_deadline_is_missed(noisy: Sequence[Score]) -> None:
    """Planned once or every hour, it is done in time."""
    assert all(score.missed == 0 for score in noisy)
    assert all(score.days >= SCORED - 4 for score in noisy)


def test_a_grid_that_repeats_itself_is_foreseen_by_yesterday() -> None:
    """Without noise yesterday is the oracle, and so is ours."""
    scores = [score for score in backtest(zone(0.0), 4) if score.possible > 0.01]
    assert len(scores) >= 3
    for score in scores:
        assert score.kept(Policy.YESTERDAY) == pytest.approx(1.0, abs=1e-6)
        assert score.kept(Policy.ONCE) > 0.98


def test_the_verdict_names_every_target(noisy: Sequence[Score]) -> None:
    """Each target of a load, the deadlines, the worst years, the time."""
    lines = list(verdict(noisy))

    assert sum("target" in line for line in lines) == 3
    assert any(line.startswith("deadlines missed: 0 of") for line in lines)
    assert set(averages(noisy, LOADS[1])) == set(Policy)
