"""The command line of the benchmarks, with benchmarks that measure nothing."""

import json
from pathlib import Path
import socket
import sys
from types import ModuleType

import pytest

from benchmarks.__main__ import main
from benchmarks.machine import describe
from benchmarks.registry import BENCHMARKS, Benchmark, by_name
from benchmarks.rows import Better, Row, compare

ASKED: list[tuple[str, int | None]] = []


def row(benchmark: str, ours: float, peer: float) -> Row:
    return compare(
        benchmark=benchmark,
        what="steps",
        unit="ms",
        better=Better.LOWER,
        ours=[ours],
        peer=[peer],
        peer_name="a snail",
    )


@pytest.fixture(autouse=True)
def modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `fake_fast` and `fake_slow` measure, and `fake_broken` fail."""
    ASKED.clear()

    def module(name: str, run) -> None:
        made = ModuleType(f"fake_{name}")
        made.run = run
        monkeypatch.setitem(sys.modules, made.__name__, made)

    def fast(rounds):
        ASKED.append(("fast", rounds))
        return [row("fast", 2.0, 10.0)]

    def slow(rounds):
        ASKED.append(("slow", rounds))
        return [row("slow", 10.0, 2.0)]

    def broken(_rounds):
        raise OSError("the meter is on fire")

    module("fast", fast)
    module("slow", slow)
    module("broken", broken)


def fakes(*names: str):
    return by_name(
        *(Benchmark(name=name, summary=f"{name} one", module=f"fake_{name}") for name in names)
    )


def test_all_are_run_when_none_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], fakes("fast", "slow")) == 0
    assert ASKED == [("fast", None), ("slow", None)]
    out, err = capsys.readouterr()
    assert "==> fast: fast one" in err
    assert "==> slow: slow one" in err
    lines = out.splitlines()
    for name in ("benchmark", "what", "ours", "peer", "ratio"):
        assert name in lines[0]
    assert "5.00x" in lines[2]
    assert "a snail" in lines[2]
    assert lines[-1] == f"machine: {describe()}"


def test_a_poor_ratio_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["slow"], fakes("fast", "slow")) == 0
    assert ASKED == [("slow", None)]
    assert "0.20x" in capsys.readouterr().out


def test_a_name_given_twice_is_run_once() -> None:
    assert main(["fast", "fast", "--rounds", "7"], fakes("fast", "slow")) == 0
    assert ASKED == [("fast", 7)]


def test_what_names_begin_with_runs_all_of_them_once() -> None:
    names = by_name(
        Benchmark(name="quick-one", summary="", module="fake_fast"),
        Benchmark(name="quick-two", summary="", module="fake_slow"),
        Benchmark(name="quicker", summary="", module="fake_broken"),
    )
    assert main(["quick", "quick-two"], names) == 0
    assert [name for name, _ in ASKED] == ["fast", "slow"]


def test_an_unknown_name_lists_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["fast", "metring"], fakes("fast", "slow"))
    assert exit_.value.code == 2
    assert "no benchmark metring; known: fast, slow" in capsys.readouterr().err
    assert ASKED == []


def test_the_list_runs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"], fakes("fast", "slow")) == 0
    assert capsys.readouterr().out.splitlines() == ["fast  fast one", "slow  slow one"]
    assert ASKED == []


def test_metering_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first.split(maxsplit=1)[0] == "metering"
    assert first.split(maxsplit=1)[1].startswith("reading one meter")
    assert BENCHMARKS["metering"].name == "metering"


def test_rows_are_written_as_lines_of_json(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("of an earlier run\n", encoding="utf-8")
    assert main(["--json", str(file)], fakes("fast", "slow")) == 0
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert rows[0] == {
        "benchmark": "fast",
        "what": "steps",
        "unit": "ms",
        "better": "lower",
        "ours": 2.0,
        "ours_spread": [2.0, 2.0],
        "peer": 10.0,
        "peer_spread": [10.0, 10.0],
        "peer_name": "a snail",
        "ratio": 5.0,
        "repeats": 1,
        "machine": describe(),
    }
    assert [row["benchmark"] for row in rows] == ["fast", "slow"]


def test_a_benchmark_that_cannot_run_fails_and_stops_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rows.jsonl"
    assert main(["--json", str(file)], fakes("broken", "fast")) == 1
    out, err = capsys.readouterr()
    assert "the meter is on fire" in err
    assert "error: could not run: broken" in err
    assert "5.00x" in out
    assert len(file.read_text(encoding="utf-8").splitlines()) == 1


def test_when_none_can_run_there_is_no_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], fakes("broken")) == 1
    assert capsys.readouterr().out == ""


def test_a_file_that_cannot_be_written_is_found_out_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--json", str(tmp_path / "missing" / "rows.jsonl")], fakes("fast"))
    assert exit_.value.code == 2
    assert "cannot write" in capsys.readouterr().err
    assert ASKED == []


@pytest.mark.parametrize("rounds", ["0", "-3", "many"])
def test_rounds_are_a_positive_number(rounds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--rounds", rounds], fakes("fast"))
    assert exit_.value.code == 2
    assert "--rounds" in capsys.readouterr().err


def test_the_machine_is_described_without_its_name() -> None:
    assert "Python 3.14" in describe()
    assert "Home Assistant 20" in describe()
    assert socket.gethostname() not in describe()
