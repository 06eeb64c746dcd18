"""A small client of a running Home Assistant: its REST and its WebSocket interface."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
import itertools
import time
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

_FLOW: Final = "/api/config/config_entries/flow"
_OPTIONS_FLOW: Final = "/api/config/config_entries/options/flow"
_SUBENTRY_FLOW: Final = "/api/config/config_entries/subentries/flow"
_REFRESH_AHEAD: Final = 60.0  # seconds before a token ends
_PROGRESS_POLL: Final = 0.2
_DIAGNOSTICS_WITHIN: Final = 30.0
"""Seconds: Home Assistant finds an integration's diagnostics a little after its set-up."""

_IDLE: Final = 30.0  # seconds; Home Assistant drops a WebSocket that does not answer its pings
_SERVER_GONE: Final = (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED)


class ClientError(RuntimeError):
    """Home Assistant refused; `status` is that of its HTTP answer, where there was one."""

    def __init__(self, message: str, status: int | None = None) -> None:
        """Take what was asked and what was answered."""
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Account:
    """The owner of the home."""

    name: str = "Demo"
    username: str = "demo"
    password: str = "demo"  # noqa: S105
    language: str = "en"


@dataclass(frozen=True, kw_only=True)
class Step:
    """Where a flow stands: a form to fill, a menu, a result or the reason for its end."""

    url: str
    flow_id: str
    type: str  # form, menu, create_entry, abort ...
    step_id: str | None
    reason: str | None
    errors: Mapping[str, str]
    raw: Mapping[str, Any]

    @property
    def entry_id(self) -> str:
        """The entry that a config flow has created."""
        if self.type != "create_entry":
            msg = f"no entry was created: {self.raw}"
            raise ClientError(msg)
        return str(self.raw["result"]["entry_id"])


class HomeAssistantClient:
    """Speaks to one Home Assistant as one user.

    Use it as an async context manager. It survives a restart of Home Assistant: call `sign_in`
    again.
    """

    def __init__(self, url: str) -> None:
        """Take the address, as in http://127.0.0.1:8123."""
        self.url = url.rstrip("/")
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._socket_lock = asyncio.Lock()
        self._socket_used = 0.0
        self._ids = itertools.count(1)
        self._token = ""
        self._token_ends = 0.0
        self._refresh_token = ""

    async def __aenter__(self) -> Self:
        """Begin without a connection."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close all connections."""
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._drop_socket()
        await self._session.close()

    # Account

    @property
    def signed_in(self) -> bool:
        """Whether there is a token."""
        return bool(self._token)

    async def answers(self) -> bool:
        """Whether the server is there; it may still be starting."""
        try:
            async with self._session.get(f"{self.url}/manifest.json") as response:
                return response.status == HTTPStatus.OK
        except aiohttp.ClientError, TimeoutError:
            return False

    async def is_running(self) -> bool:
        """Whether Home Assistant has finished starting; needs `sign_in` first."""
        config = await self.get("/api/config")
        return bool(config["state"] == "RUNNING")

    async def sign_in(self, account: Account) -> None:
        """Sign in; the account is created as the owner's when there is none yet."""
        if await self._has_no_owner():
            result = await self._request(
                "POST",
                "/api/onboarding/users",
                {
                    "name": account.name,
                    "username": account.username,
                    "password": account.password,
                    "language": account.language,
                    "client_id": self._client_id,
                },
                signed=False,
            )
            code = result["auth_code"]
        else:
            code = await self._login(account)
        await self._drop_socket()
        await self._fetch_token(grant_type="authorization_code", code=code)

    async def _has_no_owner(self) -> bool:
        """Whether the owner's account is still to be created."""
        try:
            steps = await self._request("GET", "/api/onboarding", signed=False)
        except ClientError as error:
            if error.status == HTTPStatus.NOT_FOUND:  # onboarding ended in an earlier run
                return False
            raise
        return any(step["step"] == "user" and not step["done"] for step in steps)

    async def _login(self, account: Account) -> str:
        """Go through the login form and return the code that it hands out."""
        form = await self._request(
            "POST",
            "/auth/login_flow",
            {
                "client_id": self._client_id,
                "handler": ["homeassistant", None],
                "redirect_uri": self._client_id,
            },
            signed=False,
        )
        result = await self._request(
            "POST",
            f"/auth/login_flow/{form['flow_id']}",
            {
                "client_id": self._client_id,
                "username": account.username,
                "password": account.password,
            },
            signed=False,
        )
        if result["type"] != "create_entry":
            msg = f"{account.username} cannot sign in: {result.get('errors')}"
            raise ClientError(msg)
        return str(result["result"])

    async def _fetch_token(self, **fields: str) -> None:
        """Trade a code or the refresh token for an access token."""
        form = {"client_id": self._client_id, **fields}
        async with self._session.post(f"{self.url}/auth/token", data=form) as response:
            answer = await response.json()
            if response.status != HTTPStatus.OK:
                msg = f"no token: {answer}"
                raise ClientError(msg)
        self._token = answer["access_token"]
        self._token_ends = time.monotonic() + answer["expires_in"]
        self._refresh_token = answer.get("refresh_token", self._refresh_token)

    @property
    def _client_id(self) -> str:
        return f"{self.url}/"

    # REST

    async def get(self, path: str) -> Any:
        """Return what a GET of `path` answers."""
        return await self._request("GET", path)

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Return what a POST of `body` to `path` answers."""
        return await self._request("POST", path, body or {})

    async def delete(self, path: str) -> Any:
        """Return what a DELETE of `path` answers."""
        return await self._request("DELETE", path)

    async def _request(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, signed: bool = True
    ) -> Any:
        headers = {}
        if signed:
            if time.monotonic() > self._token_ends - _REFRESH_AHEAD and self._refresh_token:
                await self._fetch_token(
                    grant_type="refresh_token", refresh_token=self._refresh_token
                )
            headers["Authorization"] = f"Bearer {self._token}"
        async with self._session.request(
            method, self.url + path, json=body, headers=headers
        ) as response:
            if response.status >= HTTPStatus.BAD_REQUEST:
                msg = f"{method} {path}: {response.status} {await response.text()}"
                raise ClientError(msg, response.status)
            if response.content_type != "application/json":
                return await response.text()
            return await response.json()

    async def states(self) -> list[dict[str, Any]]:
        """Return the states of all entities."""
        states: list[dict[str, Any]] = await self.get("/api/states")
        return states

    async def state(self, entity_id: str) -> dict[str, Any]:
        """Return the state of one entity."""
        state: dict[str, Any] = await self.get(f"/api/states/{entity_id}")
        return state

    # Flows

    async def start_flow(self, domain: str) -> Step:
        """Start the config flow of an integration as a user does."""
        return await self._step(_FLOW, await self.post(_FLOW, {"handler": domain}))

    async def start_reconfigure(self, domain: str, entry_id: str) -> Step:
        """Start the reconfiguration of an entry."""
        body = {"handler": domain, "entry_id": entry_id}
        return await self._step(_FLOW, await self.post(_FLOW, body))

    async def start_options_flow(self, entry_id: str) -> Step:
        """Start the flow that changes the options of an entry."""
        return await self._step(
            _OPTIONS_FLOW, await self.post(_OPTIONS_FLOW, {"handler": entry_id})
        )

    async def start_subentry_flow(
        self, entry_id: str, subentry_type: str, *, subentry_id: str | None = None
    ) -> Step:
        """Start the flow that adds a subentry, or that changes the one named."""
        body: dict[str, Any] = {"handler": [entry_id, subentry_type]}
        if subentry_id is not None:
            body["subentry_id"] = subentry_id
        return await self._step(_SUBENTRY_FLOW, await self.post(_SUBENTRY_FLOW, body))

    async def discovered(self) -> list[Step]:
        """Return the flows that discovery has started and that wait for the user."""
        flows = await self.command("config_entries/flow/progress")
        return [
            await self._step(_FLOW, await self.get(f"{_FLOW}/{flow['flow_id']}")) for flow in flows
        ]

    async def answer(self, step: Step, **fields: Any) -> Step:
        """Send what the user filled in, or chose from a menu (next_step_id), and go on."""
        raw = await self.post(f"{step.url}/{step.flow_id}", fields)
        return await self._step(step.url, raw)

    async def _step(self, url: str, raw: Mapping[str, Any]) -> Step:
        """Read a step; one that only shows progress is waited for."""
        while raw["type"] in {"progress", "progress_done"}:
            await asyncio.sleep(_PROGRESS_POLL)
            raw = await self.get(f"{url}/{raw['flow_id']}")
        return Step(
            url=url,
            flow_id=raw["flow_id"],
            type=raw["type"],
            step_id=raw.get("step_id"),
            reason=raw.get("reason"),
            errors=raw.get("errors") or {},
            raw=raw,
        )

    # WebSocket

    async def command(self, command: str, **fields: Any) -> Any:
        """Send one WebSocket command and return its result; commands are sent one by one."""
        async with self._socket_lock:
            socket = await self._connected()
            self._socket_used = time.monotonic()
            number = next(self._ids)
            await socket.send_json({"id": number, "type": command, **fields})
            answer = await self._receive(socket)
            while answer.get("id") != number or answer["type"] != "result":
                answer = await self._receive(socket)
        if not answer["success"]:
            msg = f"{command}: {answer['error']}"
            raise ClientError(msg)
        return answer["result"]

    async def _connected(self) -> aiohttp.ClientWebSocketResponse:
        """Return the open connection, opened anew when it was lost or not used for a while."""
        if time.monotonic() > self._socket_used + _IDLE:
            await self._drop_socket()
        if self._socket is not None and not self._socket.closed:
            return self._socket
        socket = await self._session.ws_connect(f"{self.url}/api/websocket", max_msg_size=0)
        await self._receive(socket)
        await socket.send_json({"type": "auth", "access_token": self._token})
        answer = await self._receive(socket)
        if answer["type"] != "auth_ok":
            await socket.close()
            msg = f"the WebSocket refused the token: {answer}"
            raise ClientError(msg)
        self._ids = itertools.count(1)
        self._socket = socket
        return socket

    @staticmethod
    async def _receive(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
        message = await socket.receive()
        if message.type in _SERVER_GONE:
            msg = "Home Assistant closed the WebSocket"
            raise ClientError(msg)
        answer: dict[str, Any] = message.json()
        return answer

    async def _drop_socket(self) -> None:
        if self._socket is not None:
            await self._socket.close()
            self._socket = None

    async def perform(self, action: str, **data: Any) -> Any:
        """Perform an action such as `homeassistant.restart`; returns its response, if it has one.

        The keyword `target` is the target; `return_response` asks for a response.
        """
        domain, _, service = action.partition(".")
        fields = {key: data.pop(key) for key in ("target", "return_response") if key in data}
        result = await self.command(
            "call_service", domain=domain, service=service, service_data=data, **fields
        )
        return result.get("response")

    # Registries and history

    async def entries(self, domain: str) -> list[dict[str, Any]]:
        """Return the config entries of an integration."""
        entries: list[dict[str, Any]] = await self.command("config_entries/get", domain=domain)
        return entries

    async def is_loaded(self, entry_id: str) -> bool:
        """Return whether a config entry is set up, with all its entities."""
        answer = await self.command("config_entries/get_single", entry_id=entry_id)
        return bool(answer["config_entry"]["state"] == "loaded")

    async def diagnostics(self, entry_id: str) -> dict[str, Any]:
        """Return what the diagnostics of a config entry say, once there are any."""
        deadline = time.monotonic() + _DIAGNOSTICS_WITHIN
        while True:
            try:
                answer = await self.get(f"/api/diagnostics/config_entry/{entry_id}")
            except ClientError as err:
                if err.status != HTTPStatus.NOT_FOUND or time.monotonic() > deadline:
                    raise
                await asyncio.sleep(_PROGRESS_POLL)
            else:
                data: dict[str, Any] = answer["data"]
                return data

    async def options(self, entry_id: str) -> dict[str, Any]:
        """Return the options of a config entry of an integration with diagnostics."""
        options: dict[str, Any] = (await self.diagnostics(entry_id))["entry"]["options"]
        return options

    async def reload(self, entry_id: str) -> None:
        """Unload a config entry and set it up again."""
        await self.post(f"/api/config/config_entries/entry/{entry_id}/reload")

    async def subentries(self, entry_id: str, kind: str) -> dict[str, str]:
        """Return the titles of a config entry's subentries of one type, by their ids."""
        subentries: list[dict[str, Any]] = await self.command(
            "config_entries/subentries/list", entry_id=entry_id
        )
        return {
            subentry["subentry_id"]: subentry["title"]
            for subentry in subentries
            if subentry["subentry_type"] == kind
        }

    async def devices(self) -> list[dict[str, Any]]:
        """Return the device registry."""
        devices: list[dict[str, Any]] = await self.command("config/device_registry/list")
        return devices

    async def entities(self, platform: str | None = None) -> list[dict[str, Any]]:
        """Return the entity registry, or the entities of one integration."""
        entities: list[dict[str, Any]] = await self.command("config/entity_registry/list")
        return [entity for entity in entities if platform in {None, entity["platform"]}]

    async def statistics(
        self,
        statistic_ids: Sequence[str],
        *,
        start: datetime,
        end: datetime | None = None,
        period: str = "hour",
        types: Collection[str] = ("change", "mean", "state", "sum"),
    ) -> dict[str, list[dict[str, Any]]]:
        """Return the rows of long-term statistics by id, their times in milliseconds."""
        fields: dict[str, Any] = {
            "start_time": start.isoformat(),
            "statistic_ids": list(statistic_ids),
            "period": period,
            "types": list(types),
        }
        if end is not None:
            fields["end_time"] = end.isoformat()
        rows: dict[str, list[dict[str, Any]]] = await self.command(
            "recorder/statistics_during_period", **fields
        )
        return rows
