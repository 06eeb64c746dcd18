"""Weighing the past again: on purpose, by a provider that revises, by another factor edition."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
import time
from typing import Any

from aiohttp import web
from homeassistant.exceptions import ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.carbon_meter.carbon.intensity.live.catalogue import PROVIDERS
from custom_components.carbon_meter.carbon.intensity.live.pace import Paces
from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.sources.opening import DATA_BASE_URLS, DATA_PACES
from tests.carbon.intensity.provider_server import ProviderServer, level, saying, served
from tests.common import SiteUnderTest
from tests.test_backfill import (
    FIXED,
    GRID,
    HOUR,
    NOW,
    adopted,
    changes,
    count,
    every_hour,
    fill,
    one_counter,
    opened,
    quiet,  # noqa: F401
    recorded,
    recorder_first,  # noqa: F401
)

START = datetime(2027, 1, 10, tzinfo=UTC)
HOURS = 130
NESO = {"sources": [{"kind": "live", "provider": "neso", "zone": "GB"}], "zone": "GB"}

EDITION = """\
id: own_table
title: Own table
publisher: Own
edition: "{edition}"
scope: direct
includes_td: false
unit: gCO2/kWh
factors:
  - {{zone: DE, valid_from: 2025-01-01, valid_to: 2027-01-12, value: {before}}}
  - {{zone: DE, valid_from: 2027-01-12, value: {after}}}
"""


async def act(site: SiteUnderTest, action: str, **fields: Any) -> dict[str, Any]:
    """Call an action; return its response."""
    response = await site.hass.services.async_call(
        DOMAIN, action, fields, blocking=True, return_response=True
    )
    await async_wait_recording_done(site.hass)
    assert response is not None
    return dict(response)


async def past(site: SiteUnderTest, options: dict[str, Any] | None = None) -> None:
    """Open a site of which 130 hours are filled in, 2 kWh each."""
    site.start_at(NOW)
    entity = one_counter(site)
    await count(site, entity, every_hour(START, HOURS, 2.0))
    await opened(
        site, adopted("Grid", {"quantity": "energy_import", "entity": entity}), options=options
    )
    await fill(site)


def of(rows: dict[float, float], first: int, last: int) -> list[float]:
    """Return what hours have, counted from START."""
    return [rows[(START + HOUR * turn).timestamp()] for turn in range(first, last)]


async def test_intensity_that_was_given_with_a_reason(site: SiteUnderTest) -> None:
    await past(site, FIXED)
    shown = site.value("carbon_total")
    response = await act(
        site,
        "restate",
        start=(START + 10 * HOUR).isoformat(),
        end=(START + 12.5 * HOUR).isoformat(),
        intensity=100.0,
        reason="The supplier has corrected its figure",
    )
    # Two and a half hours of 2 kWh, 150 g less.
    assert response["before"][GRID]["carbon"] == pytest.approx(1.5)
    assert response["after"][GRID]["carbon"] == pytest.approx(1.5 - 0.75)
    assert response["before"]["site"]["carbon"] == pytest.approx(1.5)
    assert response["hours_changed"] == 3
    assert of(changes(await recorded(site, GRID, "carbon")), 9, 14) == pytest.approx(
        [0.5, 0.2, 0.2, 0.35, 0.5]
    )
    assert site.value("carbon_total") == pytest.approx(shown, abs=1e-6)
    (entry,) = (await act(site, "audit_trail"))["entries"]
    assert response["audit_ids"] == [entry["id"]]
    assert entry["reason"] == "given_intensity"
    assert entry["detail"] == "The supplier has corrected its figure"
    assert entry["start"] == (START + 10 * HOUR).isoformat()
    assert entry["end"] == (START + 13 * HOUR).isoformat()
    assert entry["when"].startswith("2027-01-15T10:2")
    assert entry["before"]["carbon"] == pytest.approx(1.5)
    assert entry["after"]["carbon"] == pytest.approx(0.75)
    # The same again changes nothing, and is nothing to tell.
    again = await act(
        site,
        "restate",
        start=(START + 10 * HOUR).isoformat(),
        end=(START + 12.5 * HOUR).isoformat(),
        intensity=100.0,
        reason="The same",
    )
    assert (again["hours_changed"], again["audit_ids"]) == (0, [])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"intensity": 100.0}, "needs a reason"),
        ({}, "exactly one way"),
        ({"factors": True, "present_plan": True}, "exactly one way"),
        ({"source": "history"}, "No source"),
        ({"factors": True, "end": "2027-01-01T00:00:00+00:00"}, "not before the end"),
        ({"factors": True, "start": "2028-01-01", "end": "2028-01-02"}, "not in the past"),
        ({"factors": True, "meters": ["nobody"]}, "no meter"),
    ],
)
async def test_what_cannot_be_restated_says_why(
    site: SiteUnderTest, fields: dict[str, Any], message: str
) -> None:
    site.start_at(NOW)
    await opened(
        site,
        adopted("Grid", {"quantity": "energy_import", "entity": one_counter(site)}),
        options={"sources": [], "zone": "DE"},
    )
    stretch = {"start": START.isoformat(), "end": (START + HOUR).isoformat()}
    with pytest.raises(ServiceValidationError, match=message):
        await act(site, "restate", **{**stretch, **fields})


async def test_audit_trail_goes_back_page_by_page(site: SiteUnderTest) -> None:
    await past(site, FIXED)
    for turn in range(3):
        await act(
            site,
            "restate",
            start=START.isoformat(),
            end=(START + HOUR).isoformat(),
            intensity=10.0 + turn,
            reason=f"try {turn}",
        )
    newest = (await act(site, "audit_trail", limit=2))["entries"]
    assert [entry["detail"] for entry in newest] == ["try 2", "try 1"]
    rest = (await act(site, "audit_trail", before=newest[-1]["id"]))["entries"]
    assert [entry["detail"] for entry in rest] == ["try 0"]


@pytest.fixture
async def neso(site: SiteUnderTest) -> AsyncIterator[ProviderServer]:
    """Return the server of a provider, at the time of the site."""

    async def no_wait(seconds: float) -> None:
        """Let a turn come at once: time stands still while it is waited for."""

    async with served(ProviderServer(now=NOW.timestamp())) as server:
        site.hass.data[DATA_PACES] = Paces(clock=time.monotonic, sleep=no_wait)
        site.hass.data[DATA_BASE_URLS] = dict.fromkeys(PROVIDERS, server.url)
        yield server
        await site.close()


def told(server: ProviderServer, hour: datetime) -> float:
    """Return the mean of the two half hours that the provider tells of an hour."""
    return sum(server.told(hour.timestamp() + half) for half in (0, 1800)) / 2


async def test_past_is_weighed_with_what_the_provider_knows(
    site: SiteUnderTest, neso: ProviderServer
) -> None:
    await past(site, NESO)
    carbon = changes(await recorded(site, GRID, "carbon"))
    for turn in range(HOURS):
        hour = START + HOUR * turn
        # level() is that of the half hour's beginning: all twelve intervals are exact.
        assert carbon[hour.timestamp()] == pytest.approx(2.0 * told(neso, hour) / 1000, rel=1e-9)
    assert level(START.timestamp()) == neso.told(START.timestamp())


async def test_revised_hours_are_asked_for_again(site: SiteUnderTest, neso: ProviderServer) -> None:
    await past(site, NESO)
    for half in range(4):
        neso.values[(START + 20 * HOUR).timestamp() + half * 1800] = 7
    response = await act(
        site,
        "restate",
        start=START.isoformat(),
        end=(START + 40 * HOUR).isoformat(),
        source="history",
    )
    assert response["hours_changed"] == 2
    carbon = changes(await recorded(site, GRID, "carbon"))
    for turn in range(HOURS):
        hour = START + HOUR * turn
        assert carbon[hour.timestamp()] == pytest.approx(2.0 * told(neso, hour) / 1000, rel=1e-9)
    (entry,) = (await act(site, "audit_trail"))["entries"]
    assert entry["id"] == response["audit_ids"][0]


async def test_provider_that_revises_yesterday_restates_by_itself(
    site: SiteUnderTest, neso: ProviderServer
) -> None:
    site.start_at(NOW)
    await site.open(watts=3600.0, meters={"grid": {"interval": 60}}, options=NESO)

    async def advance(seconds: float) -> None:
        while seconds > 0:
            neso.now += 300
            await site.advance(300, step=60)
            seconds -= 300

    await advance(4 * 3600)
    owner = site.meter().subentry.subentry_id
    first = NOW.replace(minute=0) + HOUR
    before = changes(await recorded(site, owner, "carbon"))
    assert before[first.timestamp()] == pytest.approx(3.6 * told(neso, first) / 1000, rel=1e-6)
    neso.values[first.timestamp()] = 11
    neso.values[first.timestamp() + 1800] = 13
    await advance(2 * 3600)
    after = changes(await recorded(site, owner, "carbon"))
    assert after[first.timestamp()] == pytest.approx(3.6 * 12 / 1000, rel=1e-6)
    for turn in range(1, 4):
        hour = first + HOUR * turn
        assert after[hour.timestamp()] == pytest.approx(3.6 * told(neso, hour) / 1000, rel=1e-6)
    reasons = {entry["reason"] for entry in (await act(site, "audit_trail"))["entries"]}
    assert reasons == {"revised_intensity"}


def write(site: SiteUnderTest, *, edition: str, before: float, after: float) -> None:
    """Put a factor file of the user's own into the folder, or another in its place."""
    folder = Path(site.hass.config.path(DOMAIN, "factors"))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "own.yaml").write_text(
        EDITION.format(edition=edition, before=before, after=after), encoding="utf-8"
    )


async def test_another_edition_restates_from_its_first_day(site: SiteUnderTest) -> None:
    await site.hass.config.async_set_time_zone("Europe/Berlin")
    write(site, edition="first", before=300.0, after=300.0)
    await past(site, {"sources": [], "zone": "DE"})
    start = datetime.fromisoformat("2027-01-12T00:00:00+01:00")
    turn = (start - START) // HOUR
    carbon = changes(await recorded(site, GRID, "carbon"))
    assert of(carbon, 0, HOURS) == pytest.approx([0.6] * HOURS)
    shown = site.value("carbon_total")
    write(site, edition="second", before=300.0, after=400.0)
    await site.hass.services.async_call(DOMAIN, "reload", {}, blocking=True)
    await site.settle()
    carbon = changes(await recorded(site, GRID, "carbon"))
    # A factor applies from its date: not an hour earlier, not an hour later.
    assert of(carbon, 0, turn) == pytest.approx([0.6] * turn)
    assert of(carbon, turn, HOURS) == pytest.approx([0.8] * (HOURS - turn))
    annual = changes(await recorded(site, site.entry.entry_id, "carbon_annual"))
    assert of(annual, 0, HOURS) == pytest.approx(of(carbon, 0, HOURS))
    assert site.value("carbon_total") == pytest.approx(shown, abs=1e-6)
    entries = (await act(site, "audit_trail"))["entries"]
    assert {entry["reason"] for entry in entries} == {"new_edition"}
    assert "first" in entries[0]["detail"]
    assert "second" in entries[0]["detail"]
    assert entries[0]["start"] == start.astimezone(UTC).isoformat()
    # The same file again is nothing new, and so is a restart.
    write(site, edition="second", before=300.0, after=400.0)
    await site.hass.services.async_call(DOMAIN, "reload", {}, blocking=True)
    await site.settle()
    await site.unload()
    site.pass_unseen(timedelta(hours=1).total_seconds())
    await site.load()
    assert len((await act(site, "audit_trail"))["entries"]) == len(entries)


async def test_role_that_was_wrong_is_put_right_on_request(site: SiteUnderTest) -> None:
    await past(site, FIXED)
    subentry = site.entry.subentries[GRID]
    site.hass.config_entries.async_update_subentry(
        site.entry, subentry, data={**subentry.data, "role": "solar"}
    )
    await site.settle()
    carbon = changes(await recorded(site, GRID, "carbon"))
    assert of(carbon, 0, HOURS) == pytest.approx([0.5] * HOURS)
    response = await act(
        site,
        "restate",
        start=START.isoformat(),
        end=(START + 24 * HOUR).isoformat(),
        present_plan=True,
        reason="It is the roof",
    )
    assert response["before"][GRID]["carbon"] == pytest.approx(12.0)
    assert "carbon" not in response["after"].get(GRID, {})
    assert response["hours_changed"] == 24


LOSSES = """\
id: own_losses
title: Own losses
publisher: Own
edition: "{edition}"
scope: direct
includes_td: false
stage: transmission_distribution
unit: gCO2/kWh
factors:
  - {{zone: DE, valid_from: 2025-01-01, value: 20}}
  - {{zone: DE, valid_from: 2027-01-13, value: {value}}}
"""


def lose(site: SiteUnderTest, *, edition: str, value: float) -> None:
    """Put a file of the losses beside that of the generation."""
    file = Path(site.hass.config.path(DOMAIN, "factors", "losses.yaml"))
    file.write_text(LOSSES.format(edition=edition, value=value), encoding="utf-8")


async def test_another_edition_of_the_losses_restates_them_alone(site: SiteUnderTest) -> None:
    await site.hass.config.async_set_time_zone("Europe/Berlin")
    write(site, edition="only", before=300.0, after=300.0)
    lose(site, edition="old", value=20)
    await past(site, {"sources": [], "zone": "DE"})
    owner = site.entry.entry_id
    carbon = changes(await recorded(site, owner, "carbon"))
    lost = changes(await recorded(site, owner, "transmission"))
    assert of(lost, 0, HOURS) == pytest.approx([0.04] * HOURS)
    lose(site, edition="new", value=35)
    await site.hass.services.async_call(DOMAIN, "reload", {}, blocking=True)
    await site.settle()
    lost = changes(await recorded(site, owner, "transmission"))
    turn = (datetime.fromisoformat("2027-01-13T00:00:00+01:00") - START) // HOUR
    assert of(lost, 0, turn) == pytest.approx([0.04] * turn)
    assert of(lost, turn, HOURS) == pytest.approx([0.07] * (HOURS - turn))
    assert changes(await recorded(site, owner, "carbon")) == pytest.approx(carbon)
    (entry,) = (await act(site, "audit_trail"))["entries"]
    assert entry["detail"] == "transmission: own_losses (old) → own_losses (new)"
    assert set(entry["before"]) >= {"transmission"}


async def test_settings_say_nothing_of_the_past(site: SiteUnderTest) -> None:
    await past(site, {"sources": [], "zone": "DE"})
    before = of(changes(await recorded(site, GRID, "carbon")), 0, HOURS)
    site.hass.config_entries.async_update_entry(site.entry, options={"sources": [], "zone": "FR"})
    await site.settle()
    assert of(changes(await recorded(site, GRID, "carbon")), 0, HOURS) == before
    assert (await act(site, "audit_trail"))["entries"] == []
    # On purpose it can be had.
    response = await act(
        site,
        "restate",
        start=START.isoformat(),
        end=(START + HOURS * HOUR).isoformat(),
        factors=True,
    )
    assert response["hours_changed"] == HOURS
    after = of(changes(await recorded(site, GRID, "carbon")), 0, HOURS)
    assert max(after) < min(before)


async def test_provider_that_limits_slows_the_past_down_and_does_not_end_it(
    site: SiteUnderTest, neso: ProviderServer
) -> None:
    refuse = saying(429, Retry_After="0")

    async def every_other(request: web.Request) -> web.StreamResponse | None:
        return await refuse(request) if len(neso.requests) % 2 else None

    neso.trouble = every_other
    await past(site, NESO)
    carbon = changes(await recorded(site, GRID, "carbon"))
    for turn in range(HOURS):
        hour = START + HOUR * turn
        assert carbon[hour.timestamp()] == pytest.approx(2.0 * told(neso, hour) / 1000, rel=1e-9)
