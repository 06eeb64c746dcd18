"""Adding and changing contracts through the flow, as the user does."""

import json
from pathlib import Path
from typing import Any

from homeassistant.components.recorder.models import StatisticMeanType
from homeassistant.components.recorder.statistics import async_add_external_statistics
from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER, ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.carbon_meter import const
from custom_components.carbon_meter.carbon.accounting.contracts import ContractKind
from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.contracts import COVERAGES, Coverage, contracts_of
from custom_components.carbon_meter.flows.contract import contract_schema
from tests.common import SiteUnderTest

PLANT = "demo:plant"
TEXTS = json.loads((Path(const.__file__).parent / "translations" / "en.json").read_text())


@pytest.fixture
def entry(hass: HomeAssistant, enable_custom_integrations: None) -> MockConfigEntry:
    """Return a site in Germany without meters."""
    hass.config.country = "DE"
    site = MockConfigEntry(domain=DOMAIN, title="Home", minor_version=2, options={"sources": []})
    site.add_to_hass(hass)
    return site


async def form_of(hass: HomeAssistant, entry: MockConfigEntry, kind: str) -> Any:
    """Return the form of a kind of contract."""
    menu = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "contract"), context={"source": SOURCE_USER}
    )
    assert menu["type"] is FlowResultType.MENU
    assert menu["menu_options"] == [kind.value for kind in ContractKind]
    return await answer(hass, menu, next_step_id=kind)


async def answer(hass: HomeAssistant, form: Any, **fields: Any) -> Any:
    """Send a form."""
    return await hass.config_entries.subentries.async_configure(form["flow_id"], fields)


def suggested(form: Any) -> dict[str, Any]:
    """Return what a form has filled in, suggestions before defaults."""
    found = {}
    for key in form["data_schema"].schema:
        if key.description and "suggested_value" in key.description:
            found[str(key)] = key.description["suggested_value"]
        elif callable(key.default):
            found[str(key)] = key.default()
    return found


def only(entry: MockConfigEntry) -> Any:
    (subentry,) = entry.subentries.values()
    return subentry


async def test_certificates_of_a_year(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    form = await form_of(hass, entry, "certificate")
    assert suggested(form) == {
        "coverage": "volume",
        "intensity": 0.0,
        "market": "DE",
        "carbon_free": True,
    }
    result = await answer(
        hass,
        form,
        name=" Wind 2026 ",
        coverage="volume",
        volume=4000,
        share=10,  # filled in before the user changed his mind
        intensity=0,
        market=" DE ",
        source="Registry 17",
        valid_from="2026-01-01",
        valid_to="2026-12-31",
        certificate_minutes=60,
        carbon_free=True,
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert only(entry).title == "Wind 2026"
    assert dict(only(entry).data) == {
        "kind": "certificate",
        "coverage": "volume",
        "volume": 4000,
        "intensity": 0,
        "market": "DE",
        "source": "Registry 17",
        "valid_from": "2026-01-01",
        "valid_to": "2026-12-31",
        "certificate_minutes": 60,
        "carbon_free": True,
    }
    (contract,) = contracts_of(entry, dt_util.UTC, lambda _: None)
    assert contract.volume == 4_000_000


@pytest.mark.parametrize(
    ("kind", "fields", "field", "error"),
    [
        ("certificate", {"coverage": "volume"}, "volume", "amount_missing"),
        ("certificate", {"coverage": "share", "volume": 5}, "share", "amount_missing"),
        ("ppa", {"coverage": "statistic"}, "statistic", "amount_missing"),
        ("supplier_rate", {"coverage": "share"}, "share", "amount_missing"),
        (
            "supplier_rate",
            {"coverage": "all", "valid_from": "2026-02-01", "valid_to": "2026-01-31"},
            "valid_to",
            "ends_before_it_begins",
        ),
        (
            "certificate",
            {"coverage": "volume", "volume": float("nan")},
            "volume",
            "impossible_amount",
        ),
        (
            "certificate",
            {"coverage": "volume", "volume": 1, "certificate_minutes": float("nan")},
            "certificate_minutes",
            "impossible_amount",
        ),
        ("residual_mix", {"intensity": float("nan")}, "intensity", "impossible_amount"),
        ("ppa", {"coverage": "statistic", "statistic": PLANT}, "statistic", "no_recorder"),
    ],
)
async def test_what_cannot_be_meant_is_told_at_its_field(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    kind: str,
    fields: dict[str, Any],
    field: str,
    error: str,
) -> None:
    form = await form_of(hass, entry, kind)
    given = {"intensity": 1, "market": "DE", **fields}
    result = await answer(hass, form, **given)
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {field: error}
    assert error in TEXTS["config_subentries"]["contract"]["error"]
    assert field in TEXTS["config_subentries"]["contract"]["step"][kind]["data"]
    assert suggested(result)["market"] == "DE"  # what was typed is still there
    assert not entry.subentries
    # Mended, it is taken.
    mended = {**given, "intensity": 1, "valid_to": "2027-01-01"} | (
        {"coverage": "share", "share": 10} if kind != "residual_mix" else {}
    )
    mended.pop("certificate_minutes", None)
    mended.pop("volume", None)
    result = await answer(hass, result, **mended)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        ({"name": "Mine", "source": "Registry"}, "Mine"),
        ({"name": "  ", "source": "Registry"}, "Registry"),
        ({}, "PPA"),
    ],
)
async def test_a_contract_has_a_name(
    hass: HomeAssistant, entry: MockConfigEntry, fields: dict[str, Any], title: str
) -> None:
    form = await form_of(hass, entry, "ppa")
    await answer(hass, form, coverage="share", share=5, intensity=0, market="DE", **fields)
    assert only(entry).title == title


async def test_residual_mix_is_filled_in_where_one_is_published(
    hass: HomeAssistant, entry: MockConfigEntry, freezer: Any
) -> None:
    assert "intensity" not in suggested(await form_of(hass, entry, "residual_mix"))
    hass.config_entries.async_update_entry(entry, options={"zone": "AU", "sources": []})
    freezer.move_to("2026-11-01")
    form = await form_of(hass, entry, "residual_mix")
    filled = suggested(form)
    assert filled["intensity"] == 790.0  # NGA factors 2026, table 2
    assert filled["market"] == "AU"
    assert "2026" in filled["source"]
    await answer(hass, form, **filled)
    assert only(entry).data["intensity"] == 790.0


async def test_contract_is_changed_and_what_is_cleared_is_gone(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    form = await form_of(hass, entry, "supplier_rate")
    given = {"coverage": "share", "share": 40, "intensity": 250, "market": "DE"}
    await answer(hass, form, name="Tariff", valid_to="2026-12-31", **given)
    subentry = only(entry)
    context = {"source": SOURCE_RECONFIGURE, "subentry_id": subentry.subentry_id}
    form = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "contract"), context=context
    )
    assert form["step_id"] == "supplier_rate"
    assert suggested(form) == {
        **given,
        "name": "Tariff",
        "valid_to": "2026-12-31",
        "carbon_free": False,
    }
    result = await answer(
        hass, form, name="Tariff", coverage="all", intensity=200, market="DE", carbon_free=True
    )
    assert result["reason"] == "reconfigure_successful"
    assert dict(only(entry).data) == {
        "kind": "supplier_rate",
        "coverage": "all",
        "intensity": 200,
        "market": "DE",
        "carbon_free": True,
    }


async def test_contract_of_no_known_kind_can_be_mended(
    hass: HomeAssistant, enable_custom_integrations: None
) -> None:
    entry = MockConfigEntry(
        domain=DOMAIN,
        subentries_data=[
            ConfigSubentryData(
                data={"kind": "promise"}, subentry_type="contract", title="Old", unique_id=None
            )
        ],
    )
    entry.add_to_hass(hass)
    context = {"source": SOURCE_RECONFIGURE, "subentry_id": only(entry).subentry_id}
    menu = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "contract"), context=context
    )
    form = await answer(hass, menu, next_step_id="residual_mix")
    result = await answer(hass, form, name="New", intensity=600, market="DE")
    assert result["reason"] == "reconfigure_successful"
    assert only(entry).data["kind"] == "residual_mix"


async def test_contract_of_a_running_site(site: SiteUnderTest) -> None:
    await site.open()
    before = site.entry.runtime_data
    form = await form_of(site.hass, site.entry, "supplier_rate")
    await answer(site.hass, form, coverage="all", intensity=250, market="DE")
    await site.settle()
    assert site.entry.runtime_data is not before  # it is set up anew, with its meter as it was
    assert site.value("power") == pytest.approx(3000, rel=0.01)
    (contract,) = contracts_of(site.entry, dt_util.UTC, lambda _: None)
    assert contract.intensity == 250


class TestStatistics:
    """What a plant produced, asked of a real recorder."""

    @pytest.fixture(autouse=True)
    def recorder_first(self, recorder_mock) -> None:
        """Set the recorder up before Home Assistant."""

    async def know(self, hass: HomeAssistant, statistic: str, unit: str, **what: Any) -> None:
        """Let the recorder know a statistic with one hour."""
        start = dt_util.utcnow().replace(minute=0, second=0, microsecond=0)
        metadata = {
            "mean_type": StatisticMeanType.NONE,
            "has_sum": True,
            "name": statistic,
            "source": statistic.partition(":")[0],
            "statistic_id": statistic,
            "unit_class": None,
            "unit_of_measurement": unit,
            **what,
        }
        row = {"start": start, "sum": 1.0} if metadata["has_sum"] else {"start": start, "mean": 1.0}
        async_add_external_statistics(hass, metadata, [row])
        await async_wait_recording_done(hass)

    @pytest.mark.parametrize(
        ("unit", "what", "errors"),
        [
            ("kWh", {"unit_class": "energy"}, None),
            ("MWh", {"unit_class": "energy"}, None),
            ("m³", {"unit_class": "volume"}, {"statistic": "not_energy"}),
            (
                "kWh",
                {
                    "has_sum": False,
                    "mean_type": StatisticMeanType.ARITHMETIC,
                    "unit_class": "energy",
                },
                {"statistic": "not_energy"},
            ),
        ],
    )
    async def test_only_growing_energy_is_taken(
        self,
        hass: HomeAssistant,
        entry: MockConfigEntry,
        unit: str,
        what: dict[str, Any],
        errors: dict[str, str] | None,
    ) -> None:
        await self.know(hass, PLANT, unit, **what)
        form = await form_of(hass, entry, "ppa")
        result = await answer(
            hass, form, coverage="statistic", statistic=PLANT, intensity=0, market="DE"
        )
        assert result.get("errors") == errors
        assert bool(entry.subentries) is (errors is None)

    async def test_unknown_one_is_told(self, hass: HomeAssistant, entry: MockConfigEntry) -> None:
        form = await form_of(hass, entry, "certificate")
        result = await answer(
            hass, form, coverage="statistic", statistic=PLANT, intensity=0, market="DE"
        )
        assert result["errors"] == {"statistic": "unknown_statistic"}


@pytest.mark.parametrize("kind", ContractKind)
def test_every_field_and_choice_is_named(kind: ContractKind) -> None:
    texts = TEXTS["config_subentries"]["contract"]
    step = texts["step"][kind.value]
    asked = {str(key) for key in contract_schema(kind).schema}
    assert set(step["data"]) == set(step["data_description"]) == asked
    assert kind.value in texts["step"]["user"]["menu_options"]
    assert set(TEXTS["selector"]["coverage"]["options"]) == set(Coverage)
    assert set(COVERAGES[kind]) <= set(Coverage)
