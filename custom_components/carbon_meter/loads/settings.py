"""From the data of a load's subentry to its job: units, defaults, and what cannot be."""

from collections.abc import Callable, Mapping
from datetime import time, tzinfo
import math
from typing import Any, Final

from ..const import CONF_KIND
from ..planning.block import Profile
from ..planning.charging import Charger
from ..planning.heat_pump import Heater, HeatPump, HeatSource
from ..planning.jobs.air import AirJob
from ..planning.jobs.air_settings import AirSettings
from ..planning.jobs.appliance import ApplianceJob, ApplianceSettings
from ..planning.jobs.bodies import room, tank
from ..planning.jobs.charge import ChargeJob, ChargeSettings
from ..planning.jobs.hygiene import HygieneSettings
from ..planning.jobs.job import Job
from ..planning.jobs.light import LightJob, LightSettings
from ..planning.jobs.run_time import RunTimeJob, RunTimeSettings
from ..planning.jobs.schedule import Schedule
from ..planning.jobs.storage import StorageJob, StorageSettings
from ..planning.jobs.times import TimesOfDay
from ..planning.jobs.warmth import WarmthJob
from ..planning.jobs.warmth_settings import Steering, WarmthSettings
from ..planning.run_time import Rules
from ..planning.thermal import Body
from . import keys
from .keys import Control, LoadKind

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""Weekdays as they are kept, Monday first."""

_INDOORS: Final = 20.0
"""Degrees Celsius around a tank."""

_MINUTE: Final = 60.0
_DAY_MINUTES: Final = 1440
_HOUR: Final = 3600.0


class LoadSettingsError(ValueError):
    """Data of which no load can be made; the message says what is wrong, in plain words."""


class Told:
    """The data of a load, read key by key. Every method raises LoadSettingsError."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        """Take the data."""
        self._data = data

    def has(self, key: str) -> bool:
        """Return whether anything is told under a key."""
        return self._data.get(key) is not None

    def text(self, key: str, otherwise: str) -> str:
        """Return a word."""
        value = self._data.get(key)
        return otherwise if value is None else str(value)

    def number(
        self, key: str, otherwise: float | None = None, *, factor: float = 1.0, signed: bool = False
    ) -> float:
        """Return a finite number times a factor; without a default it must be told."""
        value = self._data.get(key)
        if value is None:
            if otherwise is None:
                raise LoadSettingsError(f"{key} is missing")
            return otherwise * factor
        try:
            found = math.nan if isinstance(value, bool) else float(value)
        except TypeError, ValueError:
            found = math.nan
        if not math.isfinite(found) or (found < 0.0 and not signed):
            raise LoadSettingsError(f"{key} cannot be {value!r}")
        return found * factor

    def optional(self, key: str, *, factor: float = 1.0, signed: bool = False) -> float | None:
        """Return a finite number times a factor, None where none is told."""
        return self.number(key, factor=factor, signed=signed) if self.has(key) else None

    def time_of_day(self, key: str, otherwise: str) -> time:
        """Return a time of day."""
        found = self.optional_time(key)
        return time.fromisoformat(otherwise) if found is None else found

    def optional_time(self, key: str) -> time | None:
        """Return a time of day, None where none is told."""
        value = self._data.get(key)
        if value is None:
            return None
        try:
            return time.fromisoformat(str(value)).replace(tzinfo=None)
        except ValueError as err:
            raise LoadSettingsError(f"{key} is no time of day: {value!r}") from err

    def row(self, key: str) -> tuple[float, ...]:
        """Return a list of numbers, from the least to the greatest."""
        value = self._data.get(key)
        if value is None:
            return ()
        if isinstance(value, str) or not hasattr(value, "__iter__"):
            raise LoadSettingsError(f"{key} is no list: {value!r}")
        return tuple(sorted({Told({key: each}).number(key) for each in value}))

    def days(self, key: str) -> frozenset[int]:
        """Return weekdays, Monday being 0; all of them where none are told."""
        value = self._data.get(key)
        if not value:
            return frozenset(range(7))
        if not set(value) <= set(DAYS):
            raise LoadSettingsError(f"{key} are no weekdays: {value!r}")
        return frozenset(DAYS.index(day) for day in value)

    def quiet(self) -> TimesOfDay | None:
        """Return the quiet hours, None where there are none."""
        begin = self.optional_time(keys.CONF_QUIET_FROM)
        end = self.optional_time(keys.CONF_QUIET_TO)
        return None if begin is None or end is None or begin == end else (begin, end)


def job_of(data: Mapping[str, Any], zone: tzinfo, name: str = "") -> Job:
    """Return the job of a load by the data of its subentry.

    `zone` is that of its times of day, `name` what it is called in plans. Raises LoadSettingsError
    for data that cannot be.
    """
    try:
        kind = LoadKind(data.get(CONF_KIND, ""))
        return _JOBS[kind](Told(data), zone, name)
    except LoadSettingsError:
        raise
    except (ValueError, TypeError, KeyError) as err:
        raise LoadSettingsError(str(err)) from err


def efficiency_of(data: Mapping[str, Any]) -> float:
    """Return the efficiency of a battery's round trip, above 0 to 1."""
    return _part(Told(data), keys.CONF_EFFICIENCY, 90.0)


def _appliance(told: Told, zone: tzinfo, name: str) -> Job:
    """Return the job of an appliance."""
    # In minutes, so that what is left of a run is known to the minute.
    minutes = round(told.number(keys.CONF_DURATION, 120.0))
    if not 1 <= minutes <= _DAY_MINUTES:
        raise LoadSettingsError(f"{keys.CONF_DURATION} cannot be {minutes} min")
    power = told.number(keys.CONF_POWER, 500.0)
    if power == 0.0:
        raise LoadSettingsError(f"{keys.CONF_POWER} cannot be 0")
    return ApplianceJob(
        ApplianceSettings(
            name=name,
            profile=Profile.of([power] * minutes, _MINUTE),
            finish_by=told.time_of_day(keys.CONF_FINISH_BY, "07:00"),
            quiet=told.quiet(),
            zone=zone,
        )
    )


def _run_time(told: Told, zone: tzinfo, name: str) -> Job:
    """Return the job of a load with a run time."""
    most_starts = told.optional(keys.CONF_MOST_STARTS)
    hours = told.number(keys.CONF_HOURS)
    if hours > 24.0:
        raise LoadSettingsError(f"{keys.CONF_HOURS}: a day has no {hours:g} hours")
    return RunTimeJob(
        RunTimeSettings(
            name=name,
            power=told.number(keys.CONF_POWER),
            hours=hours,
            zone=zone,
            begin=told.optional_time(keys.CONF_FROM),
            end=told.optional_time(keys.CONF_TO),
            rules=Rules(
                least_run=told.number(keys.CONF_LEAST_RUN, 0.0, factor=_MINUTE),
                least_pause=told.number(keys.CONF_LEAST_PAUSE, 0.0, factor=_MINUTE),
                most_starts=None if most_starts is None else int(most_starts),
            ),
            longest_pause=told.optional(keys.CONF_LONGEST_PAUSE, factor=_HOUR),
            quiet=told.quiet(),
        )
    )


def _ev(told: Told, zone: tzinfo, name: str) -> Job:
    """Return the job of a car."""
    # Without a level its capacity says nothing, and what must be is all of it where not told.
    by_level = told.has(keys.CONF_LEVEL)
    target = told.number(keys.CONF_TARGET, 80.0)
    must = told.number(keys.CONF_MUST, target)
    energy = told.number(keys.CONF_ENERGY, None if not by_level else 0.0, factor=1000.0)
    must_energy = told.number(keys.CONF_MUST_ENERGY, energy / 1000.0, factor=1000.0)
    if by_level and not 0.0 <= must <= target <= 100.0:
        raise LoadSettingsError(f"{must:g} % must be charged, but {target:g} % is enough")
    if must_energy > energy:
        raise LoadSettingsError(f"{must_energy:g} Wh must be charged, but {energy:g} Wh is enough")
    return ChargeJob(
        ChargeSettings(
            name=name,
            charger=_charger(told),
            ready_by=told.time_of_day(keys.CONF_READY_BY, "07:00"),
            zone=zone,
            capacity=told.number(keys.CONF_CAPACITY, factor=1000.0) if by_level else None,
            target=target,
            must=must,
            at_once=told.number(keys.CONF_AT_ONCE, 0.0),
            energy=energy,
            must_energy=must_energy,
            efficiency=_part(told, keys.CONF_EFFICIENCY, 90.0),
            quiet=told.quiet(),
        )
    )


def _charger(told: Told) -> Charger:
    """Return the powers of a charger, out of its amperes."""
    least = told.number(keys.CONF_LEAST_CURRENT, 6.0)
    most = told.number(keys.CONF_MOST_CURRENT, 16.0)
    step = told.number(keys.CONF_CURRENT_STEP, 1.0)
    volts = told.number(keys.CONF_VOLTAGE, 230.0) * told.number(keys.CONF_PHASES, 1.0)
    if volts == 0.0 or step == 0.0:
        raise LoadSettingsError("a charger has a voltage, phases, and steps of its current")
    if least > most:
        raise LoadSettingsError(f"{least:g} A is more than {most:g} A")
    match Control(told.text(keys.CONF_CONTROL, Control.ON_OFF)):
        case Control.CURRENT:
            count = int((most - least) / step + 1e-9) + 1
            return Charger.of_levels([(least + step * each) * volts for each in range(count)])
        case Control.POWER:
            return Charger(least=least * volts, most=most * volts)
        case Control.ON_OFF:
            return Charger.fixed(most * volts)
        case Control.STAGES | Control.SETPOINT as control:
            raise LoadSettingsError(f"a car is not charged by {control}")


def _thermal(told: Told, zone: tzinfo, name: str) -> Job:
    """Return the job of something that is heated or cooled."""
    is_tank = told.text(keys.CONF_BODY, "tank") == "tank"
    source = _source(told)
    steering = Steering(told.text(keys.CONF_CONTROL, Control.ON_OFF))
    stages = told.row(keys.CONF_STAGES)
    hygiene = None
    if is_tank and told.has(keys.CONF_HYGIENE):
        hygiene = HygieneSettings(
            temperature=told.number(keys.CONF_HYGIENE),
            weekday=_weekday(told),
            by=told.time_of_day(keys.CONF_HYGIENE_BY, "06:00"),
            zone=zone,
        )
    return WarmthJob(
        WarmthSettings(
            name=name,
            body=_body(told, is_tank=is_tank),
            source=source,
            power=told.number(keys.CONF_POWER, max(stages, default=None)),
            low=told.number(keys.CONF_LOW, signed=True),
            high=told.number(keys.CONF_HIGH, signed=True),
            zone=zone,
            steering=steering,
            stages=stages,
            is_tank=is_tank,
            surroundings=_INDOORS if is_tank else None,
            draw=told.number(keys.CONF_DRAW, 0.0, factor=1000.0),
            shift_up=told.number(keys.CONF_SHIFT_UP, 1.0),
            shift_down=told.number(keys.CONF_SHIFT_DOWN, 1.0),
            hygiene=hygiene,
        )
    )


def _weekday(told: Told) -> int:
    """Return the day of the run against legionella, Monday being 0."""
    day = told.text(keys.CONF_HYGIENE_DAY, "sun")
    if day not in DAYS:
        raise LoadSettingsError(f"{day} is no weekday")
    return DAYS.index(day)


def _body(told: Told, *, is_tank: bool) -> Body:
    """Return what holds the heat."""
    loss = told.optional(keys.CONF_LOSS)
    if is_tank:
        return tank(told.number(keys.CONF_VOLUME), loss=loss)
    capacity = told.optional(keys.CONF_HEAT_CAPACITY)
    is_known = capacity is not None and loss is not None
    area = told.number(keys.CONF_AREA, 0.0 if is_known else None)
    return room(area, heat_capacity=capacity, loss=loss)


def _source(told: Told, otherwise: str = "heater") -> HeatSource:
    """Return what turns electricity into heat or cold."""
    word = told.text(keys.CONF_HEAT_SOURCE, otherwise)
    if word == "heater":
        return Heater(efficiency=_part(told, keys.CONF_EFFICIENCY, 100.0))
    if word not in {"heat_pump", "cooler"}:
        raise LoadSettingsError(f"{word} is no source of heat")
    return HeatPump(cools=word == "cooler")


def _battery(told: Told, zone: tzinfo, name: str) -> Job:
    """Return the job of a battery."""
    power = told.optional(keys.CONF_POWER)
    return StorageJob(
        StorageSettings(
            name=name,
            capacity=told.number(keys.CONF_CAPACITY, factor=1000.0),
            charge=told.number(keys.CONF_CHARGE, power),
            discharge=told.number(keys.CONF_DISCHARGE, power),
            zone=zone,
            efficiency=_part(told, keys.CONF_EFFICIENCY, 90.0),
            reserve=told.number(keys.CONF_RESERVE, 10.0),
            wear_carbon=told.number(keys.CONF_WEAR, 0.0),
            wear_cost=told.number(keys.CONF_WEAR_COST, 0.0),
            least_gain=told.number(keys.CONF_LEAST_GAIN, 0.0),
        )
    )


def _air_zone(told: Told, zone: tzinfo, name: str) -> Job:
    """Return the job of the air of a zone."""
    setpoint = told.number(keys.CONF_SETPOINT, signed=True)
    source = _source(told, "cooler")
    up, down = told.number(keys.CONF_SHIFT_UP, 1.0), told.number(keys.CONF_SHIFT_DOWN, 1.0)
    return AirJob(
        AirSettings(
            name=name,
            body=_body(told, is_tank=False),
            source=source,
            power=told.number(keys.CONF_POWER),
            setpoint=setpoint,
            low=told.number(keys.CONF_LOW, setpoint - down, signed=True),
            high=told.number(keys.CONF_HIGH, setpoint + up, signed=True),
            zone=zone,
            occupied=_schedule(told, zone),
            depth=down if source.cools else up,
            relax=up if source.cools else down,
            lead=told.number(keys.CONF_LEAD, 2.0),
        )
    )


def _light_zone(told: Told, zone: tzinfo, name: str) -> Job:
    """Return the job of the light of a zone."""
    return LightJob(
        LightSettings(
            name=name,
            power=told.number(keys.CONF_POWER),
            zone=zone,
            dim=told.number(keys.CONF_DIM, 80.0, factor=0.01),
            dim_least=told.number(keys.CONF_DIM_LEAST, 50.0, factor=0.01),
            peak=told.number(keys.CONF_PEAK, 25.0, factor=0.01),
            lit=_schedule(told, zone),
        )
    )


def _schedule(told: Told, zone: tzinfo) -> Schedule:
    """Return when somebody is there, or when it is lit."""
    return Schedule(
        zone=zone,
        start=told.optional_time(keys.CONF_FROM),
        end=told.optional_time(keys.CONF_TO),
        days=told.days(keys.CONF_DAYS),
    )


def _part(told: Told, key: str, otherwise: float) -> float:
    """Return a percentage as a part of one."""
    found = told.number(key, otherwise) / 100.0
    if not 0.0 < found <= 1.0:
        raise LoadSettingsError(f"{key} cannot be {found * 100.0:g} %")
    return found


_JOBS: Final[Mapping[LoadKind, Callable[[Told, tzinfo, str], Job]]] = {
    LoadKind.APPLIANCE: _appliance,
    LoadKind.RUN_TIME: _run_time,
    LoadKind.EV: _ev,
    LoadKind.THERMAL: _thermal,
    LoadKind.BATTERY: _battery,
    LoadKind.AIR_ZONE: _air_zone,
    LoadKind.LIGHT_ZONE: _light_zone,
}
