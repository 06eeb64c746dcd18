"""What holds for every provider: its figures, their grades, memory, history, secrets."""

from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
import json
import re

import pytest

from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.intensity.checked import (
    CheckedSource,
    UnusableSourceError,
)
from custom_components.carbon_meter.carbon.intensity.ladder import Ladder
from custom_components.carbon_meter.carbon.intensity.live.catalogue import PROVIDERS, open_source
from custom_components.carbon_meter.carbon.intensity.live.errors import (
    ProviderAuthError,
    ProviderLimitedError,
    ProviderZoneError,
)
from custom_components.carbon_meter.carbon.intensity.live.provider import Access, Need, Provider
from custom_components.carbon_meter.carbon.intensity.source import IntensityKind
from tests.carbon.intensity.live.conftest import ZONES, Opens, T, VirtualTime
from tests.carbon.intensity.provider_server import KEY, PASSWORD, ProviderServer, level, saying

HOUR, DAY = 3600.0, 86400.0

GRAMS: dict[str, Callable[[float], float]] = {
    "watttime": lambda figure: figure * 0.45359237,
    "entsoe": lambda figure: figure * 0.8,
    "eia": lambda figure: figure * 0.8,
    "open_electricity": lambda figure: figure * 0.8,
}
"""gCO2eq/kWh of what the server tells; of the rest it is the figure itself."""

PAST = {
    "neso_regional": Grade.FORECAST,
    "watttime": Grade.ESTIMATED,
    "eco2mix": Grade.ESTIMATED,
    "fingrid": Grade.ESTIMATED,
}
FORECASTING = {
    "neso": 48 * HOUR,
    "neso_regional": 48 * HOUR,
    "energy_charts": 24 * HOUR,
    "energinet": 9 * HOUR,
    "electricity_maps": 72 * HOUR,
    "watttime": 72 * HOUR,
    "ned": 24 * HOUR,
}
every = pytest.mark.parametrize("key", list(PROVIDERS))
every_that_measures = pytest.mark.parametrize("key", sorted(set(PROVIDERS) - {"neso_regional"}))


def grams(key: str, figure: float) -> float:
    return GRAMS.get(key, float)(figure)


def whole(provider: Provider, moment: float, step: float = 0.0) -> float:
    """Return where the interval of a provider begins that ends before a moment."""
    length = step or provider.step
    return (moment // length - 1) * length


@every
async def test_the_past_is_what_the_provider_tells(key, opens: Opens) -> None:
    source = opens(key)
    assert source.refresh_after == 0
    await source.refresh()

    provider = source.provider
    assert source.refresh_after == provider.refresh
    begin = whole(provider, T - 3 * HOUR)
    (interval,) = source.intervals(begin, begin + provider.step)
    plus = 10 if key == "neso_regional" else 0
    assert interval.value == pytest.approx(grams(key, level(begin) + plus), rel=1e-12)
    assert (interval.start, interval.end) == (begin, begin + provider.step)
    assert interval.grade is PAST.get(key, Grade.MEASURED)
    assert interval.source.startswith(source.info.id)


@every
async def test_what_lies_ahead_is_the_forecast_or_unknown(key, opens: Opens) -> None:
    source = opens(key)
    await source.refresh()

    provider = source.provider
    ahead = source.intervals(T + provider.carry + HOUR, T + 30 * DAY)
    if key not in FORECASTING:
        assert ahead == []
        return
    assert {interval.grade for interval in ahead} == {Grade.FORECAST}
    assert T + FORECASTING[key] - HOUR <= ahead[-1].end
    assert ahead[0].value == pytest.approx(grams(key, level(ahead[0].start) + 10), rel=1e-12)


@every
async def test_now_is_known_where_a_forecast_or_the_last_value_can_stand_in(
    key, opens: Opens, server: ProviderServer
) -> None:
    server.delay = 0.5 * HOUR
    source = opens(key)
    await source.refresh()

    now = Ladder([source]).at(T)
    if source.provider.carry or key in FORECASTING:
        assert now is not None
        assert now.grade in (Grade.FORECAST, Grade.ESTIMATED)
    else:
        assert now is None


@every
async def test_intervals_are_in_order_cut_and_apart(key, opens: Opens) -> None:
    source = opens(key)
    await source.refresh()
    start, end = T - 5.01 * HOUR, T + 4.02 * HOUR
    found = list(source.intervals(start, end))

    assert found[0].start == start
    assert all(each.start < each.end for each in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert found[-1].end <= end
    if source.info.kind is IntensityKind.AVERAGE:
        assert CheckedSource(source, source.info.id).intervals(start, end) == found


@every_that_measures
async def test_a_value_that_is_null_is_a_hole_and_zero_is_a_value(
    key, opens: Opens, server: ProviderServer
) -> None:
    provider = PROVIDERS[key]
    hole = whole(provider, T - 3 * HOUR)
    nought = hole - provider.step
    server.values = {hole: None, nought: 0}
    source = opens(key)
    await source.refresh()

    told = [
        each
        for each in source.intervals(nought, hole + provider.step)
        if each.grade is not Grade.FORECAST
    ]
    assert [(each.start, each.end, each.value) for each in told] == [(nought, hole, 0.0)]


@every_that_measures
@pytest.mark.parametrize("value", ["NaN", "n/a", {"x": 1}, [1], True, -5, 1e9])
async def test_what_cannot_be_is_left_out(key, value, opens: Opens, server: ProviderServer) -> None:
    provider = PROVIDERS[key]
    begin = whole(provider, T - 3 * HOUR)
    server.values = {begin: float("nan") if value == "NaN" else value}
    source = opens(key)
    await source.refresh()

    told = [
        each.value
        for each in source.intervals(begin, begin + provider.step)
        if each.grade is not Grade.FORECAST
    ]
    # In a mix a fuel that takes a little energy in gives nothing.
    assert told == ([0.0] if value == -5 and provider.tells_mix else [])
    after = source.intervals(begin + provider.step, begin + 2 * provider.step)
    assert after[0].value == pytest.approx(grams(key, level(begin + provider.step)))


@every_that_measures
async def test_a_revised_value_replaces_the_one_before(
    key, opens: Opens, server: ProviderServer, time: VirtualTime
) -> None:
    source = opens(key)
    await source.refresh()
    provider = source.provider
    begin = whole(provider, T - 3 * HOUR)
    server.values = {begin: 333}
    time.advance(provider.refresh)
    await source.refresh()

    (interval,) = source.intervals(begin, begin + provider.step)
    expected = grams(key, 333)
    if provider.tells_mix:
        expected = 800 * 333 / (333 + 1000 - level(begin))
    assert interval.value == pytest.approx(expected)


@every
async def test_a_restart_keeps_what_was_told(key, opens: Opens, time: VirtualTime) -> None:
    source = opens(key)
    await source.refresh()
    after = opens(key)
    after.restore(json.loads(json.dumps(source.as_dict())))

    window = T - DAY, T + 3 * DAY
    assert after.intervals(*window) == source.intervals(*window)
    assert list(source.intervals(*window))


@every
async def test_history_comes_in_pieces_and_goes_on_where_it_stopped(
    key, opens: Opens, server: ProviderServer, time: VirtualTime
) -> None:
    source = opens(key)
    provider = source.provider
    start, end = T - 2.5 * provider.chunk - 7, T - HOUR
    pieces = [piece async for piece in source.history(start, end)]

    assert len(pieces) == 3
    assert (pieces[0].start, pieces[-1].end) == (start, end)
    assert all(one.end == other.start for one, other in pairwise(pieces))
    covered = sum(each.end - each.start for piece in pieces for each in piece.intervals)
    assert covered > 0.98 * (end - start)
    assert all(
        piece.start <= each.start and each.end <= piece.end
        for piece in pieces
        for each in piece.intervals
    )
    resumed = [piece async for piece in source.history(pieces[0].end, end)]
    assert resumed == pieces[1:]
    # Nothing of it is remembered: history is handed on.
    assert list(source.intervals(start, end)) == []


@every
async def test_history_does_not_reach_into_the_future(key, opens: Opens) -> None:
    source = opens(key)

    assert [piece async for piece in source.history(T, T + DAY)] == []
    assert [piece async for piece in source.history(T + DAY, T)] == []


@every
async def test_it_is_not_asked_faster_than_allowed(
    key, opens: Opens, server: ProviderServer, time: VirtualTime
) -> None:
    source = opens(key)
    started, provider = time.steady, PROVIDERS[key]
    for _ in range(60):
        with suppress(ProviderLimitedError):
            await source.refresh()
        # To the instant at which the next one may go out, or none at all.
        time.advance(source._web.pace.wait)
    asked = len(server.requests)

    assert asked > provider.burst
    assert (asked - provider.burst) * provider.spacing <= time.steady - started + 1e-6


@every
async def test_a_missing_or_wrong_key_is_told(key, opens: Opens, server: ProviderServer) -> None:
    need = PROVIDERS[key].need
    wrong = {
        None: {},
        Need.KEY: {"key": "wrong-key-1"},
        Need.ACCOUNT: {"password": "wrong-key-1"},
    }[need]
    if need is None:
        await opens(key, key="").refresh()
        return
    with pytest.raises(ProviderAuthError, match="Enter a valid key or password"):
        opens(key, key=" ", password="")
    source = opens(key, **wrong)
    with pytest.raises(ProviderAuthError) as caught:
        await source.refresh()
    assert "wrong-key-1" not in str(caught.value)
    assert caught.value.retry_after is None


@every
async def test_no_secret_is_shown(key, opens: Opens, server: ProviderServer) -> None:
    source = opens(key)
    server.trouble = saying(500, json.dumps({"error": f"no such key {KEY} nor {PASSWORD}"}))
    with pytest.raises(Exception, match="HTTP 500") as caught:
        await source.refresh()

    shown = f"{caught.value!r} {source._access!r} {source.info!r} {json.dumps(source.as_dict())}"
    assert KEY not in shown
    assert PASSWORD not in shown


@every
def test_a_description_says_all_that_has_to_be_shown(key) -> None:
    provider = PROVIDERS[key]

    assert provider.licence
    assert provider.attribution
    assert provider.terms.startswith("https://")
    assert provider.base_url.startswith("https://")
    assert bool(provider.zones or provider.zone_form)
    assert bool(provider.need) == bool(provider.register)
    assert provider.refresh >= 300
    assert provider.spacing <= provider.refresh
    assert re.fullmatch("[a-z0-9_]+", key)


@every
async def test_a_zone_that_is_none_is_refused_before_asking(
    key, opens: Opens, server: ProviderServer
) -> None:
    with pytest.raises(ProviderZoneError, match="Choose another zone"):
        opens(key, zone="../../x?y=1")
    assert server.requests == []


def test_marginal_intensities_do_not_enter_an_account(opens: Opens) -> None:
    kinds = {key: opens(key).info.kind for key in ZONES}

    assert [key for key, kind in kinds.items() if kind is IntensityKind.MARGINAL] == ["watttime"]
    with pytest.raises(UnusableSourceError, match="not average"):
        CheckedSource(opens("watttime"), "watttime")


def test_an_unknown_provider(surroundings) -> None:
    with pytest.raises(LookupError, match="no provider 'guess'"):
        open_source("guess", Access(), surroundings)


async def test_two_sites_share_the_pace_of_a_provider(opens: Opens, server: ProviderServer) -> None:
    sources = opens("open_electricity"), opens("open_electricity", zone="VIC1")
    burst = PROVIDERS["open_electricity"].burst
    for index in range(burst):
        await sources[index % 2].refresh()
    for source in sources:
        with pytest.raises(ProviderLimitedError):
            await source.refresh()

    assert len(server.requests) == burst
