"""The figures of a street of which not all homes tell everything, against plain counting."""

import csv
from io import StringIO
import json
from pathlib import Path

import pytest

from custom_components.carbon_meter.community.contract.message import Flow
from custom_components.carbon_meter.community.hub.export import as_csv, as_json
from custom_components.carbon_meter.community.hub.periods import View
from custom_components.carbon_meter.community.hub.publishing import Publisher
from custom_components.carbon_meter.community.hub.releases import Releases
from custom_components.carbon_meter.community.hub.view import view
from custom_components.carbon_meter.community.ledger.calendar import Grain
from custom_components.carbon_meter.community.ledger.ledger import Ledger
from custom_components.carbon_meter.community.privacy.rules import STANDARD
from tests.community.hub.big_street import counted, settle, spread, street
from tests.community.hub.solar_street import DAY
from tests.community.ledger.village import BERLIN, COMMUNITY, HOUR

SPANS = [(Grain.HOUR, 1, HOUR), (Grain.DAY, 2, 86400)]
"""What is looked at, hours told in it, and its seconds."""


@pytest.fixture(scope="module")
def publisher(tmp_path_factory: pytest.TempPathFactory):
    folder: Path = tmp_path_factory.mktemp("street")
    ledger = Ledger(folder / "ledger.db", community=COMMUNITY, zone=BERLIN)
    releases = Releases(folder / "releases.db", community=COMMUNITY)
    begin = ledger.calendar.begin(DAY)
    settle(ledger, DAY)
    ledger.take(street(begin, 2), begin + 86400)
    opened = Publisher(ledger, releases, STANDARD)
    opened.publish(begin + 86400 + 7200)
    yield opened
    ledger.close()
    releases.close()


def seen(publisher: Publisher, grain: Grain) -> View:
    """Return the first hour, or the day."""
    begin = publisher.cells(Grain.DAY, 0, 1 << 40)[0].key.begin
    return view(publisher, grain, begin, begin + 1)


@pytest.mark.parametrize(("grain", "hours", "span"), SPANS)
def test_every_figure_of_a_view_is_what_counting_gives(
    publisher: Publisher, grain: Grain, hours: int, span: int
) -> None:
    [period] = seen(publisher, grain).periods
    flow = period.flow(Flow.GRID_IMPORT)
    for name, amount in counted(hours, span).items():
        # Parts of what was told are published in whole percent.
        near = 0.01 if name in {"coverage", "told"} else 1e-9
        assert getattr(flow, name) == pytest.approx(amount, abs=near), name
    assert dict(flow.quantiles) == pytest.approx(spread(hours))
    assert flow.state == "provisional"


@pytest.mark.parametrize(("grain", "hours", "span"), SPANS)
def test_csv_and_json_have_the_same_figures(
    publisher: Publisher, grain: Grain, hours: int, span: int
) -> None:
    found = seen(publisher, grain)
    [row] = csv.DictReader(StringIO(as_csv(found)))
    [period] = json.loads(as_json(found))["periods"]
    [flow] = period["flows"]
    named = {
        "kg": "kgCO2eq",
        "intensity": "gCO2eq_per_kwh",
        "kg_per_home": "kgCO2eq_per_home",
    }
    for name, amount in counted(hours, span).items():
        near = 0.01 if name in {"coverage", "told"} else 1e-9
        assert float(row[named.get(name, name)]) == pytest.approx(amount, abs=near), name
        assert flow[name] == pytest.approx(amount, abs=near), name
    for part, kwh in spread(hours).items():
        assert float(row[f"p{part * 100:.0f}_kwh_per_home"]) == pytest.approx(kwh)
        assert flow["quantiles"][f"{part * 100:.0f}"] == pytest.approx(kwh)
    assert (row["state"], flow["state"]) == ("provisional", "provisional")
    assert (row["current"], row["approximate"], row["revision"]) == ("1", "0", "0")
