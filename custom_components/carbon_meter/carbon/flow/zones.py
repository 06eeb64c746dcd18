"""Grid zones that trade: what is consumed in each, from generation and published exchanges.

Flow tracing between zones: the carbon of generation follows the exchanges to where the energy
is consumed (de Chalendar et al. 2019, PNAS, and Tranberg et al. 2019, arXiv 1812.06679).
"""

from dataclasses import dataclass

import numpy as np

from .amounts import FloatArray, ImpossibleAmountError, amounts, grams, intensity_of
from .equations import node_mix


@dataclass(frozen=True, kw_only=True)
class ZoneFlow:
    """Zones are the last axis of each array; energy in Wh, carbon in g, intensity in g/kWh."""

    production_intensity: FloatArray
    """Carbon of generation over generation, NaN where nothing is generated."""

    consumption_intensity: FloatArray
    """The mix of generation and imports, NaN where its origin is not known."""

    consumption: FloatArray
    """What is generated and imported and not exported; negative where the figures disagree."""

    received: FloatArray
    """[..., N, N]: what the zone of the column receives from that of the row."""

    @property
    def consumption_carbon(self) -> FloatArray:
        """Return the grams of what is consumed in each zone."""
        return grams(self.consumption, self.consumption_intensity)

    @property
    def received_carbon(self) -> FloatArray:
        """Return the grams that the zone of the column receives from that of the row."""
        return grams(self.received, self.consumption_intensity[..., :, np.newaxis])


def trace_zones(generation: object, carbon: object, net_export: object) -> ZoneFlow:
    """Return what each zone consumes, for one interval or many (leading axes).

    `generation` [..., N] is in Wh; net generation below zero, of pumped storage, is
    consumption. `carbon` [..., N] is what generation emits, in g. `net_export` [..., N, N]
    holds at [i, j] the Wh that zone i sends to zone j, negative where it receives; where the
    two sides of a border tell different figures, the one that receives is believed.

    Raises ImpossibleAmountError for numbers that cannot be and for shapes that do not fit.
    """
    generated = amounts("generation", generation, signed=True)
    emitted = amounts("carbon", carbon)
    exchange = amounts("net_export", net_export, signed=True)
    if exchange.ndim < 2 or exchange.shape[-1] != exchange.shape[-2]:
        raise ImpossibleAmountError("net_export", f"shape {exchange.shape} is not square")
    received = np.maximum(-exchange, 0.0).swapaxes(-1, -2)
    positive = np.maximum(generated, 0.0)
    mix = node_mix(positive, emitted, received)
    return ZoneFlow(
        production_intensity=intensity_of(emitted, positive),
        consumption_intensity=mix * 1000.0,
        consumption=positive + received.sum(axis=-2) - received.sum(axis=-1),
        received=received,
    )
