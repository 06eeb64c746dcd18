"""Published cells as files for spreadsheets and programs."""

import csv
from io import StringIO
import json
from pathlib import Path

import pytest

from custom_components.carbon_meter.community.hub.export import COLUMNS, as_csv, as_json
from custom_components.carbon_meter.community.hub.view import view
from custom_components.carbon_meter.community.ledger.calendar import Grain
from custom_components.carbon_meter.community.ledger.cells import Scope
from tests.community.hub.solar_street import Street


@pytest.fixture
def street(tmp_path: Path):
    opened = Street(tmp_path)
    yield opened
    opened.close()


def test_csv_has_a_row_for_each_cell_and_units_in_its_names(street: Street) -> None:
    street.tell()
    street.publisher.publish(street.end + 7200)
    text = as_csv(view(street.publisher, Grain.DAY, street.begin, street.end))
    rows = list(csv.DictReader(StringIO(text)))
    assert len(rows) == 3
    assert tuple(rows[0]) == COLUMNS
    row = next(row for row in rows if row["flow"] == "grid_import")
    assert (row["kwh"], row["kgCO2eq"], row["gCO2eq_per_kwh"]) == ("440.0", "176.0", "400.0")
    assert (row["begin_utc"], row["suppressed"]) == ("2026-06-19T22:00:00+00:00", "")
    north = view(
        street.publisher, Grain.DAY, street.begin, street.end, scope=Scope.FEEDER, name="=north"
    )
    row = next(csv.DictReader(StringIO(as_csv(north))))
    assert (row["suppressed"], row["kwh"], row["homes"], row["name"]) == ("few", "", "", "'=north")


def test_json_says_the_same(street: Street) -> None:
    street.tell()
    street.publisher.publish(street.end + 7200)
    found = json.loads(as_json(view(street.publisher, Grain.DAY, street.begin, street.end)))
    assert found["scope"] == "community"
    flows = {flow["flow"]: flow for flow in found["periods"][0]["flows"]}
    assert flows["grid_import"]["kwh"] == 440.0
    assert found["periods"][0]["shared"]["shared_kwh"] == 24.0


def test_nothing_published_is_a_header(street: Street) -> None:
    assert as_csv(view(street.publisher, Grain.MONTH, 0, 1 << 40)).count("\r\n") == 1
