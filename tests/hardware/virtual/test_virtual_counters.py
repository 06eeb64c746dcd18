"""Counters: the truth, and what a display makes of it."""

import pytest

from hardware.virtual import Appliance, Constant, Household, Wiring
from hardware.virtual.counters import Counters
from hardware.virtual.integral import Integral

START = 1_784_000_000.0
HOUR = START + 3600


@pytest.fixture
def integral() -> Integral:
    """600 W in on phase 1, 200 W out on phase 2: 400 W in all."""
    household = Household(
        [
            Appliance(node="a", source=Constant(watts=600), phases=(1, 0, 0), reactive=0.1),
            Appliance(node="b", source=Constant(watts=200), phases=(0, 1, 0), produces=True),
        ],
        START,
    )
    return Integral(household.nodes["grid"], START)


def test_counters_begin_at_their_initial_figures(integral: Integral) -> None:
    counters = Counters(integral, Wiring.WYE, initial_import=30_000, initial_export=6_000)
    assert counters.true(START) == pytest.approx(
        {
            "energy_import": 30_000,
            "energy_export": 6_000,
            "energy_total": 36_000,
            **{f"energy_import_l{line}": 10_000 for line in (1, 2, 3)},
            **{f"energy_export_l{line}": 2_000 for line in (1, 2, 3)},
            **{f"energy_total_l{line}": 12_000 for line in (1, 2, 3)},
            "reactive_energy_import": 0,
            "reactive_energy_export": 0,
            "reactive_energy_total": 0,
        }
    )


def test_totals_net_the_phases_or_add_them_up(integral: Integral) -> None:
    netted = Counters(integral, Wiring.WYE).true(HOUR)
    assert (netted["energy_import"], netted["energy_export"]) == pytest.approx((400, 0))
    added = Counters(integral, Wiring.WYE, netted=False).true(HOUR)
    assert (added["energy_import"], added["energy_export"]) == pytest.approx((600, 200))
    assert added["energy_import_l1"] == netted["energy_import_l1"] == pytest.approx(600)
    assert added["energy_total"] == pytest.approx(800)
    assert netted["reactive_energy_import"] == pytest.approx(60)


def test_a_reset_counter_goes_on_from_its_new_figure(integral: Integral) -> None:
    counters = Counters(integral, Wiring.WYE, initial_import=1000)
    counters.reset(["energy_import"], 5.0, HOUR)
    assert counters.shown(HOUR)["energy_import"] == pytest.approx(5)
    assert counters.shown(HOUR + 900)["energy_import"] == pytest.approx(105)
    assert counters.true(HOUR + 900)["energy_import"] == pytest.approx(1500)
    assert counters.shown(HOUR)["energy_import_l1"] == counters.true(HOUR)["energy_import_l1"]


def test_a_reset_without_names_is_for_all(integral: Integral) -> None:
    counters = Counters(integral, Wiring.WYE, initial_import=1000, initial_export=1000)
    counters.reset([], 0.0, HOUR)
    assert set(counters.shown(HOUR).values()) == {0.0}


def test_jumps_add_up_and_a_counter_never_shows_less_than_zero(integral: Integral) -> None:
    counters = Counters(integral, Wiring.WYE)
    counters.jump(["energy_import"], 10.0)
    counters.jump(["energy_import"], 2.5)
    assert counters.shown(HOUR)["energy_import"] == pytest.approx(412.5)
    counters.jump(["energy_import"], -1000)
    assert counters.shown(HOUR)["energy_import"] == 0


def test_a_counter_rolls_over_at_the_next_kilowatt_hour_by_default(integral: Integral) -> None:
    counters = Counters(integral, Wiring.WYE, initial_import=12_700)
    counters.roll_over(["energy_import"], None, START)
    assert counters.shown(START + 2691)["energy_import"] == pytest.approx(12_999)
    assert counters.shown(START + 2709)["energy_import"] == pytest.approx(1)
    assert counters.true(START + 2709)["energy_import"] == pytest.approx(13_001)


def test_a_counter_can_roll_over_again_and_again(integral: Integral) -> None:
    counters = Counters(integral, Wiring.WYE)
    counters.roll_over(["energy_import"], 100, START)
    assert counters.shown(HOUR + 450)["energy_import"] == pytest.approx(50)


def test_what_is_not_a_counter_cannot_be_reset(integral: Integral) -> None:
    counters = Counters(integral, Wiring.SINGLE)
    for key in ("power", "energy_import_l2"):
        with pytest.raises(ValueError, match=f"'{key}' is not a counter"):
            counters.reset([key], 0.0, HOUR)


def test_a_single_phase_meter_counts_the_sum_on_its_line() -> None:
    household = Household.constant(900, START)
    counters = Counters(Integral(household.nodes["grid"], START), Wiring.SINGLE)
    assert "energy_import_l2" not in counters.true(HOUR)
    assert counters.true(HOUR)["energy_import"] == pytest.approx(900)
