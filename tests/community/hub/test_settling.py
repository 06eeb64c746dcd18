"""How far what is published can still change, and what it says when homes have gone."""

import csv
from io import StringIO
import json
from pathlib import Path

import pytest

from custom_components.carbon_meter.community.contract.message import Flow
from custom_components.carbon_meter.community.hub.export import as_csv, as_json
from custom_components.carbon_meter.community.hub.periods import FlowFigures
from custom_components.carbon_meter.community.hub.releases import Counter
from custom_components.carbon_meter.community.hub.settling import AGAIN, OLDEST
from custom_components.carbon_meter.community.hub.view import so_far, view
from custom_components.carbon_meter.community.ledger.calendar import Grain
from custom_components.carbon_meter.community.ledger.cells import SETTLED
from tests.community.hub.solar_street import HOMES, Street

DAY = 86400


@pytest.fixture
def street(tmp_path: Path):
    opened = Street(tmp_path)
    opened.tell()
    opened.publisher.publish(opened.end + 7200)
    yield opened
    opened.close()


def publish(street: Street, after: int) -> None:
    """Publish some seconds after the end of the day, as if it had been done every hour."""
    street.releases.keep(Counter.CLOCK, street.end + after - 3600)
    street.publisher.publish(street.end + after)


def imported(street: Street, grain: Grain = Grain.DAY) -> FlowFigures:
    """Return the import of the day, or of its first hour."""
    found = view(street.publisher, grain, street.begin, street.begin + 1)
    flow = found.periods[0].flow(Flow.GRID_IMPORT)
    assert flow is not None
    assert found.whole.flow(Flow.GRID_IMPORT).state == flow.state
    return flow


def withdraw(street: Street, homes: int) -> None:
    for home in range(homes):
        street.ledger.withdraw(f"home-{home}")


@pytest.mark.parametrize("grain", [Grain.HOUR, Grain.DAY])
def test_a_figure_is_provisional_and_then_final(street: Street, grain: Grain) -> None:
    assert imported(street, grain).state == "provisional"
    publish(street, SETTLED - DAY)
    assert imported(street, grain).state == "provisional"
    publish(street, SETTLED)
    assert imported(street, grain).state == "final"


def test_the_last_hour_of_a_day_is_final_with_it_and_those_before_no_later(street: Street) -> None:
    publish(street, SETTLED - 3600)
    found = view(street.publisher, Grain.HOUR, street.begin, street.end)
    states = [period.flow(Flow.PV).state for period in found.periods]
    assert states == ["final"] * 23 + ["provisional"]
    assert found.whole.flow(Flow.PV).state == "provisional"


def test_a_late_correction_makes_it_provisional_for_a_day(street: Street) -> None:
    def told() -> tuple[str | None, int | None]:
        hour = imported(street, Grain.HOUR)
        return hour.state, hour.revision

    publish(street, 20 * DAY)
    assert told() == ("final", 0)
    street.tell(revision=1, wh=900)
    # Nobody learns of it before it is decided.
    assert told() == ("final", 0)
    publish(street, 20 * DAY + 3600)
    assert told() == ("provisional", 1)
    publish(street, 20 * DAY + 3600 + AGAIN - 1)
    assert told() == ("provisional", 1)
    publish(street, 20 * DAY + 3600 + AGAIN)
    assert told() == ("final", 1)


def test_what_few_have_taken_back_keeps_it_provisional(street: Street) -> None:
    withdraw(street, 6)
    publish(street, 20 * DAY)
    flow = imported(street)
    assert (flow.state, flow.is_current) == ("provisional", False)
    publish(street, OLDEST)
    assert imported(street).state == "final"


def test_a_sum_of_more_homes_than_there_are_is_no_part_of_them(street: Street) -> None:
    before = imported(street)
    assert (before.participation, before.completeness, before.told) == (1, 1, 1)
    withdraw(street, 6)
    publish(street, 2 * DAY)
    for grain in (Grain.HOUR, Grain.DAY):
        flow = imported(street, grain)
        assert (flow.homes, flow.expected, flow.is_current) == (20, 14, False)
        assert (flow.participation, flow.completeness, flow.told) == (None, None, None)
    assert imported(street).kwh == before.kwh
    found = view(street.publisher, Grain.DAY, street.begin, street.end)
    assert found.whole.flow(Flow.GRID_IMPORT).completeness is None
    row = next(
        row for row in csv.DictReader(StringIO(as_csv(found))) if row["flow"] == "grid_import"
    )
    assert (row["participation"], row["completeness"], row["told"]) == ("", "", "")
    assert (row["current"], row["state"]) == ("0", "provisional")


def test_a_hidden_cell_has_no_state(street: Street) -> None:
    withdraw(street, HOMES)
    publish(street, 2 * DAY)
    found = view(street.publisher, Grain.DAY, street.begin, street.end)
    assert {(flow.suppressed, flow.state) for flow in found.periods[0].flows} == {("few", None)}
    assert {row["state"] for row in csv.DictReader(StringIO(as_csv(found)))} == {""}
    period = json.loads(as_json(found))["periods"][0]
    assert (period["shared_suppressed"], period["score_suppressed"]) == ("few", "few")


def test_a_running_month_is_the_sum_of_its_published_days(street: Street) -> None:
    assert so_far(street.publisher, Grain.MONTH, street.begin) is None
    days = view(street.publisher, Grain.DAY, street.begin, street.end).whole
    for grain, part in ((Grain.MONTH, 19), (Grain.YEAR, None)):
        found = so_far(street.publisher, grain, street.end + 7200)
        assert found is not None
        assert {flow.flow: flow.kwh for flow in found.flows} == {
            flow.flow: flow.kwh for flow in days.flows
        }
        assert {flow.state for flow in found.flows} == {"open"}
        assert found.end == street.end
        assert part is None or found.begin == street.begin - part * DAY
    withdraw(street, HOMES)
    publish(street, 2 * DAY)
    hidden = so_far(street.publisher, Grain.MONTH, street.end + 2 * DAY)
    assert {(flow.suppressed, flow.kwh) for flow in hidden.flows} == {("few", None)}
