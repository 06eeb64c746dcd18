"""Nothing is lost and nothing counted twice, whatever is killed: the loss test, small.

`scripts/bench community-loss` plays a month of a thousand homes.
"""

from pathlib import Path
import secrets

import pytest

from benchmarks.community.loss.run import Kills, plan_of, play
from demo.processes import Children
from tests.community.broker import needs_broker

pytestmark = [
    pytest.mark.system,
    pytest.mark.usefixtures("socket_enabled"),
    pytest.mark.timeout(400),
    needs_broker,
]

KILLS = Kills(hub=2, broker=2, homes=1)


@pytest.mark.parametrize("seed", [1, secrets.randbelow(1_000_000)], ids=["1", "any"])
async def test_sums_are_the_truth_and_the_rest_is_missing(
    children: Children, tmp_path: Path, seed: int
) -> None:
    plan = plan_of(seed, homes=20, days=5)
    result = await play(children, tmp_path, plan, KILLS, processes=3, within=300)
    found = result.findings
    assert found.wrong == [], f"seed {seed}"
    assert found.wh == found.true_wh > 0
    assert found.mg == found.true_mg
    assert found.told > 1000
    assert found.corrected > 0
    assert found.missing == found.true_missing > 0
