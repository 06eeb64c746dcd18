"""Hour, day, week, month, quarter and year agree, whatever the clocks do."""

from datetime import UTC, datetime
import math
from zoneinfo import ZoneInfo

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.accounting.contracts import Contract, ContractKind
from custom_components.carbon_meter.carbon.accounting.figures import Account, Label
from custom_components.carbon_meter.carbon.factors.editions import Span
from custom_components.carbon_meter.carbon.factors.factor import Stage
from custom_components.carbon_meter.carbon.grade import BEST_FIRST
from custom_components.carbon_meter.carbon.report.periods import Period, bounds, start_of
from custom_components.carbon_meter.carbon.report.report import AccountedSite
from custom_components.carbon_meter.carbon.report.series import CarrierSeries, SiteSeries
from tests.carbon.accounting.factor_rows import factor
from tests.carbon.report.sites import MARKET, additive, terms

DAY = 86400

TURNS = [
    ("Europe/Berlin", (2026, 3, 29)),
    ("Europe/Berlin", (2026, 10, 25)),
    ("Asia/Kolkata", (2026, 1, 1)),
    ("Asia/Kathmandu", (2026, 1, 1)),
    ("Australia/Lord_Howe", (2026, 4, 5)),
    ("Pacific/Apia", (2011, 12, 30)),
    ("America/Santiago", (2026, 9, 6)),
    ("America/St_Johns", (2010, 11, 7)),
    ("UTC", (2027, 1, 1)),
]


def site(zone: ZoneInfo, start: float, length: int, seconds: float, seed: int) -> AccountedSite:
    """Return a random site with all that a report can have, and with gaps."""
    random = np.random.default_rng(seed)

    def energy(top: float = 300.0) -> np.ndarray:
        return random.uniform(0.0, top, length) * (random.random(length) < 0.8)

    def gappy(values: np.ndarray) -> np.ndarray:
        return np.where(random.random(length) < 0.15, np.nan, values)

    kept = np.sort(random.permutation(length)[: max(2, int(0.95 * length))])
    gas = Label(account=Account.DIRECT, stage=Stage.USE, carrier="natural_gas")
    heat = Label(account=Account.LOCATION_BASED, stage=Stage.GENERATION, carrier="district_heat")
    intensity = gappy(random.uniform(5.0, 900.0, length))
    grades = random.integers(0, len(BEST_FIRST), length)
    whole = {
        "starts": start + np.arange(length) * seconds,
        "grid_import": energy(),
        "grid_export": energy(),
        "solar": energy(),
        "charge": energy(100.0),
        "discharge": energy(100.0),
        "consumption": energy() if seed % 2 else None,
        "intensity": intensity,
        "grade": grades,
        "marginal": gappy(random.uniform(100.0, 900.0, length)),
        "carbon_free": gappy(random.random(length)),
        "consumption_carbon": gappy(energy(90.0)),
        "export_carbon": gappy(energy(90.0)),
    }
    cut = {name: None if values is None else values[kept] for name, values in whole.items()}
    changed = datetime.fromtimestamp(start + length * seconds / 2, zone).date()
    first = datetime(2000, 1, 1, tzinfo=UTC).date()
    last = datetime(2099, 1, 1, tzinfo=UTC).date()
    contracts = [
        Contract(
            id="wind",
            kind=ContractKind.CERTIFICATE,
            intensity=11.0,
            market=MARKET,
            profile=energy(120.0)[kept],
            carbon_free=True,
        ),
        Contract(
            id="quarter",
            kind=ContractKind.CERTIFICATE,
            intensity=random.uniform(0.0, 50.0, len(kept)),
            market=MARKET,
            profile=energy(50.0)[kept],
            interval=900.0,
            valid_from=start_of(changed, zone),
        ),
        Contract(id="volume", kind=ContractKind.PPA, intensity=20.0, market=MARKET, volume=9000.0),
        Contract(id="far", kind=ContractKind.PPA, intensity=20.0, market="elsewhere", share=0.5),
        Contract(
            id="rate", kind=ContractKind.SUPPLIER_RATE, intensity=200.0, market=MARKET, share=0.2
        ),
        Contract(
            id="residual",
            kind=ContractKind.RESIDUAL_MIX,
            intensity=700.0,
            market=MARKET,
            valid_to=start_of(changed, zone),
        ),
    ]
    return AccountedSite(
        SiteSeries(
            seconds=seconds,
            carriers=[
                CarrierSeries(label=label, carbon=gappy(energy())[kept], quantity=energy()[kept])
                for label in (gas, heat)
            ],
            **cut,
        ),
        terms(
            zone=zone,
            factors=[
                Span(start=first, end=changed, factor=factor(350.0)),
                Span(start=changed, end=last, factor=None if seed % 3 == 0 else factor(290.0)),
            ],
            losses=[
                Span(
                    start=first,
                    end=changed,
                    factor=factor(31.0, stage=Stage.TRANSMISSION_DISTRIBUTION),
                )
            ],
            loss_share=0.07,
            contracts=contracts,
        ),
    )


def assert_agree(account: AccountedSite, start: float, end: float, finer: Period) -> None:
    """Compare a report with the sum of its parts, figure by figure."""
    whole = additive(account.report(start, end))
    parts = [additive(part) for part in account.reports(start, end, finer)]

    assert {name for part in parts for name in part} <= set(whole)
    for name, value in whole.items():
        told = math.fsum(part[name] for part in parts)
        scale = math.fsum(abs(part[name]) for part in parts)
        assert told == pytest.approx(value, rel=1e-12, abs=1e-12 * scale), name


@given(
    st.sampled_from(TURNS),
    st.sampled_from([300.0, 900.0]),
    st.integers(-2 * DAY // 900, 0),
    st.integers(0, 10_000),
    st.sampled_from([Period.HOUR, Period.DAY, Period.WEEK, Period.MONTH, Period.YEAR]),
)
@settings(max_examples=40)
def test_parts_add_up_to_the_whole(turn, seconds, ahead, seed, finer) -> None:
    """Days of 23 and 25 hours, none at all, half-hour zones; a week is cut like any other."""
    name, day = turn
    zone = ZoneInfo(name)
    start = datetime(*day, tzinfo=zone).timestamp() + ahead * 900
    length = int((3 * DAY if finer is Period.HOUR else 5 * DAY) / seconds)
    account = site(zone, start, length, seconds, seed)

    assert_agree(account, start, start + length * seconds, finer)


@pytest.mark.parametrize("name", ["Europe/Berlin", "Asia/Kathmandu", "America/Santiago"])
def test_a_year_of_quarter_hours_agrees_at_every_level(name) -> None:
    zone = ZoneInfo(name)
    year = bounds(Period.YEAR, datetime(2026, 6, 1, tzinfo=UTC).timestamp(), zone)
    account = site(zone, year.start, int((year.end - year.start) / 900), 900.0, 1)

    for finer in (Period.DAY, Period.WEEK, Period.MONTH, Period.QUARTER):
        assert_agree(account, year.start, year.end, finer)
    month = bounds(Period.MONTH, datetime(2026, 10, 10, tzinfo=UTC).timestamp(), zone)
    assert_agree(account, month.start, month.end, Period.HOUR)


def test_the_running_month_agrees_with_its_days_and_the_day_with_its_hours() -> None:
    """Now is in the middle of an interval, of an hour and of a day."""
    zone = ZoneInfo("Australia/Lord_Howe")
    now = datetime(2026, 4, 17, 13, 37, 21, tzinfo=zone).timestamp()
    year = bounds(Period.YEAR, now, zone)
    account = site(zone, year.start, math.ceil((now - year.start) / 300), 300.0, 5)

    for coarser, finer in (
        (Period.YEAR, Period.MONTH),
        (Period.MONTH, Period.DAY),
        (Period.WEEK, Period.DAY),
        (Period.DAY, Period.HOUR),
    ):
        running = bounds(coarser, now, zone).until(now)
        assert running.end == now
        assert_agree(account, running.start, running.end, finer)


def test_what_is_told_of_a_day_does_not_depend_on_what_else_is_asked() -> None:
    zone = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 10, 24, tzinfo=zone).timestamp()
    account = site(zone, start, 3 * 96 + 4, 900.0, 3)
    day = bounds(Period.DAY, start + 1.5 * DAY, zone)

    alone = account.report(day.start, day.end)
    among = list(account.reports(start, start + 3 * DAY, Period.DAY))

    assert among[1] == alone
