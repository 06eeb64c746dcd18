"""The virtual home as a process of its own, and what its control server tells and does."""

from collections.abc import Sequence
from dataclasses import dataclass
import json
from pathlib import Path
import sys
from types import TracebackType
from typing import Any, Self

import aiohttp

from demo.config_dir import ROOT
from demo.processes import Child, Children, wait_until


@dataclass(frozen=True, kw_only=True)
class VirtualMeter:
    """Where a meter of the virtual home answers, and where it sits."""

    name: str
    port: int
    unit: int
    profile: str
    node: str


class VirtualHome:
    """A household whose meters answer on the loopback address.

    Use it as an async context manager; the process belongs to `children`.
    """

    def __init__(self, children: Children, log: Path, arguments: Sequence[str] = ()) -> None:
        """Prepare; `arguments` are those of `python -m hardware.virtual`."""
        self.meters: tuple[VirtualMeter, ...] = ()
        self._children = children
        self._log = log
        self._arguments = arguments
        self._child: Child | None = None
        self._control = ""
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        """Start the process and wait until its meters answer.

        Raises ChildError when they do not.
        """
        self._child = self._children.start(
            "the virtual home",
            [sys.executable, "-m", "hardware.virtual", *self._arguments],
            log=self._log,
            cwd=ROOT,
        )
        await wait_until("starting the virtual home", self._ready, child=self._child, within=60)
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the process."""
        await self._session.close()
        if self._child is not None:
            self._child.stop()

    async def _ready(self) -> bool:
        """Read the line that the process prints when all its ports are open."""
        for line in self._log.read_text(encoding="utf-8").splitlines():
            if line.startswith("{"):
                ready = json.loads(line)
                self._control = ready["control"]
                self.meters = tuple(VirtualMeter(**meter) for meter in ready["meters"])
                return True
        return False

    async def state(self) -> dict[str, Any]:
        """Return what is true of the home, and what its meters show."""
        async with self._session.get(f"{self._control}/state") as response:
            response.raise_for_status()
            state: dict[str, Any] = await response.json()
            return state

    async def control(self, path: str, **body: Any) -> dict[str, Any]:
        """Perform one of the control server's actions: clock, load, fault, clear, port.

        Raises ValueError with the server's words when it cannot be done.
        """
        async with self._session.post(f"{self._control}/{path}", json=body) as response:
            answer: dict[str, Any] = await response.json()
            if "error" in answer:
                raise ValueError(answer["error"])
            return answer
