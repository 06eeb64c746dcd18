"""The action that installs blueprints: in a real configuration folder, with real automations."""

import os
from pathlib import Path
from typing import Any

from homeassistant.auth.models import User
from homeassistant.components.automation.config import AUTOMATION_BLUEPRINT_SCHEMA
from homeassistant.components.blueprint import Blueprint
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, Unauthorized
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import dump, parse_yaml
import pytest

from custom_components.carbon_meter import blueprints_action
from custom_components.carbon_meter.blueprint_files import PACKAGED, Result, digest_of, install
from custom_components.carbon_meter.const import DOMAIN

FIRST = """\
# Turns a switch on.
blueprint:
  name: First
  domain: automation
  input:
    source:
      name: Source
      selector:
        entity: {}
triggers:
  - trigger: state
    entity_id: !input source
actions:
  - event: first_ran
    event_data:
      version: 1
"""
SECOND = FIRST.replace("First", "Second").replace("first_ran", "second_ran")
NEWER = FIRST.replace("version: 1", "version: 2")


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that stands for the package's own."""
    folder = tmp_path / "packaged"
    folder.mkdir()
    (folder / "first.yaml").write_text(FIRST)
    (folder / "second.yaml").write_text(SECOND)
    monkeypatch.setattr(blueprints_action, "PACKAGED", folder)
    return folder


@pytest.fixture
async def home(real_time: HomeAssistant, packaged: Path) -> HomeAssistant:
    """Return Home Assistant with the integration, without a site."""
    assert await async_setup_component(real_time, DOMAIN, {})
    return real_time


def installed(hass: HomeAssistant, name: str = "first") -> Path:
    return Path(hass.config.path("blueprints", "automation", "carbon_meter", f"{name}.yaml"))


def put(hass: HomeAssistant, name: str, text: str) -> None:
    Path(hass.config.path(name)).write_text(text)


async def call(hass: HomeAssistant, **data: Any) -> dict[str, Any]:
    response = await hass.services.async_call(
        DOMAIN, "install_blueprints", data, blocking=True, return_response=True
    )
    assert response is not None
    return response


def results(response: dict[str, Any]) -> list[str]:
    return [each["result"] for each in response["blueprints"]]


async def test_new_ones_are_installed_and_stay_as_they_are(home: HomeAssistant) -> None:
    response = await call(home)
    assert results(response) == ["installed", "installed"]
    assert [each["name"] for each in response["blueprints"]] == ["First", "Second"]
    assert response["counts"] == {"installed": 2, "unchanged": 0, "updated": 0, "kept": 0}
    assert response["folder"] == "blueprints/automation/carbon_meter"
    assert installed(home).read_text() == FIRST
    again = await call(home)
    assert results(again) == ["unchanged", "unchanged"]


async def test_ours_are_updated_and_the_users_are_kept(home: HomeAssistant, packaged: Path) -> None:
    await call(home)
    own = SECOND + "# mine\n"
    installed(home, "second").write_text(own.replace("version: 1", "version: 7"))
    (packaged / "first.yaml").write_text(NEWER)
    (packaged / "second.yaml").write_text(NEWER.replace("First", "Second"))
    assert results(await call(home)) == ["updated", "kept"]
    assert installed(home).read_text() == NEWER
    assert "version: 7" in installed(home, "second").read_text()
    # It is asked for again and again, and still the user's.
    assert results(await call(home)) == ["unchanged", "kept"]
    assert results(await call(home, overwrite=True)) == ["unchanged", "updated"]
    assert "version: 2" in installed(home, "second").read_text()


async def test_what_was_written_is_known_after_a_restart(
    home: HomeAssistant, packaged: Path, hass_storage: dict[str, Any]
) -> None:
    await call(home)
    kept = hass_storage["carbon_meter.blueprints"]["data"]["files"]
    assert kept["first.yaml"] == digest_of(FIRST.encode())
    assert set(kept) == {"first.yaml", "second.yaml"}


async def test_one_that_was_removed_comes_back(home: HomeAssistant) -> None:
    await call(home)
    installed(home).unlink()
    assert results(await call(home)) == ["installed", "unchanged"]


async def test_one_that_is_there_already_and_was_not_written_by_us_is_kept(
    home: HomeAssistant,
) -> None:
    installed(home).parent.mkdir(parents=True)
    installed(home).write_text(NEWER)
    assert results(await call(home)) == ["kept", "installed"]


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"{not: [yaml", b"!secret gone", b"- a\n- list\n"]
)
async def test_garbage_in_its_place_is_the_users(home: HomeAssistant, content: bytes) -> None:
    installed(home).parent.mkdir(parents=True)
    installed(home).write_bytes(content)
    assert results(await call(home)) == ["kept", "installed"]
    assert installed(home).read_bytes() == content
    assert results(await call(home, overwrite=True)) == ["updated", "unchanged"]


def test_one_that_was_imported_by_its_link_is_the_same(tmp_path: Path) -> None:
    """The importer writes it anew, without its comments; the next version replaces it."""
    (source := tmp_path / "source").mkdir()
    (target := tmp_path / "target").mkdir()
    for path in (*PACKAGED.glob("*.yaml"), None):
        text = FIRST if path is None else path.read_text()
        name = "first.yaml" if path is None else path.name
        parsed = Blueprint(parse_yaml(text), schema=AUTOMATION_BLUEPRINT_SCHEMA)
        (source / name).write_text(text)
        (target / name).write_text(parsed.yaml())
    assert (target / "first.yaml").read_text() != FIRST
    found = install(source, target, {})
    assert {each.result for each in found} == {Result.UNCHANGED}
    (source / "first.yaml").write_text(NEWER)
    written = {each.file: each.digest for each in found if each.digest is not None}
    by_file = {each.file: each.result for each in install(source, target, written)}
    assert by_file.pop("first.yaml") is Result.UPDATED
    assert set(by_file.values()) <= {Result.UNCHANGED}


async def test_automations_run_what_was_installed(home: HomeAssistant, packaged: Path) -> None:
    """An update is in use at once, without a restart."""
    await call(home)
    config = {
        "automation": {
            "id": "one",
            "use_blueprint": {
                "path": "carbon_meter/first.yaml",
                "input": {"source": "input_boolean.x"},
            },
        }
    }
    ran: list[int] = []
    home.bus.async_listen("first_ran", lambda event: ran.append(event.data["version"]))
    put(home, "configuration.yaml", dump(config))
    assert await async_setup_component(home, "automation", config)
    for number in (1, 2):
        home.states.async_set("input_boolean.x", str(number))
        await home.async_block_till_done()
        (packaged / "first.yaml").write_text(NEWER)
        await call(home)
    assert ran == [1, 2]


async def test_a_folder_that_cannot_be_written_is_told(home: HomeAssistant) -> None:
    put(home, "blueprints", "in the way")
    with pytest.raises(HomeAssistantError, match="blueprints/automation/carbon_meter"):
        await call(home)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
async def test_a_disk_that_refuses_is_told(home: HomeAssistant) -> None:
    installed(home).parent.mkdir(parents=True)
    installed(home).parent.chmod(0o500)
    with pytest.raises(HomeAssistantError, match="Mend the folder"):
        await call(home)


async def test_only_who_may_change_things_installs(
    home: HomeAssistant, hass_read_only_user: User
) -> None:
    with pytest.raises(Unauthorized):
        await home.services.async_call(
            DOMAIN,
            "install_blueprints",
            {},
            blocking=True,
            context=Context(user_id=hass_read_only_user.id),
        )
    assert not installed(home).exists()


async def test_all_of_the_package_can_be_installed(real_time: HomeAssistant) -> None:
    assert await async_setup_component(real_time, DOMAIN, {})
    response = await call(real_time)
    assert set(results(response)) == {"installed"}
    assert {each["file"] for each in response["blueprints"]} == {
        path.name for path in PACKAGED.glob("*.yaml")
    }
    for path in PACKAGED.glob("*.yaml"):
        assert installed(real_time, path.stem).read_bytes() == path.read_bytes()
