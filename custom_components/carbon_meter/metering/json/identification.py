"""Which meter has a web page here: by what its pages say.

Read-only, each page once, those whose words prove a family first; nothing more is asked once a
family is proved.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
import time
from types import MappingProxyType
from typing import Any, Final

import aiohttp

from ..candidate import Candidate, Identification
from ..errors import (
    MeterAuthError,
    MeterError,
    MeterGarbledError,
    MeterRejectedError,
    MeterSilentError,
    MeterUnreachableError,
)
from .extraction import combined, complete_settings
from .meter import HttpJsonMeter, access_of
from .path import Path
from .placeholders import Settings
from .profile import AuthKind, Instances, JsonProfile, Probe
from .remembering import RememberingWeb
from .web import Credentials

LONGEST: Final = 45.0
"""Seconds for all of it."""

_MOST_INSTANCES: Final = 64
_HTTPS_PORTS: Final = frozenset({443, 8443})
_SHOWN: Final = 60


async def identify_http(  # noqa: PLR0913  # an address, what is known, and what is handed in
    session: aiohttp.ClientSession,
    host: str,
    port: int,
    profiles: Iterable[JsonProfile],
    *,
    credentials: Credentials | None = None,
    scheme: str | None = None,
    clock: Callable[[], float] = time.time,
) -> Identification:
    """Return the meters that the pages of a host show.

    `scheme` is http or https, by default what the port stands for; only families that speak
    it are looked for. Several certain candidates are several meters in one device, told apart
    by their settings.

    Raises MeterAuthError when nothing is found without a password, with the kind that the
    device wants; MeterUnreachableError or MeterSilentError when nobody answers.
    """
    scheme = scheme or ("https" if port in _HTTPS_PORTS else "http")
    named = f"[{host}]" if ":" in host and not host.startswith("[") else host
    web = RememberingWeb(session, f"{scheme}://{named}:{port}", credentials=credentials)
    search = _Search(session, web, clock)
    try:
        async with asyncio.timeout(LONGEST):
            for profile, probe in _in_order(profiles, scheme):
                await search.look_for(profile, probe)
                if search.is_settled:
                    break
    except TimeoutError:
        search.seen.append(f"given up after {LONGEST:g} s")
    return search.result()


async def read_page_as(  # noqa: PLR0913  # what makes up a meter
    session: aiohttp.ClientSession,
    base_url: str,
    profile: JsonProfile,
    *,
    settings: Settings = MappingProxyType({}),
    credentials: Credentials | None = None,
    clock: Callable[[], float] = time.time,
) -> Candidate:
    """Return what answers as a meter of this family, whatever it is. Raises MeterError."""
    meter = HttpJsonMeter(
        session,
        profile,
        base_url=base_url,
        settings=settings,
        credentials=credentials,
        clock=clock,
    )
    reading = await meter.read()
    return Candidate(profile=profile, settings=dict(settings), certain=False, reading=reading)


def _in_order(profiles: Iterable[JsonProfile], scheme: str) -> Iterator[tuple[JsonProfile, Probe]]:
    """Yield the families to look for: first what can be proved, by the pages that tell most."""
    known = [
        (profile, profile.probe)
        for profile in profiles
        if profile.probe is not None and profile.scheme == scheme
    ]
    told = Counter(probe.path for _, probe in known)
    yield from sorted(
        known,
        key=lambda item: (not item[1].certain, -told[item[1].path], item[1].path, item[0].id),
    )


class _Search:
    """What has been found out about one device."""

    def __init__(
        self, session: aiohttp.ClientSession, web: RememberingWeb, clock: Callable[[], float]
    ) -> None:
        self.seen: list[str] = []
        self._session = session
        self._web = web
        self._clock = clock
        self._found: list[Candidate] = []
        self._refusal: MeterAuthError | None = None
        self._is_known = False
        self._silence: MeterSilentError | None = None

    @property
    def is_settled(self) -> bool:
        """Return whether a family is proved, or its password is all that is missing."""
        return self._is_known or any(candidate.certain for candidate in self._found)

    def result(self) -> Identification:
        """Return what was found; raises MeterError when it is nothing and the device says why."""
        if not self._found:
            if self._refusal is not None:
                raise self._refusal
            if self._silence is not None and not self._web.answered:
                raise self._silence
        certain = [candidate for candidate in self._found if candidate.certain]
        likely = sorted(self._found, key=lambda each: -len(each.reading.values))
        return Identification(candidates=tuple(certain or likely), seen=tuple(self.seen))

    async def look_for(self, profile: JsonProfile, probe: Probe) -> None:
        """Take a family's meters into the candidates, if the device is of that family."""
        access = access_of(profile)
        try:
            page = await self._web.get(probe.path, access, probe.headers)
            if profile.refused is not None and _bound(profile.refused).holds(page):
                self._web.insist(access)
                page = await self._web.get(probe.path, access, probe.headers)
        except MeterAuthError as err:
            # A device that says how it wants to be asked counts before a guess at it.
            if self._refusal is None or self._refusal.kind == AuthKind.NONE:
                kind = profile.auth.kind if err.kind == AuthKind.NONE else err.kind
                self._refusal = MeterAuthError(str(err), kind=kind)
            return
        except MeterSilentError as err:
            self._silence = err
            if self._web.gives_up:
                raise
            return
        except MeterUnreachableError:
            if not self._web.answered:
                raise
            return
        except MeterRejectedError, MeterGarbledError:
            return
        self._note(probe.path, page)
        if not _bound(probe.match).holds({"probe": page}):
            return
        try:
            await self._take_instances(profile, probe, page)
        except MeterAuthError as err:
            kind = profile.auth.kind if err.kind == AuthKind.NONE else err.kind
            # Its maker is sure; which of its families it is may show behind the password only.
            self._refusal = MeterAuthError(f"{profile.vendor}: {err}", kind=kind)
            self._is_known = probe.certain
        except MeterError as err:
            self._note_text(f"{profile.title}: {err}")

    async def _take_instances(self, profile: JsonProfile, probe: Probe, page: Any) -> None:
        """Take every meter of a device that is of a known family."""
        usual = {name: value for name, value in profile.settings.items() if value is not None}
        chosen = [dict[str, str | int]()]
        root: dict[str, Any] = {"probe": page, "answer": None}
        if set(usual) == set(profile.settings):
            root["answer"] = combined(profile, await self._meter(profile, usual).pages())
        if probe.instances is not None:
            chosen = list(_instances(probe.instances, root)) or chosen
        for settings in chosen:
            try:
                await self._take(profile, probe, settings, page)
            except MeterAuthError:
                raise
            except (MeterError, ValueError) as err:
                # The others in the device may be well.
                self._note_text(f"{profile.title} {settings or ''}: {err}")

    async def _take(
        self, profile: JsonProfile, probe: Probe, settings: dict[str, str | int], page: Any
    ) -> None:
        """Take one meter, if it has values; raises MeterError, or ValueError for its settings."""
        complete = complete_settings(profile, settings)
        meter = self._meter(profile, settings)
        answer = combined(profile, await meter.pages())
        reading = await meter.read()
        if not reading.values:
            return
        root = {"probe": page, "answer": answer}
        said = {
            key: text_of(path.bound(complete).find(root)) for key, path in profile.identity.items()
        }
        self._found.append(
            Candidate(
                profile=profile,
                settings=settings,
                certain=probe.certain,
                reading=reading,
                manufacturer=said.get("manufacturer", ""),
                model=said.get("model", ""),
                serial=said.get("serial", ""),
            )
        )

    def _meter(self, profile: JsonProfile, settings: Settings) -> HttpJsonMeter:
        return HttpJsonMeter(
            self._session,
            profile,
            base_url=self._web.base_url,
            settings=settings,
            clock=self._clock,
            web=self._web,
        )

    def _note(self, path: str, page: Any) -> None:
        """Keep what a page says, for people who have to find out what it is."""
        shown = repr(page)
        self._note_text(f"{path}: {shown[:_SHOWN]}{'…' if len(shown) > _SHOWN else ''}")

    def _note_text(self, text: str) -> None:
        if text not in self.seen:
            self.seen.append(text)


def _instances(instances: Instances, root: Mapping[str, Any]) -> Iterator[dict[str, str | int]]:
    """Yield the settings of each meter in a device."""
    match _bound(instances.among).find(root):
        case bool():
            return
        case int() as number:
            for place in range(min(number, _MOST_INSTANCES)):
                yield {instances.setting: place}
        case list() as names:
            for name in names[:_MOST_INSTANCES]:
                if isinstance(name, str) and name.startswith(instances.prefix):
                    rest = name.removeprefix(instances.prefix)
                    # What is left of `em1:0` is a number, a name that people gave is none.
                    channel = bool(instances.prefix) and rest.isascii() and rest.isdecimal()
                    yield {instances.setting: int(rest) if channel else rest}


def text_of(raw: object) -> str:
    """Return what a device says of itself as a text, empty where it says nothing."""
    if isinstance(raw, bool) or not isinstance(raw, str | int):
        return ""
    text = str(raw).strip()
    return "" if text.lower() in ("n.a.", "n/a", "unknown") else text[:100]


def _bound(path: Path) -> Any:
    return path.bound({})
