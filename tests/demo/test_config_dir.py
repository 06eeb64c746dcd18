import json
from pathlib import Path
from typing import Any

from homeassistant.util.yaml import load_yaml_dict
import pytest

from demo.config_dir import INTEGRATION, Place, Settings, seed


def read_store(config_dir: Path, key: str) -> Any:
    return json.loads((config_dir / ".storage" / key).read_text(encoding="utf-8"))["data"]


def test_server_is_bound_to_loopback_and_never_in_yaml(tmp_path: Path) -> None:
    seed(tmp_path / "config", Settings(port=18123))

    stable = read_store(tmp_path / "config", "http")["stable"]
    assert stable["server_host"] == ["127.0.0.1"]
    assert stable["server_port"] == 18123
    configuration = load_yaml_dict(str(tmp_path / "config" / "configuration.yaml"))
    assert "http" not in configuration
    assert "default_config" not in configuration
    assert configuration["automation"] == []


def test_place_and_integrations_are_written(tmp_path: Path) -> None:
    place = Place(name='The "Old" Mill: 3', country="CN", currency="CNY", language="zh-Hans")
    settings = Settings(
        place=place, integrations={"recorder": {"commit_interval": 1}}, log_levels={"a.b": "debug"}
    )

    seed(tmp_path, settings)

    configuration = load_yaml_dict(str(tmp_path / "configuration.yaml"))
    home = configuration["homeassistant"]
    assert home["name"] == 'The "Old" Mill: 3'
    assert (home["country"], home["currency"], home["language"]) == ("CN", "CNY", "zh-Hans")
    assert home["unit_system"] == "metric"
    assert configuration["recorder"] == {"commit_interval": 1}
    assert configuration["logger"]["logs"] == {"a.b": "debug"}


def test_only_the_account_is_left_to_be_created(tmp_path: Path) -> None:
    seed(tmp_path, Settings())

    assert "user" not in read_store(tmp_path, "onboarding")["done"]


def test_integration_is_the_one_of_the_checkout(tmp_path: Path) -> None:
    seed(tmp_path, Settings())
    seed(tmp_path, Settings())

    assert (tmp_path / "custom_components" / INTEGRATION.name).resolve() == INTEGRATION


def test_integration_is_copied_where_symlinks_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError

    integration = tmp_path / "meter"
    integration.mkdir()
    (integration / "a.py").write_text("1")
    monkeypatch.setattr(Path, "symlink_to", refuse)
    settings = Settings(custom_integration=integration)

    seed(tmp_path / "config", settings)
    (integration / "a.py").write_text("2")
    seed(tmp_path / "config", settings)

    copy = tmp_path / "config" / "custom_components" / "meter"
    assert not copy.is_symlink()
    assert (copy / "a.py").read_text() == "2"


def test_state_is_kept_unless_fresh(tmp_path: Path) -> None:
    config_dir = tmp_path / "config"
    seed(config_dir, Settings(port=1))
    (config_dir / ".storage" / "auth").write_text("{}")
    (config_dir / ".storage" / "onboarding").write_text('{"data": "all done"}')

    seed(config_dir, Settings(port=2))

    assert (config_dir / ".storage" / "auth").exists()
    assert read_store(config_dir, "onboarding") == "all done"
    assert read_store(config_dir, "http")["stable"]["server_port"] == 2

    seed(config_dir, Settings(port=2), fresh=True)

    assert not (config_dir / ".storage" / "auth").exists()
    assert INTEGRATION.is_dir()  # the link went, not what it points to


def test_a_directory_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "configuration.yaml").write_text("my own")

    with pytest.raises(FileExistsError, match="choose an empty or new directory"):
        seed(tmp_path, Settings(), fresh=True)

    assert (tmp_path / "configuration.yaml").read_text() == "my own"
    assert len(list(tmp_path.iterdir())) == 1
