"""What was not believed is kept with its reason, and its energy is set apart for good."""

import json

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.carbon_meter.carbon.ledger import Direction
from custom_components.carbon_meter.metering.incidents import Incident, Reason
from custom_components.carbon_meter.metering.readings import Reading
from tests.carbon.simulated import Meter, T


def disagreement(time: float, *, amount: float = 600.0, ended: float | None = None) -> Incident:
    return Incident(
        time=time,
        reason=Reason.PHASE_SUM,
        quantity="power",
        amount=amount,
        unit="W",
        ended=ended,
    )


def jumped(by: float = 5e6) -> Meter:
    """Return a meter whose import counter has jumped."""
    meter = Meter()
    meter.read()
    meter.poll_for(60, 3600.0)
    meter.imported += by
    for _ in range(5):
        meter.flow(10, 3600.0)
        meter.read()
    return meter


def test_energy_is_set_apart_by_reason_and_direction() -> None:
    meter = jumped()
    meter.flow(10, 3600.0)
    meter.read(energy_export=9e9)
    meter.flow(10, 3600.0)
    meter.read()

    assert meter.account.set_apart == {
        Direction.IMPORT: {Reason.JUMP: pytest.approx(5e6 + 10)},
        Direction.EXPORT: {Reason.SPIKE: pytest.approx(9e9 - 70_000)},
    }
    meter.restart()
    assert meter.account.set_apart[Direction.IMPORT] == {Reason.JUMP: pytest.approx(5e6 + 10)}
    assert meter.account.set_apart[Direction.EXPORT] == {Reason.SPIKE: pytest.approx(9e9 - 70_000)}


def test_what_went_down_does_not_make_up_for_what_went_up() -> None:
    meter = jumped()
    meter.imported -= 5e6
    for _ in range(5):
        meter.flow(10, 3600.0)
        meter.read()
    assert meter.account.set_apart[Direction.IMPORT] == {
        Reason.JUMP: pytest.approx(5e6 + 10),
        Reason.REPLACED: pytest.approx(5e6 - 10),
    }


def test_a_reset_sets_nothing_apart() -> None:
    meter = Meter()
    meter.read()
    meter.imported = 0.0
    for _ in range(5):
        meter.flow(10, 3600.0)
        meter.read()
    (reset,) = meter.account.incidents
    assert (reset.reason, reset.amount, reset.unit) == (Reason.RESET, 0.0, "Wh")
    assert reset.ended == reset.time
    assert meter.account.set_apart == {Direction.IMPORT: {}, Direction.EXPORT: {}}


def test_more_incidents_than_are_kept_are_all_in_the_sums() -> None:
    meter = Meter()
    meter.read()
    for _ in range(60):
        meter.flow(10, 3600.0)
        meter.read(energy_import=meter.imported + 1e6)
        meter.flow(10, 3600.0)
        meter.read()
    assert len(meter.account.incidents) == 50
    total = meter.account.set_apart[Direction.IMPORT][Reason.SPIKE]
    assert total == pytest.approx(60 * 1e6, rel=1e-3)


def test_a_file_of_version_0_1_is_read() -> None:
    meter = jumped()
    old = json.loads(meter.stored())
    del old["set_apart"]
    old["incidents"] = [
        [T + 20.0, "energy_export", "reset", 0.0],
        [T + 90.0, "energy_import", "jump", 5e6],
        [T + 95.0, "energy_import", "replaced", -2e6],
    ]
    meter.restart(json.dumps(old))

    assert [incident.reason for incident in meter.account.incidents] == [
        Reason.RESET,
        Reason.JUMP,
        Reason.REPLACED,
    ]
    assert all(not incident.lasts for incident in meter.account.incidents)
    assert meter.account.set_apart == {
        Direction.IMPORT: {Reason.JUMP: 5e6, Reason.REPLACED: 2e6},
        Direction.EXPORT: {},
    }


@pytest.mark.parametrize("restart", [False, True])
def test_a_frozen_meter_is_told_when_it_begins_and_when_it_speaks_again(restart) -> None:
    meter = Meter()
    meter.read()
    meter.poll_for(600, 3000.0)
    frozen = meter.reading()
    meter.account.observe(frozen)
    since, told = meter.now, []
    for _ in range(60):
        meter.flow(10, 3000.0)
        told += meter.account.observe(type(frozen)(time=meter.now, values=frozen.values))
    (begun,) = told
    assert (begun.reason, begun.quantity, begun.time) == (Reason.FROZEN, "", since)
    assert (begun.amount, begun.unit, begun.ended) == (300.0, "s", None)
    assert meter.account.ongoing == (begun,)
    if restart:
        meter.restart()
        assert meter.account.ongoing == (begun,)
    meter.flow(10, 3000.0)
    (ended,) = meter.account.observe(meter.reading())
    assert (ended.reason, ended.time, ended.ended) == (Reason.FROZEN, since, since + 610)
    assert ended.amount == 610.0
    assert list(meter.account.incidents) == [ended]
    assert meter.account.ongoing == ()


def test_what_others_find_is_kept_and_its_end_takes_the_place_of_its_beginning() -> None:
    account = Meter().account
    assert account.note(disagreement(T))
    assert account.note(
        Incident(
            time=T + 5,
            reason=Reason.CLOCK,
            quantity="",
            amount=3600.0,
            unit="s",
            ended=T + 5,
        )
    )
    assert account.note(disagreement(T, amount=900.0, ended=T + 60))

    assert [incident.reason for incident in account.incidents] == [Reason.PHASE_SUM, Reason.CLOCK]
    assert account.incidents[0] == disagreement(T, amount=900.0, ended=T + 60)
    assert account.note(disagreement(T + 100))
    assert len(account.incidents) == 3


def test_what_its_finder_begins_again_after_a_restart_goes_on() -> None:
    meter = Meter()
    meter.account.note(disagreement(T))
    meter.restart()
    assert not meter.account.note(disagreement(T + 60))
    assert meter.account.ongoing == (disagreement(T),)
    assert meter.account.note(disagreement(T + 60, ended=T + 90))
    assert list(meter.account.incidents) == [disagreement(T, ended=T + 90)]


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(Reason), st.booleans()), max_size=120))
def test_whatever_is_noted_no_trouble_is_open_twice(noted) -> None:
    meter = Meter()
    for second, (reason, ends) in enumerate(noted):
        incident = Incident(
            time=T + second,
            reason=reason,
            quantity="power",
            amount=1.0,
            unit="W",
            ended=T + second + 1.0 if ends else None,
        )
        meter.account.note(incident)
    meter.restart()
    reasons = [incident.reason for incident in meter.account.ongoing]

    assert len(reasons) == len(set(reasons))
    assert len(meter.account.incidents) <= 50


@given(
    polls=st.integers(min_value=1, max_value=4000),
    stands=st.sampled_from([800.0, 1e6, 5e9]),
    alive=st.booleans(),
)
@settings(deadline=None, max_examples=25)
def test_counters_that_show_nothing_for_a_while_lose_and_repeat_nothing(
    polls, stands, alive
) -> None:
    meter = Meter()
    meter.imported = stands
    meter.read()
    meter.poll_for(60, 1000.0)
    for count in range(polls):
        meter.flow(meter.poll, 1000.0)
        voltage = {"voltage": 230.0 + count % 7} if alive else {}
        zeros = Reading(
            time=meter.now, values={"energy_import": 0.0, "energy_export": 0.0, **voltage}
        )
        assert meter.account.observe(zeros) == ()
        assert meter.account.believed("energy_import", 0.0) == pytest.approx(
            stands + 60 * 1000 / 3600
        )
    if polls % 2:
        meter.restart()
    meter.flow(meter.poll, 1000.0)
    events = meter.read()

    if not polls % 2:
        assert events == ["energy_import spike", "energy_export spike"]
    assert meter.total.import_energy == pytest.approx(meter.imported - stands)
    assert meter.account.booked_until == meter.now


def test_counters_that_stay_at_zero_were_reset() -> None:
    meter = Meter()
    meter.read()
    meter.poll_for(60, 3600.0)
    meter.imported = meter.exported = 0.0
    seen = []
    for _ in range(30):
        meter.flow(3600.0, 0.0)
        seen += meter.read()
    assert seen == ["energy_import reset", "energy_export reset"]
    meter.poll_for(60, 3600.0)
    assert meter.total.import_energy == pytest.approx(120.0)
