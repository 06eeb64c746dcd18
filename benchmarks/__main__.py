"""Runs benchmarks, prints their rows as a table and writes them as lines of JSON.

How good a ratio is does not change the exit code: benchmarks measure, tests judge. It is 1 when
a benchmark could not run, 2 when the command line cannot be followed.
"""

import argparse
from collections.abc import Mapping, Sequence
import json
from pathlib import Path
import sys
import traceback
from typing import Final

from benchmarks.registry import BENCHMARKS, Benchmark
from benchmarks.rows import Row
from benchmarks.table import format_table

_FAILED: Final = 1


def main(
    arguments: Sequence[str] | None = None, benchmarks: Mapping[str, Benchmark] = BENCHMARKS
) -> int:
    """Run with the arguments of the command line; returns the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.list:
        width = max(map(len, benchmarks))
        for benchmark in benchmarks.values():
            print(f"{benchmark.name:{width}}  {benchmark.summary}")
        return 0
    found = {name: _meant(name, benchmarks) for name in options.names}
    names = list(dict.fromkeys(each for some in found.values() for each in some))
    names = names or list(benchmarks)
    if unknown := [name for name, some in found.items() if not some]:
        parser.error(f"there is no benchmark {', '.join(unknown)}; known: {', '.join(benchmarks)}")
    try:
        # What cannot be written is found out before anything is measured.
        _write(options.json, ())
    except OSError as err:
        parser.error(f"cannot write {options.json}: {err.strerror}")

    rows: list[Row] = []
    failed: list[str] = []
    for name in names:
        measured = _measure(benchmarks[name], options.rounds)
        if measured is None:
            failed.append(name)
            continue
        rows.extend(measured)
        _write(options.json, rows)
    if rows:
        print(format_table(rows))
    if failed:
        sys.stderr.write(f"error: could not run: {', '.join(failed)}\n")
        return _FAILED
    return 0


def _parser() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    add = parser.add_argument
    add(
        "names",
        metavar="NAME",
        nargs="*",
        help="which benchmarks, or the part of their names before a hyphen (default: all)",
    )
    add("--list", action="store_true", help="list the benchmarks and do nothing")
    add("--json", metavar="FILE", type=Path, help="also write the rows as lines of JSON")
    add("--rounds", metavar="N", type=_positive, help="how often everything is measured")
    return parser


def _meant(name: str, benchmarks: Mapping[str, Benchmark]) -> list[str]:
    """Return the benchmarks of a name: the one, or all whose names go on behind a hyphen."""
    return [each for each in benchmarks if each == name or each.startswith(f"{name}-")]


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return number


def _measure(benchmark: Benchmark, rounds: int | None) -> Sequence[Row] | None:
    """Return the rows of a benchmark, None when it could not run."""
    sys.stderr.write(f"==> {benchmark.name}: {benchmark.summary}\n")
    try:
        return benchmark.run(rounds)
    except Exception:  # noqa: BLE001  # whatever it is, the other benchmarks can run
        traceback.print_exc()
        return None


def _write(file: Path | None, rows: Sequence[Row]) -> None:
    if file is not None:
        file.write_text("".join(f"{json.dumps(row.as_dict())}\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
