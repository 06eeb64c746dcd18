import asyncio
from contextlib import suppress
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

import psutil
import pytest

from demo.config_dir import ROOT
from demo.processes import Child, ChildError, Children, wait_until

# Starts a child of its own, both deaf to SIGTERM when told so, and prints both ids.
FAMILY = """
import os, signal, subprocess, sys, time
if sys.argv[1] == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(grandchild.pid, flush=True)
time.sleep(600)
"""


def start_family(children: Children, tmp_path: Path, ears: str) -> tuple[Child, int]:
    child = children.start("family", [sys.executable, "-c", FAMILY, ears], log=tmp_path / "log")
    while not (text := child.log.read_text()).endswith("\n"):
        child.check()
        time.sleep(0.02)
    return child, int(text)


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + 10
    while lives(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_stop_ends_grandchildren_too(children: Children, tmp_path: Path) -> None:
    child, grandchild = start_family(children, tmp_path, "listening")
    assert lives(grandchild)

    child.stop()

    assert child.returncode == -signal.SIGTERM
    assert not lives(grandchild)


def test_the_deaf_are_killed_after_the_grace_period(children: Children, tmp_path: Path) -> None:
    child, grandchild = start_family(children, tmp_path, "deaf")
    begin = time.monotonic()

    child.stop(grace=0.5)

    assert 0.5 <= time.monotonic() - begin < 5
    assert child.returncode == -signal.SIGKILL
    assert not lives(grandchild)


def test_a_grandchild_is_ended_after_its_parent(children: Children, tmp_path: Path) -> None:
    child, grandchild = start_family(children, tmp_path, "listening")
    os.kill(child.pid, signal.SIGKILL)
    wait_for_end(child.pid)
    assert lives(grandchild)

    child.stop()

    assert not lives(grandchild)


def test_stopping_twice_does_no_harm(children: Children, tmp_path: Path) -> None:
    child, _ = start_family(children, tmp_path, "listening")

    child.stop()
    child.stop()
    child.kill()


def test_leaving_the_block_stops_the_last_started_first(tmp_path: Path) -> None:
    ends: list[str] = []

    class Recorded(Child):
        def stop(self, grace: float = 15.0) -> None:
            ends.append(self.name)
            super().stop(grace)

    with pytest.MonkeyPatch.context() as patch, Children() as children:
        patch.setattr("demo.processes.Child", Recorded)
        for name in ("meter", "home"):
            children.start(name, ["sleep", "600"], log=tmp_path / name)

    assert ends == ["home", "meter"]


PARENT = """
import signal, sys, time
from pathlib import Path
from demo.processes import Children
# What a shell starts in the background ignores it.
signal.signal(signal.SIGINT, signal.default_int_handler)
with Children() as children:
    child = children.start("sleeper", ["sleep", "600"], log=Path(sys.argv[1]))
    print(child.pid, flush=True)
    while True:  # a signal that comes just before one long sleep would be seen after it only
        time.sleep(0.05)
"""


WORKING = """
import asyncio, sys
from pathlib import Path
from demo.processes import Children
async def other():
    await asyncio.sleep(600)
async def work():
    child = children.start("sleeper", ["sleep", "600"], log=Path(sys.argv[1]))
    try:
        print(child.pid, flush=True)
        await asyncio.gather(other(), other())
    finally:
        await asyncio.sleep(0.1)
        print("put away", flush=True)
with Children() as children:
    children.run(work())
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_work_is_put_away_before_a_signal_ends_it(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WORKING, str(tmp_path / "log")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.send_signal(number)
        out, errors = parent.communicate(timeout=30)
    assert (out, errors, parent.returncode) == ("put away\n", "", 128 + number)
    wait_for_end(child)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_children_end_with_their_parent(tmp_path: Path, number: signal.Signals) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "log")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert lives(child)
        # Python drops the exception of a signal that comes while it runs a callback.
        while parent.poll() is None:
            parent.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                parent.wait(timeout=5)

    wait_for_end(child)


def test_a_child_does_not_inherit_what_slows_it_down(
    children: Children, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    child = children.start("env", ["env"], log=tmp_path / "log", env={"EXTRA": "yes"})
    wait_for_end(child.pid)

    lines = child.log.read_text().splitlines()

    assert "EXTRA=yes" in lines
    assert not [line for line in lines if line.startswith("PYTHON") and "UNBUFFERED" not in line]


async def test_waiting_ends_when_the_child_does(children: Children, tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    child = children.start("cat", ["cat", "/no/such/file"], log=tmp_path / "log")

    with pytest.raises(ChildError, match=r"cat ended with code 1:\n.*No such file"):
        await wait_until("waiting", never, child=child, within=10)


async def test_waiting_has_an_end(capsys: pytest.CaptureFixture[str]) -> None:
    async def never() -> bool:
        await asyncio.sleep(0)
        return False

    with pytest.raises(ChildError, match="warming up: not done after 0 s"):
        await wait_until("warming up", never, within=0.1, every=0.01)

    assert capsys.readouterr().err == "==> warming up ... failed\n"


async def test_waiting_tells_how_long_it_took(capsys: pytest.CaptureFixture[str]) -> None:
    async def at_once() -> bool:
        return True

    await wait_until("warming up", at_once)

    assert capsys.readouterr().err == "==> warming up ... 0.0 s\n"
