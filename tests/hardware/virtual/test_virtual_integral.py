"""Energy against integrals that are known."""

from itertools import pairwise

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from hardware.virtual import Constant, Household, Steps
from hardware.virtual.household import Appliance, Node
from hardware.virtual.integral import Integral, Rewired
from hardware.virtual.loads import BaseLoad, SolarRoof
from hardware.virtual.weather import Weather

START = 1_784_000_123.0


def node_of(*appliances: Appliance) -> Node:
    return Node("node", appliances)


def test_a_constant_load_integrates_to_power_times_time() -> None:
    integral = Integral(node_of(Appliance(node="x", source=Constant(watts=1234.5))), START)
    for seconds in (0, 0.25, 17, 3600, 86400, 86400.5, 400 * 86400):
        energy = integral.energy(START + seconds)
        assert energy.total_imported == pytest.approx(1234.5 * seconds / 3600, abs=1e-6)
        assert energy.imported[1] == pytest.approx(1234.5 * seconds / 3600 / 3, abs=1e-6)
        assert energy.total_exported == 0


def test_nothing_is_counted_before_the_beginning() -> None:
    integral = Integral(node_of(Appliance(node="x", source=Constant(watts=1000))), START)
    assert integral.energy(START - 5000).total_imported == 0
    assert integral.flow(START - 5000).active == pytest.approx((1000 / 3,) * 3)


def test_steps_integrate_exactly_in_both_directions() -> None:
    steps = Steps([(START + 7.3, 3000.0), (START + 100.1, -1500.0), (START + 160.1, 0.0)])
    integral = Integral(
        node_of(Appliance(node="x", source=steps, phases=(1, 0, 0), reactive=0.5)), START
    )
    middle = integral.energy(START + 50)
    assert middle.total_imported == pytest.approx(3000 * 42.7 / 3600, abs=1e-6)
    end = integral.energy(START + 1e6)
    assert end.total_imported == pytest.approx(3000 * 92.8 / 3600, abs=1e-6)
    assert end.total_exported == pytest.approx(1500 * 60 / 3600, abs=1e-6)
    assert end.imported == pytest.approx((end.total_imported, 0, 0))
    assert end.reactive_imported == pytest.approx(end.total_imported / 2)
    assert end.reactive_exported == pytest.approx(end.total_exported / 2)


def test_the_total_nets_the_phases_at_every_moment() -> None:
    integral = Integral(
        node_of(
            Appliance(node="load", source=Constant(watts=900), phases=(1, 0, 0)),
            Appliance(node="solar", source=Constant(watts=600), phases=(0, 1, 0), produces=True),
        ),
        START,
    )
    energy = integral.energy(START + 3600)
    assert energy.imported == pytest.approx((900, 0, 0))
    assert energy.exported == pytest.approx((0, 600, 0))
    assert (energy.total_imported, energy.total_exported) == pytest.approx((300, 0))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0.1, 50_000), st.floats(-20_000, 20_000)), min_size=1, max_size=20
    ),
    st.lists(st.floats(0, 600_000), min_size=1, max_size=10),
)
def test_any_steps_integrate_to_the_sum_of_their_parts(
    pieces: list[tuple[float, float]], asked: list[float]
) -> None:
    integral = Integral(
        node_of(Appliance(node="x", source=Steps.lasting(START, pieces), phases=(0, 0, 1))), START
    )
    for seconds in asked:
        come = gone = at = 0.0
        for lasts, watts in pieces:
            hours = max(0.0, min(seconds - at, lasts)) / 3600
            come += max(watts, 0) * hours
            gone += max(-watts, 0) * hours
            at += lasts
        energy = integral.energy(START + seconds)
        # A moment in seconds since 1970 is known to a quarter of a microsecond.
        assert energy.total_imported == pytest.approx(come, abs=1e-4)
        assert energy.total_exported == pytest.approx(gone, abs=1e-4)


def test_the_order_of_the_questions_does_not_matter() -> None:
    def fresh() -> Integral:
        return Integral(Household.simulated(START).nodes["grid"], START)

    moments = START + np.random.default_rng(1).uniform(0, 12 * 86400, 60)
    forward = fresh()
    expected = {at: forward.energy(at) for at in sorted(moments)}
    other = fresh()
    assert {at: other.energy(at) for at in moments} == expected


def test_energy_only_grows_and_fits_the_power() -> None:
    integral = Integral(Household.simulated(START).nodes["grid"], START)
    moments = [START + 13.7 * number for number in range(5000)]
    for before, after in pairwise(moments):
        first, second = integral.energy(before), integral.energy(after)
        net = second.total_imported - first.total_imported
        net -= second.total_exported - first.total_exported
        highest = max(abs(sum(integral.flow(at).active)) for at in (before, after))
        assert second.total_imported >= first.total_imported
        assert second.total_exported >= first.total_exported
        assert abs(net) <= highest * 13.7 / 3600 + 1e-6


def test_minutes_add_up_to_what_numpy_integrates() -> None:
    weather = Weather(seed=3)
    parts = (
        Appliance(node="a", source=BaseLoad(weather=weather)),
        Appliance(node="b", source=SolarRoof(weather=weather), produces=True),
    )
    start = float(np.ceil(START / 60) * 60)
    minutes = np.arange(start, start + 3 * 86400, 60)
    net = sum(part.source.power(minutes) * (-1 if part.produces else 1) for part in parts)
    energy = Integral(node_of(*parts), start).energy(start + 3 * 86400)
    assert energy.total_imported == pytest.approx(np.maximum(net, 0).sum() / 60, abs=1e-6)
    assert energy.total_exported == pytest.approx(np.maximum(-net, 0).sum() / 60, abs=1e-6)


def test_a_meter_the_other_way_round_sees_the_opposite() -> None:
    node = node_of(Appliance(node="x", source=Constant(watts=300), phases=(0.5, 0.5, 0)))
    mix = ((-1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, -1.0))
    integral = Integral(Rewired(source=node, mix=mix), START)
    energy = integral.energy(START + 3600)
    assert (energy.total_imported, energy.total_exported) == pytest.approx((0, 300))
    assert integral.flow(START).active == pytest.approx((-150, -150, 0))
