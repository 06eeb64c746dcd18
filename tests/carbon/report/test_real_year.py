"""A year of a real home on a real grid, beside loops that anyone can check."""

import csv
import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from custom_components.carbon_meter.carbon.accounting.contracts import Contract, ContractKind
from custom_components.carbon_meter.carbon.report.periods import Period
from custom_components.carbon_meter.carbon.report.report import AccountedSite
from tests.carbon.accounting.factor_rows import factor
from tests.carbon.report.sites import HOUR, MARKET, always, at, series, terms

DATA = Path(__file__).parents[4] / "shared" / "data"
HOME = DATA / "load/citylearn/Building_1.csv.gz"

pytestmark = pytest.mark.skipif(
    not HOME.is_file(), reason="the data do not lie beside this checkout"
)

RESIDUAL = 700.0
ANNUAL = 380.0
VOLUME = 1_500_000.0


def rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("zone", ["DE-LU", "GB", "ZA"])
def test_a_year_is_what_loops_say(zone) -> None:
    """Four ways of scope 2, the score, avoided emissions and shares, to nine digits."""
    home = rows(HOME)
    grid = rows(DATA / f"carbon/{zone}_2023_hourly.csv.gz")
    schema = json.loads((DATA / "load/citylearn/schema.json").read_text(encoding="utf-8"))
    peak = schema["buildings"]["Building_1"]["pv"]["attributes"]["nominal_power"]
    load = [float(row["non_shiftable_load"]) * 1000 for row in home]
    solar = [float(row["solar_generation"]) * peak for row in home]
    direct = next(name for name in grid[0] if "direct" in name)
    intensity = [float(row[direct]) for row in grid]
    low_carbon = [float(row["Low Carbon Percentage"]) / 100 for row in grid]
    estimated = [row["Data Estimated"] == "true" for row in grid]
    wind = [400.0 + 300.0 * ((hour * 7) % 5 - 2) for hour in range(8760)]
    assert len(home) == len(grid) == 8760

    imported = [max(used - made, 0.0) for used, made in zip(load, solar, strict=True)]
    exported = [max(made - used, 0.0) for used, made in zip(load, solar, strict=True)]
    by_location = by_hour = avoided = matched = covered = by_grid = measured = 0.0
    for hour in range(8760):
        by_location += imported[hour] / 1000 * intensity[hour]
        avoided += exported[hour] / 1000 * intensity[hour]
        under = min(imported[hour], max(wind[hour], 0.0))
        covered += under
        by_hour += (imported[hour] - under) / 1000 * RESIDUAL
        clean = min(load[hour], solar[hour] + max(wind[hour], 0.0))
        matched += clean
        by_grid += (load[hour] - clean) * low_carbon[hour]
        measured += 0.0 if estimated[hour] else imported[hour]
    held = min(sum(imported), sum(max(wh, 0.0) for wh in wind))
    volume = min(sum(imported) - held, VOLUME)
    by_year = (volume * 30.0 + (sum(imported) - held - volume) * RESIDUAL) / 1000

    site = series(
        imported,
        starts=at(2023, 1, 1) + np.arange(8760) * HOUR,
        grid_export=exported,
        solar=solar,
        intensity=intensity,
        carbon_free=low_carbon,
        grade=["estimated" if guess else "measured" for guess in estimated],
    )
    contracts = [
        Contract(
            id="wind",
            kind=ContractKind.CERTIFICATE,
            intensity=0.0,
            market=MARKET,
            profile=[max(wh, 0.0) for wh in wind],
            carbon_free=True,
        ),
        Contract(id="ppa", kind=ContractKind.PPA, intensity=30.0, market=MARKET, volume=VOLUME),
        Contract(id="rest", kind=ContractKind.RESIDUAL_MIX, intensity=RESIDUAL, market=MARKET),
    ]
    account = AccountedSite(site, terms(contracts=contracts, factors=always(factor(ANNUAL))))
    told = account.report(at(2023, 1, 1), at(2024, 1, 1))

    near = {"rel": 1e-9}
    assert [figure.value for figure in told.scope2] == pytest.approx(
        [by_location, sum(imported) / 1000 * ANNUAL, by_hour, by_year], **near
    )
    assert told.market_hourly.contracts[0].covered == pytest.approx(covered, **near)
    assert told.avoided.figure.value == pytest.approx(avoided, **near)
    score = told.carbon_free.score
    assert score is not None
    assert score.contracted == pytest.approx(matched / sum(load), **near)
    assert score.score == pytest.approx((matched + by_grid) / sum(load), **near)
    assert told.energy.consumption == pytest.approx(sum(load), **near)
    assert told.energy.self_consumption == pytest.approx(
        (sum(solar) - sum(exported)) / sum(solar), **near
    )
    assert told.energy.self_sufficiency == pytest.approx(1 - sum(imported) / sum(load), **near)
    assert told.energy.by_grade["measured"] == pytest.approx(measured, **near)
    months = list(account.reports(at(2023, 1, 1), at(2024, 1, 1), Period.MONTH))
    assert len(months) == 12
    for way in range(4):
        assert sum(month.scope2[way].value for month in months) == pytest.approx(
            told.scope2[way].value, rel=1e-14
        )
