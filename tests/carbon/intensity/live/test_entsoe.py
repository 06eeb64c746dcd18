"""ENTSO-E: documents of the platform, whole, broken and hostile."""

import pytest

from custom_components.carbon_meter.carbon.factors.factor import Scope
from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.intensity.live.entsoe import TECHNOLOGIES
from custom_components.carbon_meter.carbon.intensity.live.entsoe_xml import (
    Acknowledgement,
    NotMarketDocumentError,
    parse,
)
from custom_components.carbon_meter.carbon.intensity.live.errors import (
    ProviderChangedError,
    ProviderLimitedError,
    ProviderTemporaryError,
)
from custom_components.carbon_meter.carbon.intensity.live.mixes import Generation
from tests.carbon.intensity.live.conftest import Opens, T
from tests.carbon.intensity.provider_server import (
    ProviderServer,
    acknowledgement,
    market_document,
    saying,
    series_xml,
)

HOUR = 3600.0


def parsed(*series: str) -> list[tuple[str, float, float, float]]:
    document = parse(market_document(list(series)))
    assert isinstance(document, list)
    return [(each.fuel, each.start - T, each.end - T, each.amount) for each in document]


def test_points_of_a_block_are_told_one_by_one() -> None:
    assert parsed(series_xml("B05", T, T + 3 * HOUR, "PT60M", [5, None, 7])) == [
        ("B05", 0, HOUR, 5),
        ("B05", 2 * HOUR, 3 * HOUR, 7),
    ]


def test_of_a_variable_curve_a_point_holds_until_the_next() -> None:
    series = series_xml("B05", T, T + 4 * HOUR, "PT60M", [5, None, 7, None], curve="A03")
    assert [amount for *_, amount in parsed(series)] == [5, 5, 7, 7]


def test_the_finest_grid_is_that_of_all() -> None:
    found = parsed(
        series_xml("B05", T, T + HOUR, "PT60M", [100]),
        series_xml("B16", T, T + HOUR, "PT15M", [1, 2, 3, 4]),
        series_xml("B19", T, T + HOUR, "PT30M", [10, 20]),
    )
    assert [amount for fuel, *_, amount in found if fuel == "B05"] == [100] * 4
    assert [amount for fuel, *_, amount in found if fuel == "B19"] == [10, 10, 20, 20]
    assert {end - start for _, start, end, _ in found} == {900}


def test_what_plants_consume_is_not_generated() -> None:
    assert parsed(series_xml("B10", T, T + HOUR, "PT60M", [500], consumption=True)) == []


@pytest.mark.parametrize(
    "series",
    [
        "<TimeSeries/>",
        series_xml("B05", T, T + HOUR, "P1Y", [5]),
        series_xml("B05", T, T, "PT15M", [5]),
        series_xml("B05", T + HOUR, T, "PT15M", [5]),
        series_xml("B05", T, T + HOUR, "PT60M", ["NaN"]),
        series_xml("B05", T, T + HOUR, "PT60M", ["much"]),
        series_xml("B05", T, T + HOUR, "PT60M", [5]).replace("<start>", "<start>x"),
        series_xml("B05", T, T + HOUR, "PT60M", [5]).replace("position", "place"),
    ],
)
def test_a_series_that_says_nothing(series) -> None:
    assert parsed(series) == []


def test_why_there_is_nothing() -> None:
    document = parse(acknowledgement("999", "No matching data found"))
    assert isinstance(document, Acknowledgement)
    assert document.means_nothing_there
    document = parse(acknowledgement("B30", "too much"))
    assert isinstance(document, Acknowledgement)
    assert not document.means_nothing_there


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("<html/>", NotMarketDocumentError),
        ("no xml", SyntaxError),
        ("<GL_MarketDocument>", SyntaxError),
        (
            '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><GL_MarketDocument/>',
            NotMarketDocumentError,
        ),
        (
            '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>',
            NotMarketDocumentError,
        ),
        (
            market_document(
                [series_xml("B05", T, T + 20 * 366 * 86400, "PT15M", [5], curve="A03")]
            ),
            NotMarketDocumentError,
        ),
    ],
)
def test_what_is_no_document(text, error) -> None:
    with pytest.raises(error):
        parse(text)


def test_a_coarse_series_beside_a_fine_one_does_not_explode() -> None:
    long = series_xml("B05", T, T + 9 * 366 * 86400, "PT60M", [5], curve="A03")
    short = series_xml("B19", T, T + 900, "PT15M", [5])
    with pytest.raises(NotMarketDocumentError, match="more than"):
        parse(market_document([long, short]))


def test_deep_nesting_is_no_danger() -> None:
    text = "<GL_MarketDocument>" + "<a>" * 100_000 + "</a>" * 100_000 + "</GL_MarketDocument>"
    assert parse(text) == []


async def test_the_set_of_factors_goes_with_every_figure(opens: Opens) -> None:
    source = opens("entsoe")
    await source.refresh()

    (interval, *_) = source.intervals(T - 2 * HOUR, T)
    assert interval.source == "entsoe:10YNL----------L:test_factors"
    assert source.info.scope is Scope.LIFE_CYCLE
    assert source.info.name == "ENTSO-E: Netherlands"


async def test_the_newest_quarters_wait_until_all_fuels_are_told(
    opens: Opens, server: ProviderServer
) -> None:
    wind = series_xml("B19", T - 4 * HOUR, T, "PT60M", [100, 100, 100, 100])
    coal = series_xml("B05", T - 4 * HOUR, T - HOUR, "PT60M", [100, 100, 100])
    server.trouble = saying(200, market_document([wind, coal]))
    source = opens("entsoe")
    await source.refresh()

    told = [
        (each.start - T, each.value)
        for each in source.intervals(T - 4 * HOUR, T)
        if each.grade is Grade.MEASURED
    ]
    assert told == [(-4 * HOUR, 400), (-3 * HOUR, 400), (-2 * HOUR, 400)]


async def test_no_data_is_a_hole_and_a_refusal_is_told(
    opens: Opens, server: ProviderServer
) -> None:
    source = opens("entsoe")
    server.trouble = saying(400, acknowledgement("999", "No matching data found"))
    await source.refresh()
    assert source.intervals(T - HOUR, T + HOUR) == []
    server.trouble = saying(400, acknowledgement("B11", "Input parameter is wrong"))
    with pytest.raises(ProviderChangedError, match="Input parameter is wrong"):
        await source.refresh()
    server.trouble = saying(400, "<html>")
    with pytest.raises(ProviderTemporaryError):
        await source.refresh()


async def test_a_ban_lasts_ten_minutes(opens: Opens, server: ProviderServer) -> None:
    server.trouble = saying(429, "Max allowed requests per minute is 400")
    with pytest.raises(ProviderLimitedError) as caught:
        await opens("entsoe").refresh()
    assert caught.value.retry_after == 600


def test_every_type_of_generation_is_known() -> None:
    types = {f"B{number:02}" for number in range(1, 21)}
    assert types - TECHNOLOGIES.keys() == {"B10"}


def test_generation_is_told_as_it_is() -> None:
    assert parse(market_document([series_xml("B14", T, T + 900, "PT15M", ["485.5"])])) == [
        Generation(start=T, end=T + 900, fuel="B14", amount=485.5)
    ]
