"""From the power station to the meter: losses of the grid, added once."""

from dataclasses import dataclass
import math

from .amounts import Measure
from .factor import EmissionFactor, Stage


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """What one kWh at the meter emits, in gCO2eq/kWh, each stage of its way apart.

    None is a stage that nothing is known of. A stage that the figure of another
    one contains already is 0 and named in `within`.
    """

    generation: float
    transmission: float | None = None
    upstream: float | None = None
    use: float = 0.0
    """Electricity and heat emit nothing where they are used; fuels only there."""

    within: frozenset[Stage] = frozenset()

    @property
    def total(self) -> float:
        """Return the sum of the stages that are known."""
        return math.fsum((self.generation, self.transmission or 0, self.upstream or 0, self.use))

    @property
    def complete(self) -> bool:
        """Return whether every stage is known."""
        return self.transmission is not None and self.upstream is not None


def consumed(generated: float, loss: float) -> float:
    """Return the carbon of one kWh consumed, given that of one kWh generated.

    `loss` is the share of the generated energy that does not arrive: what does
    carries the carbon of all, generated / (1 - loss). (EPA's note on eGRID's grid
    gross loss; the difference belongs to scope 3, category 3.)

    Raises ValueError for a share that cannot be.
    """
    if not 0 <= loss < 1:
        raise ValueError(f"a loss of {loss:g} is not a share from 0 to below 1")
    return generated / (1 - loss)


def delivered(
    generation: EmissionFactor,
    *,
    losses: EmissionFactor | None = None,
    loss_share: float | None = None,
    upstream: EmissionFactor | None = None,
) -> Delivered:
    """Return what one kWh at the meter emits, its stages apart, in gCO2eq/kWh.

    Losses are either a factor of their own, added as DESNZ publishes it, or the
    share that is lost on the way. They are not added to a figure that has them
    (`includes_td`), nor is the supply of fuel to a life-cycle figure. A factor
    of fuel supply and losses together fills the stage `transmission`, and
    `upstream` is then within it.

    Raises ValueError for losses given twice, a share that cannot be, or factors
    of other stages or per other measures than asked for.
    """
    if losses is not None and loss_share is not None:
        raise ValueError("losses are given twice, as a factor and as a share")
    _check(generation, Stage.GENERATION)
    if losses is not None:
        _check(losses, Stage.TRANSMISSION_DISTRIBUTION, Stage.UPSTREAM_AND_LOSSES)
    if upstream is not None:
        _check(upstream, Stage.UPSTREAM)
    combined = losses is not None and losses.source.stage is Stage.UPSTREAM_AND_LOSSES
    if losses is not None and combined and generation.source.lifecycle:
        raise ValueError(
            f"{losses.source.id} has the supply of fuel in one figure with the losses; "
            f"{generation.source.id} has it already"
        )

    within: set[Stage] = set()
    transmission: float | None = None
    if generation.source.includes_td:
        within.add(Stage.TRANSMISSION_DISTRIBUTION)
        transmission = 0.0
    elif losses is not None:
        transmission = losses.value
    elif loss_share is not None:
        transmission = consumed(generation.value, loss_share) - generation.value

    supply: float | None = None
    if generation.source.lifecycle or (combined and not generation.source.includes_td):
        within.add(Stage.UPSTREAM)
        supply = 0.0
    elif upstream is not None:
        supply = upstream.value
    return Delivered(
        generation=generation.value,
        transmission=transmission,
        upstream=supply,
        within=frozenset(within),
    )


def _check(factor: EmissionFactor, *stages: Stage) -> None:
    """Refuse a factor that is not of one of the stages, or not per kWh."""
    if factor.source.stage not in stages or factor.measure is not Measure.ENERGY:
        raise ValueError(
            f"{factor.source.id} has {factor.source.stage} per {factor.measure}, "
            f"not {' or '.join(stages)} per kWh"
        )
