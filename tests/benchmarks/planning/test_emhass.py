"""What stands beside EMHASS: its environment, the instances, and our answers to them."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.planning.emhass import environment
from benchmarks.planning.emhass.instances import KINDS, Instance
from benchmarks.planning.emhass.ours import room_store, solve


def instance(kind: str) -> Instance:
    """Return an instance of a kind, with a day's swing."""
    made = next(each for each in KINDS if each.name == kind)
    weights = 0.3 + 0.1 * np.sin(np.arange(made.steps) / 8.0)
    values = made.make(np.random.default_rng(1), made.steps, 0.5)
    return Instance(kind=kind, title=made.title, minutes=30, weights=weights, values=values)


@pytest.mark.parametrize("kind", ["hours", "block", "runs"])
def test_run_times_are_run(kind: str) -> None:
    """As many steps as are asked for."""
    task = instance(kind)

    powers = solve(task)

    assert powers.sum() == pytest.approx(task.values["count"] * task.values["power"])


def test_energy_is_delivered() -> None:
    """All of it, with no more power than there is."""
    task = instance("energy")

    powers = solve(task)

    assert powers.sum() * task.hours == pytest.approx(task.values["energy"])
    assert powers.max() <= task.values["power"] * (1 + 1e-9)


@pytest.mark.parametrize("kind", ["room", "switched_room"])
def test_rooms_stay_within_their_limits(kind: str) -> None:
    """As the peer steps through them."""
    task = instance(kind)
    store, rise = room_store(task)

    powers = solve(task)

    contents = store.follow(powers[:-1] / task.values["power"] * rise)
    assert contents.min() >= task.values["low"] - 1e-9
    assert contents.max() <= task.values["high"] + 1e-9


def test_a_battery_serves_the_base_load_only() -> None:
    """What it would export counts nothing."""
    assert solve(instance("battery")).min() >= -300.0 - 1e-6


def test_at_least_two_hundred_instances() -> None:
    """What the comparison is worth."""
    assert sum(kind.instances for kind in KINDS) >= 200


def test_instances_are_plain_for_the_peer() -> None:
    """They go through JSON."""
    shown = instance("room").as_dict()

    assert shown["kind"] == "room"
    assert isinstance(shown["weights"], list)
    assert isinstance(shown["surroundings"], list)


def test_a_peer_that_cannot_be_installed_says_what_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where an environment should be there is a file."""
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    monkeypatch.setattr(environment, "_FOLDER", file / "emhass")
    monkeypatch.setattr(environment, "_candidates", lambda: iter(["/bin/false", "python3"]))
    monkeypatch.setattr(environment, "_works", lambda python: python == "python3")

    with pytest.raises(environment.PeerMissingError, match="could not make an environment"):
        environment.ensure_emhass()
