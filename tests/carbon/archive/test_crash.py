"""A process that writes is killed at any moment: every transaction is whole or absent."""

from pathlib import Path
import random
import signal
import subprocess
import sys

import pytest

from custom_components.carbon_meter.carbon.archive.archive import Archive
from tests.carbon.archived import HOUR, START

WRITER = Path(__file__).with_name("writer.py")
METERS = ("one", "two", "three")


def test_every_transaction_is_whole_or_absent(path: Path) -> None:
    """Also while old hours are thinned."""
    chance = random.Random(9)  # noqa: S311  # moments, not secrets
    kept = 0
    for _ in range(20):
        told = _written_until_killed(path, chance.randrange(1, 30), chance.random() * 0.01)
        archive = Archive(path)
        assert archive.damaged is None
        number = archive.get("number")
        assert number >= told > kept
        kept = number
        end = START + (number + 10) * HOUR
        series = archive.energy(METERS, START, end)
        expected = [12 * hour + 66 if 1 <= hour <= number else 0 for hour in range(number + 10)]
        for meter in range(len(METERS)):
            sums = series.imported[meter].reshape(-1, 12).sum(axis=1)
            assert sums.tolist() == pytest.approx(expected, rel=1e-12)
        assert archive.batteries(end) == (START + number * HOUR, {"battery": {"number": number}})
        total = number * (number + 1) / 2
        assert archive.totals() == {meter: {"import": total} for meter in METERS}
        for meter in METERS:
            hourly = archive.hourly(meter, ["import"], START, end)
            assert hourly.values.tolist() == [[float(hour) for hour in range(1, number + 1)]]
        archive.close()


def _written_until_killed(path: Path, transactions: int, pause: float) -> int:
    """Return the last transaction that the killed process told."""
    command = [sys.executable, "-P", str(WRITER), str(path), str(START), *METERS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={}) as process:
        assert process.stdout is not None
        last = [int(process.stdout.readline()) for _ in range(transactions)][-1]
        try:
            process.wait(pause)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().splitlines()
    assert process.returncode == -signal.SIGKILL
    return int(rest[-1]) if rest else last
