"""Child processes that end with the program that started them.

Each child leads a process group of its own, so that what it starts can be ended with it, and
Ctrl-C in the terminal reaches only the parent, which then stops its children in order.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
import contextlib
import os
from pathlib import Path
import signal
import subprocess
import sys
import time
from types import FrameType, TracebackType
from typing import Any, Self

import psutil

# Asks Linux for SIGTERM when the parent dies, then becomes the command. A function handed to
# Popen as preexec_fn could do the same, but not safely in a program with threads.
_GUARD = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM)
if os.getppid() != int(sys.argv[1]):
    sys.exit("the parent is gone")
os.execvp(sys.argv[2], sys.argv[2:])
"""

_LOG_TAIL = 20  # lines
_POLL = 0.02  # seconds


class ChildError(RuntimeError):
    """A child process ended by itself or did not become ready in time."""


class Child:
    """A started process and everything that it started itself.

    Linux ends a child with the *thread* that started it: start children from a thread that stays.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Start `command`; its output goes to the file `log`, `env` is added to ours."""
        self.name = name
        self.log = log
        words = [str(word) for word in command]
        if sys.platform == "linux":
            words = [sys.executable, "-I", "-S", "-c", _GUARD, str(os.getpid()), *words]
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603
                words,
                cwd=cwd,
                env=_environment(env or {}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The id of the process, and of its group."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """How the process ended; None while it runs."""
        return self._process.poll()

    @property
    def running(self) -> bool:
        """Whether the process itself still runs."""
        return self.returncode is None

    def check(self) -> None:
        """Raise ChildError with the end of the log when the process has ended."""
        if (code := self.returncode) is not None:
            msg = f"{self.name} ended with code {code}:\n{self.log_tail()}"
            raise ChildError(msg)

    def log_tail(self, lines: int = _LOG_TAIL) -> str:
        """Return the last lines that the process printed."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def stop(self, grace: float = 15.0) -> None:
        """Ask the whole group to end; what still runs after `grace` seconds is killed."""
        deadline = time.monotonic() + grace
        self._signal(signal.SIGTERM)
        while self._members() and time.monotonic() < deadline:
            time.sleep(_POLL)
        self.kill()

    def kill(self) -> None:
        """End the whole group at once, as a power cut would."""
        self._signal(signal.SIGKILL)
        while self._members():
            time.sleep(_POLL)

    def _signal(self, number: signal.Signals) -> None:
        # A group without members may already be somebody else's.
        if self._members():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def _members(self) -> list[int]:
        """Return the ids of the living processes of the group."""
        self._process.poll()
        members = []
        for process in psutil.process_iter(["status"]):
            with contextlib.suppress(ProcessLookupError):
                if (
                    os.getpgid(process.pid) == self.pid
                    and process.info["status"] != psutil.STATUS_ZOMBIE
                ):
                    members.append(process.pid)
        return members


class Children:
    """The children of this program, stopped in reverse order when the `with` block is left.

    Inside the block SIGTERM and SIGHUP end this program as Ctrl-C does, through the same way out.
    """

    def __init__(self) -> None:
        """Begin without any."""
        self._children: list[Child] = []
        self._handlers: dict[signal.Signals, Any] = {}
        self._work: asyncio.Task[Any] | None = None
        self._ended_by: int | None = None

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Child:
        """Start a child; see Child."""
        child = Child(name, command, log=log, cwd=cwd, env=env)
        self._children.append(child)
        return child

    def run[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Run work in an event loop; SIGTERM and SIGHUP cancel it first, as Ctrl-C does.

        So it can put away what it holds. SystemExit tells of the signal then.
        """
        try:
            return asyncio.run(self._watched(work))
        except asyncio.CancelledError:
            if self._ended_by is None:
                raise
            sys.exit(128 + self._ended_by)

    async def _watched[T](self, work: Coroutine[Any, Any, T]) -> T:
        self._work = asyncio.current_task()
        try:
            return await work
        finally:
            self._work = None

    def stop(self) -> None:
        """Stop all, the last started first; a second Ctrl-C meanwhile kills the rest at once."""
        try:
            while self._children:
                self._children[-1].stop()
                self._children.pop()
        finally:
            while self._children:
                self._children.pop().kill()

    def __enter__(self) -> Self:
        """Take over the signals that end a program."""
        for number in (signal.SIGTERM, signal.SIGHUP):
            with contextlib.suppress(ValueError):  # not in the main thread
                self._handlers[number] = signal.signal(number, self._end)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop all children and give the signals back."""
        try:
            self.stop()
        finally:
            for number, handler in self._handlers.items():
                signal.signal(number, handler)
            self._handlers.clear()

    def _end(self, number: int, _frame: FrameType | None) -> None:
        """Cancel the work; without any, or the second time, leave at once."""
        work, self._work = self._work, None
        if work is None:
            sys.exit(128 + number)
        self._ended_by = number
        work.get_loop().call_soon_threadsafe(work.cancel)


async def wait_until(
    what: str,
    ready: Callable[[], Awaitable[bool]],
    *,
    child: Child | None = None,
    within: float = 120.0,
    every: float = 0.2,
) -> None:
    """Wait until `ready` says so, with a progress line on standard error.

    Raises:
        ChildError: `child` ended meanwhile, or `within` seconds have passed.
    """
    with Progress(what) as progress:
        deadline = time.monotonic() + within
        while not await ready():
            if child is not None:
                child.check()
            if time.monotonic() > deadline:
                tail = f":\n{child.log_tail()}" if child is not None else ""
                msg = f"{what}: not done after {within:.0f} s{tail}"
                raise ChildError(msg)
            progress.show()
            await asyncio.sleep(every)


class Progress:
    """One line that says what is being done and for how long, as the scripts print it."""

    def __init__(self, what: str) -> None:
        """Begin the line."""
        self._what = what
        self._begin = time.monotonic()
        self._live = sys.stderr.isatty()

    def show(self) -> None:
        """Rewrite the seconds, where that can be done."""
        if self._live:
            sys.stderr.write(f"\r==> {self._what} ... {self._seconds():.0f} s")
            sys.stderr.flush()

    def _seconds(self) -> float:
        return time.monotonic() - self._begin

    def __enter__(self) -> Self:
        """Show the line."""
        sys.stderr.write(f"==> {self._what} ... ")
        sys.stderr.flush()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the line with the time it took."""
        begin = f"\r==> {self._what} ... " if self._live else ""
        outcome = f"{self._seconds():.1f} s" if error is None else "failed"
        sys.stderr.write(f"{begin}{outcome}\n")
        sys.stderr.flush()


def _environment(added: Mapping[str, str]) -> dict[str, str]:
    """Return our environment for a child.

    PYTHONPATH would show Home Assistant the integration a second time, and without byte code on
    disk every start compiles all modules anew.
    """
    dropped = {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE"}
    return {key: value for key, value in os.environ.items() if key not in dropped} | dict(added)
