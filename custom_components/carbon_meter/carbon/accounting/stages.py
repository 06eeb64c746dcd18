"""Generation, transmission and upstream of bought energy as figures of their own.

What `factors.losses` tells of one kWh becomes the figures of a consumption. Generation is
scope 2; what is lost on the way and what supplied the fuel belongs to scope 3, category 3.
"""

from ..factors.factor import EmissionFactor, Stage
from ..factors.losses import delivered
from ..flow.amounts import amount, grams
from .figures import Account, Figure, Label, Matching


def by_stage(
    energy: float,
    generation: EmissionFactor,
    *,
    losses: EmissionFactor | None = None,
    loss_share: float | None = None,
    upstream: EmissionFactor | None = None,
) -> dict[Stage, Figure]:
    """Return the grams of a consumption in Wh by stage.

    A stage that is not known is absent, and so is one that the figure of another contains
    already: nothing is counted twice. A published factor of fuel supply and losses together
    stays one figure. See `factors.losses.delivered` for what fits together.

    Raises ValueError for factors that do not, ImpossibleAmountError for an energy that cannot be.
    """
    consumed = amount("energy", energy)
    per_kwh = delivered(generation, losses=losses, loss_share=loss_share, upstream=upstream)
    on_the_way = Stage.TRANSMISSION_DISTRIBUTION if losses is None else losses.source.stage
    parts = {
        Stage.GENERATION: (Account.LOCATION_BASED, per_kwh.generation),
        on_the_way: (Account.VALUE_CHAIN, per_kwh.transmission),
        Stage.UPSTREAM: (Account.VALUE_CHAIN, per_kwh.upstream),
    }
    contained = set(per_kwh.within)
    if Stage.TRANSMISSION_DISTRIBUTION in contained:
        contained.add(on_the_way)
    return {
        stage: Figure(
            label=Label(
                account=account,
                matching=Matching.ANNUAL,
                stage=stage,
                carrier=generation.source.carrier,
            ),
            value=float(grams(consumed, factor)),
        )
        for stage, (account, factor) in parts.items()
        if factor is not None and stage not in contained
    }
