"""What is removed was overwritten: not even the disk keeps a key."""

import os
from pathlib import Path

from custom_components.carbon_meter.community.authority.files import erase


def test_a_folder_that_is_deleted_was_overwritten_but_for_databases(tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    names = ("hub.json", "authority/authority.pem", "home/renew.json", "ledger.db", "ledger.db-wal")
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"secret")
        # By another name the same bytes on the disk can still be read.
        os.link(path, tmp_path / path.name)
    erase(folder)
    assert not folder.exists()
    left = {name: (tmp_path / Path(name).name).read_bytes() for name in names}
    assert {name for name, content in left.items() if content == bytes(6)} == set(names[:3])
    erase(folder)


def test_what_a_link_leads_to_is_left_alone(tmp_path: Path) -> None:
    (folder := tmp_path / "hub").mkdir()
    (other := tmp_path / "other").write_text("of somebody else")
    (folder / "link").symlink_to(other)
    erase(folder)
    assert other.read_text() == "of somebody else"
    assert not folder.exists()
