"""The book of a site as what its communities are told from."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Final, override

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from ..carbon.accounting.figures import Account
from ..carbon.archive.archive import Archive
from ..carbon.archive.errors import ArchiveError
from ..carbon.factors.factor import WORLD
from ..carbon.intervals import HOUR, floor
from ..carriers import CONF_CALORIFIC_VALUE, CarrierAccount, Unit, carrier_settings
from ..community.contract.message import Flow
from ..community.member.figures import HourFigures
from ..const import Carrier, carrier_of
from ..data import CarbonMeterConfigEntry
from ..details import positive
from ..libraries import async_get_libraries
from ..plans import PlanParts, async_plan_parts, figure_of
from .intensity_names import UNKNOWN, YEAR, intensity
from .site_hours import CarrierMeter, HomeBook, flows_of, read_hours
from .source import Source, SourceError

_PATIENCE: Final = 2 * HOUR
"""Seconds for which an hour waits for meters that have not been read since; then it is told as it
is known, and again when they are back."""

_ENTRIES: Final = 100
"""Of the audit trail that are read at once."""

_FLOWS: Final[Mapping[Carrier, Flow]] = {
    Carrier.GAS: Flow.GAS,
    Carrier.HEAT: Flow.HEAT,
    Carrier.WATER: Flow.WATER,
    Carrier.FUEL: Flow.FUEL,
}

_AT_HOME: Final = frozenset({Account.DIRECT, Account.LOCATION_BASED})
"""What a community adds up of a carrier: what is emitted by its use, and not on its way."""


class SiteSource(Source):
    """Tells hours out of a loaded site."""

    def __init__(self, hass: HomeAssistant, entry: CarbonMeterConfigEntry) -> None:
        """Take the entry, whose runtime data has the book."""
        self._hass = hass
        self._entry = entry
        self._site = entry.runtime_data
        self._parts: PlanParts | None = None

    @override
    async def async_flows(self) -> tuple[Flow, ...]:
        await self._async_load()
        return flows_of(self._site.keeper.plan.meters, self._carriers())

    @override
    async def async_hours(self, begin: int, end: int) -> Sequence[HourFigures]:
        await self._async_load()
        book = self._book()

        def read() -> list[HourFigures]:
            return list(read_hours(book, begin, end))

        try:
            return await self._hass.async_add_executor_job(read)
        except ArchiveError as err:
            raise SourceError(str(err)) from err

    @override
    def ready_until(self, now: float) -> int:
        booked = [meter.account.booked_until or 0.0 for meter in self._site.meters.values()]
        return floor(max(min([now, *booked]), now - _PATIENCE), HOUR)

    @override
    async def async_changed_since(self, mark: int) -> tuple[int | None, int]:
        archive = self._site.keeper.archive
        try:
            return await self._hass.async_add_executor_job(_restated, archive, mark)
        except ArchiveError as err:
            raise SourceError(str(err)) from err

    @override
    @callback
    def async_listen(self, listener: Callable[[int | None], None]) -> CALLBACK_TYPE:
        keeper = self._site.keeper
        return keeper.async_add_listener(lambda: listener(keeper.changed))

    async def _async_load(self) -> None:
        """Find out what the site is made of and weighed by now."""
        libraries = await async_get_libraries(self._hass)
        self._parts = async_plan_parts(self._hass, self._entry, libraries, self._site.meters)

    @property
    def _present(self) -> PlanParts:
        if self._parts is None:
            raise RuntimeError("a source of hours is loaded before it is asked")
        return self._parts

    def _book(self) -> HomeBook:
        """Return what hours are read from now."""
        parts, site = self._present, self._site
        zone = parts.zone or WORLD
        return HomeBook(
            archive=site.keeper.archive,
            meters=site.keeper.plan.meters,
            zone=zone,
            solar=intensity("solar", zone, parts.details.solar_scope.value, YEAR),
            mix=intensity("home", zone, "supply_mix", HOUR),
            carriers=self._carriers(),
            carbon_free=parts.details.grid_carbon_free,
            expects_better=site.intensity.can_forecast,
        )

    def _carriers(self) -> dict[str, CarrierMeter]:
        """Return the meters of other carriers whose energy and carbon are known."""
        parts = self._present
        found: dict[str, CarrierMeter] = {}
        for meter_id, account in parts.carriers.items():
            carrier = carrier_of(self._entry.subentries[meter_id].data)
            energy = self._energy(meter_id, carrier, account)
            if energy is not None:
                found[meter_id] = _carrier(_FLOWS[carrier], energy, account, parts.today)
        return found

    def _energy(self, meter_id: str, carrier: Carrier, account: CarrierAccount) -> float | None:
        """Return Wh of what a ledger counts as one; None where only the bill could tell it."""
        if account.unit is Unit.ENERGY:
            return 1.0
        if carrier is Carrier.WATER:
            return 0.0
        settings = carrier_settings(self._entry.options, meter_id)
        # kWh/m³ are Wh/L.
        return positive(settings.get(CONF_CALORIFIC_VALUE))


def _carrier(flow: Flow, energy: float, account: CarrierAccount, today: date) -> CarrierMeter:
    """Return how a meter is told, by the factors of today.

    Its use counts; of water, which emits nothing there, its supply.
    """
    labels = [*account.grams(today)]
    counted = [label for label in labels if label.account in _AT_HOME] or [
        label for label in labels if label.account is Account.VALUE_CHAIN
    ]
    factor = next(iter(account.factors(today)), None)
    return CarrierMeter(
        flow=flow,
        energy=energy,
        figures=tuple(figure_of(label) for label in counted),
        intensity=intensity(
            UNKNOWN if factor is None else factor.source.id,
            WORLD if factor is None else factor.zone,
            UNKNOWN if factor is None else factor.source.edition,
            YEAR,
        ),
    )


def _restated(archive: Archive, mark: int) -> tuple[int | None, int]:
    """Return the first hour of the entries of the audit trail after one, and the last entry."""
    first: int | None = None
    newest, before = mark, None
    while True:
        entries = archive.audit(_ENTRIES, before)
        later = [entry for entry in entries if (entry.id or 0) > mark]
        for entry in later:
            first = entry.start if first is None else min(first, entry.start)
            newest = max(newest, entry.id or 0)
        if len(later) < _ENTRIES:
            return first, newest
        before = later[-1].id
