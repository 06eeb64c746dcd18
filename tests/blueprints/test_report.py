"""The report of yesterday or of last week: once, with its coverage, and over clock changes."""

from datetime import datetime, timedelta
from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall, SupportsResponse
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest

from tests.blueprints.harness import TELL, House, local

SAVINGS = ["sensor.car_realised_saving", "sensor.pump_realised_saving"]

EMITTED = "4.2 kg CO2eq for 12.3 kWh from the grid (98.0 % known)."
AVOIDED = "Moving loads avoided 0.4 kg: without it, 4.6 kg."


class Figures:
    """The actions that a report reads, with the part of their responses that it needs."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Offer them."""
        self.hass = hass
        self.asked: list[ServiceCall] = []
        self.coverage: float | None = 0.98
        self.measured: float | None = 1.0
        self.saved: list[float | None] = [0.3, 0.1, None]
        self.best: float | None = 800.0
        self.broken: set[str] = set()
        for domain, name, answer in (
            ("carbon_meter", "report", self.report),
            ("carbon_meter", "simulate", self.simulate),
            ("recorder", "get_statistics", self.statistics),
        ):
            hass.services.async_register(
                domain, name, answer, supports_response=SupportsResponse.ONLY
            )

    def names(self) -> list[str]:
        return [call.service for call in self.asked]

    def _take(self, call: ServiceCall) -> None:
        self.asked.append(call)
        if call.service in self.broken:
            raise HomeAssistantError("nothing known")

    async def report(self, call: ServiceCall) -> Any:
        """Tell of the day or week that the moment is in."""
        self._take(call)
        noon = datetime.fromisoformat(call.data["moment"])
        first = noon.date() - timedelta(days=noon.weekday() if call.data["period"] == "week" else 0)
        days = 7 if call.data["period"] == "week" else 1
        return {
            "start": local(f"{first} 00:00").isoformat(),
            "end": local(f"{first + timedelta(days=days)} 00:00").isoformat(),
            "energy": {"import_kwh": 12.34, "coverage": self.coverage},
            "measured": self.measured,
            "scope_2": {"location_hourly": {"kg_co2eq": 4.2}},
        }

    async def simulate(self, call: ServiceCall) -> Any:
        """Tell the best there could have been."""
        self._take(call)
        return {
            "alternatives": [
                {"way": "nothing", "saved_carbon": 0.0},
                {"way": "cleanest", "saved_carbon": self.best},
            ]
        }

    async def statistics(self, call: ServiceCall) -> Any:
        """Tell by how much the savings have grown, hour by hour."""
        self._take(call)
        rows = [{"change": change} for change in self.saved]
        return {"statistics": {SAVINGS[0]: rows}}


@pytest.fixture
async def figures(house: House) -> Figures:
    assert await async_setup_component(house.hass, "persistent_notification", {})
    return Figures(house.hass)


async def opened(house: House, **inputs: Any) -> None:
    await house.automate("report", **{"site": "abc", "savings": SAVINGS, "notify": TELL, **inputs})


async def test_yesterday(house: House, figures: Figures) -> None:
    await opened(house)
    await house.until(local("2026-11-12 00:19"), step=300)
    assert house.told == []
    await house.until(local("2026-11-12 00:21"))
    assert house.told == [f"{EMITTED} {AVOIDED} That is 50 % of the best possible."]
    assert house.logged[0].startswith("Carbon of 2026-11-11: 4.2 kg")
    assert figures.asked[0].data["site"] == "abc"
    assert figures.names() == ["report", "get_statistics", "simulate"]
    assert figures.asked[1].data["start_time"] == "2026-11-11T00:00:00+01:00"
    assert figures.asked[1].data["end_time"] == "2026-11-12T00:00:00+01:00"
    await house.until(local("2026-11-13 00:10"), step=600)
    assert len(house.told) == 1
    await house.until(local("2026-11-13 00:21"))
    assert len(house.told) == 2


async def test_last_week_on_mondays(house: House, figures: Figures) -> None:
    await opened(house, period="week")
    await house.until(local("2026-11-18 12:00"), step=900)
    assert len(house.told) == 1
    assert house.logged[0].startswith("Carbon of the week from 2026-11-09:")


async def test_not_before_a_quarter_past_midnight(house: House, figures: Figures) -> None:
    await opened(house, at="00:00:00")
    await house.until(local("2026-11-12 00:14"), step=300)
    assert house.told == []
    await house.until(local("2026-11-12 02:00"))
    assert len(house.told) == 1


@pytest.mark.parametrize(
    ("coverage", "measured", "told"),
    [
        (0.9, 1.0, None),
        (0.89, 1.0, "Only 89.0 % of it is known: no figures."),
        (1.0, 0.5, "Only 50.0 % of it is known: no figures."),
        (0.0, 1.0, "Only 0.0 % of it is known: no figures."),
        (None, None, "Only 0.0 % of it is known: no figures."),
        (None, 1.0, None),
    ],
)
async def test_what_is_not_known_is_said(
    house: House,
    figures: Figures,
    coverage: float | None,
    measured: float | None,
    told: str | None,
) -> None:
    figures.coverage, figures.measured = coverage, measured
    await opened(house)
    await house.until(local("2026-11-12 00:21"), step=600)
    (message,) = house.told
    if told is None:
        assert message.startswith("4.2 kg")
    else:
        assert message == told
        assert figures.names() == ["report"]


@pytest.mark.parametrize("broken", ["report", "simulate", "get_statistics"])
async def test_a_part_that_cannot_be_read(house: House, figures: Figures, broken: str) -> None:
    house.expected_errors.append("nothing known")
    await opened(house)
    await house.until(local("2026-11-12 00:21"), step=600)
    figures.broken = {broken}
    await house.until(local("2026-11-13 00:21"), step=600)
    assert (
        house.told[1]
        == {
            "report": "There are no figures of Carbon Meter for this period.",
            "simulate": f"{EMITTED} {AVOIDED}",
            "get_statistics": EMITTED,
        }[broken]
    )


async def test_without_savings(house: House, figures: Figures) -> None:
    await opened(house, savings=[])
    await house.until(local("2026-11-12 00:21"), step=600)
    assert figures.names() == ["report"]
    assert "avoided" not in house.told[0]


async def test_no_best_that_is_nothing(house: House, figures: Figures) -> None:
    figures.best = 0.0
    await opened(house)
    await house.until(local("2026-11-12 00:21"), step=600)
    assert "best" not in house.told[0]


async def test_a_saving_below_zero_is_told(house: House, figures: Figures) -> None:
    figures.saved = [-0.2]
    await opened(house)
    await house.until(local("2026-11-12 00:21"), step=600)
    assert "avoided -0.2 kg: without it, 4.0 kg. That is -25 %" in house.told[0]


async def test_deadlines(house: House, figures: Figures) -> None:
    await house.say("binary_sensor.car_deadline_at_risk", "on")
    await house.say("binary_sensor.pump_deadline_at_risk", "unavailable")
    await opened(
        house,
        at_risk=["binary_sensor.car_deadline_at_risk", "binary_sensor.pump_deadline_at_risk"],
    )
    await house.until(local("2026-11-12 00:21"), step=600)
    assert house.told[0].endswith("Deadlines at risk now: 1.")


async def test_down_at_its_time(house: House, figures: Figures) -> None:
    await opened(house)
    await house.until(local("2026-11-12 00:21"), step=600)
    await house.until(local("2026-11-12 23:50"), step=600)
    await house.restart(down=3600)
    assert len(house.told) == 2
    await house.restart()
    await house.pass_time(hours=3, step=600)
    assert len(house.told) == 2


async def test_a_new_automation_waits_for_its_time(house: House, figures: Figures) -> None:
    await opened(house)
    await house.reload()
    await house.pass_time(hours=3, step=600)
    assert house.told == []


@pytest.mark.parametrize(("day", "hours"), [("2027-10-31", 25), ("2027-03-28", 23)])
async def test_days_of_a_clock_change(house: House, figures: Figures, day: str, hours: int) -> None:
    house.set_now(local(f"{day} 00:00") - timedelta(hours=12))
    await opened(house, at="02:30:00")
    await house.until(dt_util.as_utc(local(f"{day} 00:00")) + timedelta(hours=60), step=900)
    days = [
        datetime.fromisoformat(call.data["moment"]).date().isoformat()
        for call in figures.asked
        if call.service == "report"
    ]
    assert days[-2] == day
    assert len(days) == len(set(days)) == len(house.told)
    # The day itself is told whole.
    (told,) = [
        call
        for call in figures.asked
        if call.service == "simulate" and str(call.data["start"]).startswith(day)
    ]
    start, end = (datetime.fromisoformat(str(told.data[key])) for key in ("start", "end"))
    assert (end.timestamp() - start.timestamp()) / 3600 == hours
