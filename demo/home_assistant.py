"""One Home Assistant in one config dir, started and stopped as often as wanted."""

from pathlib import Path
import secrets
import socket
import sys
from types import TracebackType
from typing import Final, Self

import aiohttp
import psutil

from demo.client import Account, HomeAssistantClient
from demo.config_dir import LOOPBACK, ROOT, Settings, seed
from demo.processes import Child, ChildError, Children, wait_until

LAUNCHER: Final = ROOT / "demo" / "launcher.py"

_TEST_PORTS: Final = range(20_000, 30_000)


class HomeAssistant:
    """A Home Assistant process with an account of its own, and a client signed in to it.

    Use it as an async context manager: leaving the block stops it.
    """

    def __init__(
        self,
        children: Children,
        config_dir: Path,
        settings: Settings,
        *,
        account: Account | None = None,
        python: Path | None = None,
    ) -> None:
        """Prepare; `python` is the interpreter of the environment whose Home Assistant runs."""
        self.config_dir = config_dir.absolute()
        self.settings = settings
        self.account = account or Account(language=settings.place.language)
        self.url = f"http://{LOOPBACK}:{settings.port}"
        self.log = self.config_dir / "home-assistant.log"
        self._children = children
        self._python = python or Path(sys.executable)
        self._child: Child | None = None
        self._client: HomeAssistantClient | None = None

    async def __aenter__(self) -> Self:
        """Begin without a process."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the process, if there is one."""
        await self.stop()

    @property
    def child(self) -> Child:
        """The process."""
        if self._child is None:
            msg = "Home Assistant was not started"
            raise ChildError(msg)
        return self._child

    @property
    def client(self) -> HomeAssistantClient:
        """The client, signed in as the owner."""
        if self._client is None:
            msg = "Home Assistant was not started"
            raise ChildError(msg)
        return self._client

    async def start(self, *, fresh: bool = False, within: float = 180.0) -> HomeAssistantClient:
        """Start it and return the client when all integrations are set up.

        Raises:
            ChildError: the port is taken, Home Assistant ended, was too slow, or listens on
                another address than the loopback one (it was stopped then).
        """
        # Home Assistant would go on with port 8123 on all interfaces instead.
        if not is_free(self.settings.port):
            msg = f"port {self.settings.port} is in use: choose another one"
            raise ChildError(msg)
        seed(self.config_dir, self.settings, fresh=fresh)
        self._child = self._children.start(
            "Home Assistant",
            [
                *(self._python, "-P", LAUNCHER),
                *("-c", self.config_dir, "--log-file", self.log, "--skip-pip"),
            ],
            log=self.config_dir / "output.log",
        )
        if self._client is None:
            self._client = HomeAssistantClient(self.url)
        await self.wait(within)
        if not self.on_loopback_only():
            self._child.stop()
            msg = "Home Assistant listened on other addresses than the loopback one"
            raise ChildError(msg)
        return self._client

    async def wait(self, within: float = 180.0) -> None:
        """Wait until all integrations are set up, also after a restart that it did by itself."""
        await wait_until("starting Home Assistant", self._ready, child=self.child, within=within)

    async def _ready(self) -> bool:
        """Sign in as soon as that is possible, then ask whether the start is over."""
        try:
            if not self.client.signed_in:
                if not await self.client.answers():
                    return False
                await self.client.sign_in(self.account)
            return await self.client.is_running()
        except aiohttp.ClientError, TimeoutError:
            return False

    async def stop(self) -> None:
        """Stop it in an orderly way: what it holds in memory is written."""
        await self._disconnect()
        if self._child is not None:
            self._child.stop(grace=60)

    async def kill(self) -> None:
        """Stop it as a power cut would."""
        self.child.kill()
        await self._disconnect()

    async def _disconnect(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    def on_loopback_only(self) -> bool:
        """Whether every listening socket of the process is bound to the loopback address."""
        sockets = psutil.Process(self.child.pid).net_connections(kind="tcp")
        listening = {s.laddr.ip for s in sockets if s.status == psutil.CONN_LISTEN}
        return listening == {LOOPBACK}

    def problems(self) -> list[str]:
        """Return the lines of the log that tell of an error; a restart begins a new log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line for line in lines if " ERROR " in line or " CRITICAL " in line]


def is_free(port: int) -> bool:
    """Whether nothing listens on a port of the loopback address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a port of the loopback address that nothing listens on.

    Not one of those that the system gives away by itself: it could go to another program while
    Home Assistant is being restarted.
    """
    while not is_free(port := secrets.choice(_TEST_PORTS)):
        pass
    return port
