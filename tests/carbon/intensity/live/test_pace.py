"""How often a provider is asked, whatever happens."""

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.carbon.intensity.live.catalogue import PROVIDERS
from custom_components.carbon_meter.carbon.intensity.live.errors import ProviderLimitedError
from custom_components.carbon_meter.carbon.intensity.live.pace import Pace, Paces
from tests.carbon.intensity.live.conftest import VirtualTime


def pace(time: VirtualTime, spacing: float = 10.0, burst: int = 1, jitter: float = 0.0) -> Pace:
    return Pace(spacing, burst=burst, clock=time.monotonic, sleep=time.sleep, jitter=lambda: jitter)


async def test_requests_wait_for_their_turn(time: VirtualTime) -> None:
    paced = pace(time)
    started = time.steady
    at = []
    for _ in range(3):
        await paced.turn()
        at.append(time.steady - started)

    assert at == [0, 10, 20]
    assert paced.wait == 10


async def test_a_burst_goes_out_at_once(time: VirtualTime) -> None:
    paced = pace(time, burst=3)
    started = time.steady
    at = []
    for _ in range(5):
        await paced.turn()
        at.append(time.steady - started)

    assert at == [0, 0, 0, 10, 20]


async def test_who_would_wait_too_long_is_told(time: VirtualTime) -> None:
    paced = pace(time, spacing=100.0)
    await paced.turn()
    with pytest.raises(ProviderLimitedError, match="100 s only") as caught:
        await paced.turn()

    assert caught.value.retry_after == 100
    # Being refused costs no turn.
    time.advance(100)
    await paced.turn()


async def test_who_waits_learns_that_another_was_told_to(time: VirtualTime) -> None:
    async def sleep(seconds: float) -> None:
        time.advance(seconds)
        paced.close(300)

    paced = Pace(10.0, clock=time.monotonic, sleep=sleep)
    await paced.turn()
    with pytest.raises(ProviderLimitedError) as caught:
        await paced.turn()
    assert caught.value.retry_after == 300


@pytest.mark.parametrize(("jitter", "share"), [(0.0, 0.5), (0.5, 0.75), (1.0, 1.0)])
def test_failures_double_the_wait_up_to_an_hour(time: VirtualTime, jitter, share) -> None:
    paced = pace(time, jitter=jitter)
    waits = [paced.failed() for _ in range(10)]

    assert waits[:3] == [30 * share, 60 * share, 120 * share]
    assert waits[-1] == 3600 * share
    assert paced.wait == 3600 * share
    paced.succeeded()
    assert paced.failed() == 30 * share


def test_a_shorter_wait_does_not_cut_a_longer_one(time: VirtualTime) -> None:
    paced = pace(time)
    paced.close(500)
    paced.close(5)
    assert paced.wait == 500


@given(
    st.floats(0.1, 60.0),
    st.integers(1, 8),
    st.lists(st.floats(0.0, 200.0), min_size=1, max_size=40),
)
async def test_in_no_stretch_of_time_more_go_out_than_allowed(spacing, burst, pauses) -> None:
    time = VirtualTime()
    paced = pace(time, spacing=spacing, burst=burst)
    at = []
    for pause in pauses:
        time.advance(pause)
        await paced.turn(patience=1e9)
        at.append(time.steady)
    for first, begin in enumerate(at):
        for last, end in enumerate(at[first:], start=first):
            assert last - first + 1 <= burst + (end - begin) / spacing + 1 + 1e-6


def test_a_pace_belongs_to_an_address(time: VirtualTime) -> None:
    paces = Paces(clock=time.monotonic, sleep=time.sleep)
    neso = PROVIDERS["neso"]
    first = paces.of(neso, "http://one")

    assert paces.of(PROVIDERS["neso_regional"], "http://one") is first
    assert paces.of(neso, "http://two") is not first
