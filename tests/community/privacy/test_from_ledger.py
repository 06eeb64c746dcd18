"""From footprints in a ledger to what everybody may see."""

from datetime import date
from pathlib import Path

from custom_components.carbon_meter.community.contract.message import Flow, Kind
from custom_components.carbon_meter.community.ledger.calendar import Grain
from custom_components.carbon_meter.community.ledger.cells import Scope
from custom_components.carbon_meter.community.ledger.ledger import Ledger
from custom_components.carbon_meter.community.privacy.members import members_of
from custom_components.carbon_meter.community.privacy.publish import published, shown
from custom_components.carbon_meter.community.privacy.rules import STANDARD
from tests.community.ledger.village import BERLIN, COMMUNITY, HOUR, imported

DAY = date(2026, 6, 20)
SERIES = (Flow.GRID_IMPORT, Kind.AVERAGE)


def shown_of(ledger: Ledger, earlier=None):
    """Return the cells of the day by grain, scope and name, and what showing them gave away."""
    begin = ledger.calendar.begin(DAY)
    end = ledger.calendar.end(Grain.DAY, begin)
    cells = [
        cell
        for scope, name in (
            (Scope.COMMUNITY, None),
            (Scope.FEEDER, "north"),
            (Scope.FEEDER, "south"),
        )
        for grain in (Grain.DAY, Grain.HOUR)
        for cell in ledger.cells(grain, begin, end, scope=scope, name=name)
    ]
    members = members_of(
        [cell.key for cell in cells], ledger.contributions(begin, end, *SERIES), ledger.calendar
    )
    for cell in cells:
        assert int(members[cell.key].wh.sum()) == cell.sums.wh
    public = published(cells, members, STANDARD, earlier=earlier)
    found = {(cell.key.grain, cell.key.name, cell.key.begin - begin): cell for cell in public}
    return found, shown(public, members)


def test_a_village_of_two_feeders(tmp_path: Path) -> None:
    """Twenty homes behind one feeder, ten behind the other; at noon only fourteen tell."""
    ledger = Ledger(tmp_path / "ledger.db", community=COMMUNITY, zone=BERLIN)
    begin = ledger.calendar.begin(DAY)
    for home in range(30):
        ledger.assign(f"home-{home}", DAY, feeder="north" if home < 20 else "south")
    said = [
        imported(f"home-{home}", begin + hour * HOUR, 100 + home)
        for home in range(30)
        for hour in range(24)
        if hour != 12 or home < 14
    ]
    ledger.take(said, begin + 90000)
    found, given_away = shown_of(ledger)
    # The day less its other hours is noon, and north leaves ten homes in the south.
    reasons = {key: cell.suppressed for key, cell in found.items()}
    assert reasons[Grain.DAY, COMMUNITY, 0] is None
    assert reasons[Grain.HOUR, COMMUNITY, 12 * HOUR] == "few"
    hidden = [key for key, why in reasons.items() if key[1] == COMMUNITY and why is not None]
    assert len(hidden) == 2
    assert reasons[Grain.DAY, "north", 0] == "difference"
    assert reasons[Grain.DAY, "south", 0] == "few"

    late = imported("home-20", begin + 12 * HOUR, 777)
    ledger.take([late], begin + 99999)
    again, _ = shown_of(ledger, earlier=given_away)
    assert again[Grain.DAY, COMMUNITY, 0].suppressed == "difference"
    assert again[Grain.HOUR, COMMUNITY, 0].suppressed is None
    ledger.close()


def test_nobody_has_told_anything(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db", community=COMMUNITY, zone=BERLIN)
    assert shown_of(ledger) == ({}, {})
    ledger.close()
