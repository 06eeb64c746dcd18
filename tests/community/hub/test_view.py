"""Published cells in the units people read."""

from dataclasses import replace
from pathlib import Path

import pytest

from custom_components.carbon_meter.community.contract.message import Flow
from custom_components.carbon_meter.community.hub.periods import as_object
from custom_components.carbon_meter.community.hub.view import view
from custom_components.carbon_meter.community.ledger.calendar import Grain
from custom_components.carbon_meter.community.ledger.cells import Scope
from custom_components.carbon_meter.community.privacy.publish import PublicCell, Reason
from tests.community.hub.solar_street import Street
from tests.community.ledger.village import COMMUNITY, HOUR


@pytest.fixture
def street(tmp_path: Path):
    opened = Street(tmp_path)
    yield opened
    opened.close()


def test_figures_of_a_day(street: Street) -> None:
    street.tell()
    street.publisher.publish(street.end + 7200)
    found = view(street.publisher, Grain.DAY, street.begin, street.end)
    [day] = found.periods
    imported = day.flow(Flow.GRID_IMPORT)
    assert imported is not None
    assert (imported.kwh, imported.kg, imported.intensity) == (440.0, 176.0, 400.0)
    assert (imported.kwh_per_home, imported.kg_per_home) == (22.0, 8.8)
    assert (imported.homes, imported.expected, imported.participation) == (20, 20, 1.0)
    assert (imported.coverage, imported.completeness, imported.told) == (1.0, 1.0, 1.0)
    assert day.flow(Flow.GAS) is None
    assert day.shared is not None
    # At noon ten homes export 6 kWh and ten import 10.
    assert (day.shared.generated_kwh, day.shared.shared_kwh, day.shared.exported_kwh) == (80, 24, 0)
    assert day.shared.self_consumption == 1.0
    # 440 + 80 - 24 kWh are used, 80 of them from the roofs.
    assert day.cfe_score == pytest.approx(80 / 496)
    assert found.whole.flow(Flow.GRID_IMPORT).kwh == 440.0
    hours = view(street.publisher, Grain.HOUR, street.begin, street.end)
    assert len(hours.periods) == 24
    assert hours.whole.flow(Flow.GRID_IMPORT).kwh == 440.0
    assert hours.whole.shared.shared_kwh == 24


def test_a_small_feeder_is_there_without_figures(street: Street) -> None:
    street.tell()
    street.publisher.publish(street.end + 7200)
    found = view(
        street.publisher, Grain.DAY, street.begin, street.end, scope=Scope.FEEDER, name="=north"
    )
    [day] = found.periods
    assert {flow.suppressed for flow in day.flows} == {"few"}
    assert {flow.kwh for flow in day.flows} == {None}
    assert (day.shared, day.cfe_score) == (None, None)
    assert found.whole.flow(Flow.PV).suppressed == "few"
    assert street.publisher.scopes() == [
        (Scope.COMMUNITY, COMMUNITY),
        (Scope.FEEDER, "=north"),
        (Scope.GROUP, "all"),
    ]


def test_few_batteries_hide_themselves_and_not_the_score(street: Street) -> None:
    street.tell(batteries=3)
    street.publisher.publish(street.end + 7200)
    [day] = view(street.publisher, Grain.DAY, street.begin, street.end).periods
    assert day.flow(Flow.BATTERY_IN).suppressed == "few"
    assert day.cfe_score == pytest.approx(80 / 496)


@pytest.mark.parametrize("hidden", [Flow.PV, Flow.GRID_EXPORT])
def test_solar_energy_counts_for_the_score_with_its_export_or_not_at_all(
    street: Street, monkeypatch: pytest.MonkeyPatch, hidden: Flow
) -> None:
    street.tell()
    street.publisher.publish(street.end + 7200)
    cells = street.publisher.cells

    def without(*place: object, **scope: object) -> list[PublicCell]:
        return [
            replace(cell, suppressed=Reason.FEW, wh=None) if cell.key.flow is hidden else cell
            for cell in cells(*place, **scope)
        ]

    monkeypatch.setattr(street.publisher, "cells", without)
    [day] = view(street.publisher, Grain.DAY, street.begin, street.end).periods
    assert day.shared is None
    # Nothing of the 440 kWh that were imported was carbon-free.
    assert day.cfe_score == 0.0


def test_a_score_of_which_nothing_was_told_is_not_zero(street: Street) -> None:
    street.tell(free_at=())
    street.publisher.publish(street.end + 7200)
    found = view(street.publisher, Grain.DAY, street.begin, street.end)
    assert (found.whole.cfe_score, found.periods[0].cfe_score) == (None, None)
    assert as_object(found)["periods"][0]["cfe_score"] is None


def test_hours_of_which_nothing_was_told_count_as_none(street: Street) -> None:
    street.tell(free_at=range(12))
    street.publisher.publish(street.end + 7200)
    [day] = view(street.publisher, Grain.DAY, street.begin, street.end).periods
    assert day.cfe_score == pytest.approx(80 / 496)
    hours = view(street.publisher, Grain.HOUR, street.begin, street.end).periods
    assert {hour.cfe_score for hour in hours[:10]} == {0.0}
    assert {hour.cfe_score for hour in hours[12:]} == {None}


def test_what_was_shared_in_few_hours_is_not_that_of_the_day(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    street.tell()
    street.publisher.publish(street.end + 7200)
    cells = street.publisher.cells
    hidden = street.begin + 11 * HOUR

    def without(*place: object, **scope: object) -> list[PublicCell]:
        return [
            replace(cell, suppressed=Reason.DIFFERENCE, wh=None)
            if cell.key.begin == hidden and cell.key.flow is Flow.GRID_EXPORT
            else cell
            for cell in cells(*place, **scope)
        ]

    monkeypatch.setattr(street.publisher, "cells", without)
    [day] = view(street.publisher, Grain.DAY, street.begin, street.end).periods
    # One of the four hours with sun hides where it went: the others hold 60 of 80 kWh.
    assert day.flow(Flow.PV).kwh == 80
    assert day.shared is None


def test_nothing_published_is_an_empty_view(street: Street) -> None:
    found = view(street.publisher, Grain.MONTH, 0, 1 << 40)
    assert (found.periods, found.whole.flows, found.whole.shared) == ((), (), None)
