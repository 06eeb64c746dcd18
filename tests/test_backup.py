"""Archives in the backups that Home Assistant makes."""

from collections.abc import AsyncGenerator
import io
from pathlib import Path
import tarfile
from typing import Any

from homeassistant.components.backup.const import DATA_MANAGER
from homeassistant.const import EVENT_HOMEASSISTANT_CLOSE
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest

from custom_components.carbon_meter.archives import (
    async_close_archive,
    async_open_archive,
    async_remove_archive,
)
from custom_components.carbon_meter.backup import async_post_backup, async_pre_backup
from custom_components.carbon_meter.carbon.archive.archive import Archive
from custom_components.carbon_meter.carbon.archive.errors import ArchiveError
from custom_components.carbon_meter.carbon.archive.rows import AuditEntry
from custom_components.carbon_meter.const import DOMAIN
from tests.carbon.archived import HOUR, START, meter_hour

NAME = "carbon_meter.site.db"


@pytest.fixture
async def archive(real_time: HomeAssistant, tmp_path: Path) -> AsyncGenerator[Archive]:
    """Return an archive in the configuration of a Home Assistant that makes backups."""
    real_time.config.config_dir = str(tmp_path)
    assert await async_setup_component(real_time, DOMAIN, {})
    assert await async_setup_component(real_time, "backup", {})
    await real_time.async_block_till_done()
    opened = await async_open_archive(real_time, tmp_path / NAME)
    yield opened
    await async_close_archive(real_time, opened)


def write(archive: Archive, number: int) -> None:
    """Write one transaction of several calls."""
    with archive.transaction():
        archive.add_audit(
            AuditEntry(
                when=number, reason="x", detail=str(number), start=START, end=START, owners=()
            )
        )
        archive.put_energy(
            meter_hour(f"meter {meter}", START + number * HOUR, range(12)) for meter in range(30)
        )
        archive.put("number", number)


def restored(contents: bytes, folder: Path) -> Archive:
    """Return the archive as a backup brings it back."""
    with tarfile.open(fileobj=io.BytesIO(contents)) as outer:
        inner = outer.extractfile("homeassistant.tar.gz")
        assert inner is not None
        with tarfile.open(fileobj=inner, mode="r:gz") as core:
            core.extractall(folder, filter="data")
    return Archive(folder / "data" / NAME)


def beside(path: Path) -> list[Path]:
    """Return all files of archives in the folder of one."""
    return list(path.parent.glob("carbon_meter.*"))


async def test_a_backup_has_a_whole_archive_while_it_is_written(
    real_time: HomeAssistant, archive: Archive, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What was stored before it is in it; what is stored meanwhile is in it whole or not at all."""
    hass = real_time
    assert DOMAIN in hass.data[DATA_MANAGER].platforms
    for number in range(1, 20):
        await hass.async_add_executor_job(write, archive, number)
    backup = hass.async_create_task(hass.data[DATA_MANAGER].async_create_backup(**WANTED))
    number = 19
    while not backup.done():
        number += 1
        await hass.async_add_executor_job(write, archive, number)
    await backup
    await hass.async_block_till_done(wait_background_tasks=True)

    (file,) = (Path(hass.config.config_dir) / "backups").glob("*.tar")
    folder = tmp_path_factory.mktemp("restored")
    copy = await hass.async_add_executor_job(restored, file.read_bytes(), folder)
    assert copy.damaged is None
    count = copy.get("number")
    assert 19 <= count <= number
    assert [int(entry.detail) for entry in copy.audit(limit=9999)] == list(range(count, 0, -1))
    series = copy.energy([f"meter {meter}" for meter in range(30)], START, START + 9999 * HOUR)
    assert series.imported.sum() == 30 * 66 * count
    copy.close()

    assert archive.get("number") == number
    log = archive.path.with_name(NAME + "-wal")
    await hass.async_add_executor_job(write, archive, number + 1)
    await async_close_archive(hass, archive)
    assert not log.exists()


WANTED: dict[str, Any] = {
    "agent_ids": ["backup.local"],
    "extra_metadata": {},
    "include_addons": None,
    "include_all_addons": False,
    "include_database": True,
    "include_folders": None,
    "include_homeassistant": True,
    "name": "test",
    "password": None,
    "with_automatic_settings": False,
}


async def test_a_site_that_is_reloaded_during_a_backup_leaves_the_file_alone(
    real_time: HomeAssistant, archive: Archive
) -> None:
    hass = real_time
    await hass.async_add_executor_job(write, archive, 1)
    await async_pre_backup(hass)
    file = archive.path.read_bytes()
    await hass.async_add_executor_job(write, archive, 2)
    await async_close_archive(hass, archive)
    again = await async_open_archive(hass, archive.path)
    await hass.async_add_executor_job(write, again, 3)
    assert archive.path.read_bytes() == file
    await async_post_backup(hass)
    assert archive.path.read_bytes() != file
    assert again.get("number") == 3
    await async_close_archive(hass, again)
    assert beside(archive.path) == [archive.path]


async def test_an_archive_that_cannot_be_held_costs_nobody_the_backup(
    real_time: HomeAssistant, archive: Archive, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Others are held all the same."""
    hass = real_time
    other = await async_open_archive(hass, tmp_path / "other.db")
    await hass.async_add_executor_job(archive.close)
    await async_pre_backup(hass)
    assert "closed" in caplog.text
    file = other.path.read_bytes()
    await hass.async_add_executor_job(write, other, 1)
    assert other.path.read_bytes() == file
    await async_post_backup(hass)
    assert other.path.read_bytes() != file
    await async_close_archive(hass, other)


async def test_a_damaged_archive_is_told_and_one_that_cannot_be_opened_raises(
    real_time: HomeAssistant, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / NAME
    path.write_bytes(b"\x00\x01" * 5000)
    archive = await async_open_archive(real_time, path)
    assert f"{NAME}.damaged-1" in caplog.text
    await async_close_archive(real_time, archive)
    (tmp_path / "folder").mkdir()
    with pytest.raises(ArchiveError, match="cannot be opened"):
        await async_open_archive(real_time, tmp_path / "folder")


async def test_archives_are_closed_when_home_assistant_stops(
    real_time: HomeAssistant, archive: Archive
) -> None:
    """Nothing is left in the log; closing once more does nothing."""
    await real_time.async_add_executor_job(write, archive, 1)
    real_time.bus.async_fire(EVENT_HOMEASSISTANT_CLOSE)
    await real_time.async_block_till_done()
    assert beside(archive.path) == [archive.path]


async def test_a_removed_site_leaves_no_file(
    real_time: HomeAssistant, archive: Archive, tmp_path: Path
) -> None:
    kept = tmp_path / "carbon_meter.other.db"
    for path in (kept, tmp_path / f"{NAME}.damaged-1"):
        await real_time.async_add_executor_job(path.touch)
    await async_close_archive(real_time, archive)
    await async_remove_archive(real_time, archive.path)
    assert beside(kept) == [kept]
