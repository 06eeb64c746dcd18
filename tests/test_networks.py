"""Networks in the user's folder: read, fitted to a site, told where they do not fit."""

from pathlib import Path
from typing import Any

from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.libraries import async_get_libraries, async_renew_libraries
from custom_components.carbon_meter.networks import (
    NetworkMisfitError,
    async_network,
    load_networks,
    site_network,
)

WORKSHOP = """\
title: Workshop
sources:
  - {node: busbar, meter: Connection, source: grid}
  - {node: hall, meter: Roof, source: solar}
branches:
  - {start: busbar, end: hall, meter: Feeder, loss: 0.02}
  - {start: busbar, end: office, meter: Feeder 2, end_meter: Office}
loads:
  - {node: hall, meter: Press}
"""
METERS = ("Connection", "Roof", "Feeder", "Feeder 2", "Office", "Press")


def site_with(*titles: str, **options: Any) -> MockConfigEntry:
    """Return a site whose meters have these titles; one that begins with a star counts gas."""
    return MockConfigEntry(
        domain=DOMAIN,
        title="Works",
        minor_version=2,
        options=options,
        subentries_data=[
            ConfigSubentryData(
                data={"carrier": "gas" if title.startswith("*") else "electricity", "role": "grid"},
                subentry_type="meter",
                title=title.removeprefix("*"),
                unique_id=None,
            )
            for title in titles
        ],
    )


@pytest.fixture
def folder(hass: HomeAssistant, tmp_path: Path) -> Path:
    """Return the user's folder of networks."""
    hass.config.config_dir = str(tmp_path)
    networks = Path(hass.config.path(DOMAIN, "networks"))
    networks.mkdir(parents=True)
    return networks


def test_files_are_read_by_name_and_broken_ones_told_by_line(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(WORKSHOP)
    (tmp_path / "a.yml").write_text(WORKSHOP.replace("source: solar", "power: solar"))
    (tmp_path / ".hidden.yaml").write_text("-")
    (tmp_path / "notes.txt").write_text("-")
    (tmp_path / "folder.yaml").mkdir()
    library = load_networks(tmp_path)
    assert list(library.networks) == ["b.yaml"]
    network = library.networks["b.yaml"]
    assert network.title == "Workshop"
    assert network.meters == {
        "Connection": 3,
        "Roof": 4,
        "Feeder": 6,
        "Feeder 2": 7,
        "Office": 7,
        "Press": 9,
    }
    assert set(library.broken) == {"a.yml", "folder.yaml"}
    assert {problem.line for problem in library.broken["a.yml"]} == {4}


def test_folder_that_is_none(tmp_path: Path) -> None:
    assert load_networks(tmp_path / "gone").networks == {}
    assert load_networks(tmp_path / "gone").problems == ()
    (tmp_path / "file").write_text("")
    (problem,) = load_networks(tmp_path / "file").problems
    assert "cannot be read" in problem.message


def test_a_network_is_another_one_when_its_file_is(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(WORKSHOP)
    before = load_networks(tmp_path).networks["a.yaml"]
    assert load_networks(tmp_path).networks["a.yaml"] == before
    path.write_text(WORKSHOP.replace("0.02", "0.03"))
    assert load_networks(tmp_path).networks["a.yaml"] != before


def test_meters_are_named_by_title_or_id(tmp_path: Path) -> None:
    entry = site_with(*METERS, "*Connection")
    ids = {subentry.title: key for key, subentry in list(entry.subentries.items())[:-1]}
    (tmp_path / "a.yaml").write_text(WORKSHOP.replace("Press", ids["Press"]))
    network = site_network(load_networks(tmp_path).networks["a.yaml"], entry)
    assert network.title == "Workshop"
    assert network.meters == {
        **{name: ids[name] for name in METERS if name != "Press"},
        ids["Press"]: ids["Press"],
    }
    forward = dict.fromkeys(network.meters, 0.0)
    flow = network.metered.trace(
        forward={**forward, "Connection": 1000.0, "Feeder": 1000.0, ids["Press"]: 500.0},
        backward={},
        intensity={"Connection": 400.0},
    )
    assert flow.forward_carbon(ids["Press"]) == pytest.approx(200.0)


@pytest.mark.parametrize(
    ("titles", "told"),
    [
        (METERS[:-1], ["9: no meter of the site is called 'Press'"]),
        (("*Connection", *METERS[1:]), ["3: no meter of the site is called 'Connection'"]),
        ((*METERS, "Roof"), ["4: several meters of the site are called 'Roof'"]),
        (
            METERS[2:],
            [
                "3: no meter of the site is called 'Connection'",
                "4: no meter of the site is called 'Roof'",
            ],
        ),
    ],
)
def test_names_that_are_none_or_several(
    tmp_path: Path, titles: tuple[str, ...], told: list[str]
) -> None:
    (tmp_path / "a.yaml").write_text(WORKSHOP)
    network = load_networks(tmp_path).networks["a.yaml"]
    with pytest.raises(NetworkMisfitError) as caught:
        site_network(network, site_with(*titles))
    assert [f"{problem.line}: {problem.message}" for problem in caught.value.problems] == told


def test_phases_need_meters_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        WORKSHOP.replace("title: Workshop", "title: W\nphases: [A, B]")
    )
    with pytest.raises(NetworkMisfitError) as caught:
        site_network(load_networks(tmp_path).networks["a.yaml"], site_with(*METERS))
    (problem,) = caught.value.problems
    assert problem.line == 2
    assert "meter of its own" in problem.message


def test_one_meter_under_two_names(tmp_path: Path) -> None:
    entry = site_with(*METERS)
    (roof,) = [key for key, one in entry.subentries.items() if one.title == "Roof"]
    (tmp_path / "a.yaml").write_text(WORKSHOP.replace("Press", roof))
    with pytest.raises(NetworkMisfitError, match="named twice") as caught:
        site_network(load_networks(tmp_path).networks["a.yaml"], entry)
    assert {problem.line for problem in caught.value.problems} == {4, 9}


async def test_files_are_part_of_the_libraries(hass: HomeAssistant, folder: Path) -> None:
    (folder / "works.yaml").write_text(WORKSHOP.replace("meter: Roof,", ""))
    libraries = await async_get_libraries(hass)
    assert libraries.networks.networks == {}
    (told,) = [
        issue.translation_placeholders["problems"]
        for issue in ir.async_get(hass).issues.values()
        if issue.translation_key == "data_file"
    ]
    assert "4: sources.1.meter" in told
    (folder / "works.yaml").write_text(WORKSHOP)
    await async_renew_libraries(hass)
    assert list((await async_get_libraries(hass)).networks.networks) == ["works.yaml"]
    assert not ir.async_get(hass).issues


async def test_what_does_not_fit_is_told_until_it_does(hass: HomeAssistant, folder: Path) -> None:
    (folder / "works.yaml").write_text(WORKSHOP)
    entry = site_with(*METERS[:-1], network="works.yaml")
    entry.add_to_hass(hass)
    issues = ir.async_get(hass)
    issue_id = f"network_{entry.entry_id}"

    library = load_networks(folder)
    assert async_network(hass, entry, library) is None
    assert issues.async_get_issue(DOMAIN, issue_id).translation_placeholders == {
        "site": "Works",
        "problems": "- works.yaml:9: no meter of the site is called 'Press'",
    }
    (folder / "works.yaml").write_text(WORKSHOP.replace("Press", "{"))
    assert async_network(hass, entry, load_networks(folder)) is None
    told = issues.async_get_issue(DOMAIN, issue_id).translation_placeholders["problems"]
    assert told.startswith("- works.yaml:")
    (folder / "works.yaml").unlink()
    assert async_network(hass, entry, load_networks(folder)) is None
    told = issues.async_get_issue(DOMAIN, issue_id).translation_placeholders["problems"]
    assert told == "- works.yaml:1: there is no such file"

    shorter = WORKSHOP.partition("loads:")[0]
    (folder / "works.yaml").write_text(shorter)
    assert async_network(hass, entry, load_networks(folder)).title == "Workshop"
    assert issues.async_get_issue(DOMAIN, issue_id) is None


@pytest.mark.parametrize("chosen", [None, "", 7, ["works.yaml"]])
async def test_no_network_is_no_fault(hass: HomeAssistant, folder: Path, chosen: object) -> None:
    entry = site_with(*METERS, network=chosen)
    assert async_network(hass, entry, load_networks(folder)) is None
    assert not ir.async_get(hass).issues
