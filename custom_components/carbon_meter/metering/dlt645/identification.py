"""Which meters are on a DL/T 645 line: a single one says so, several are searched for."""

from collections.abc import Callable, Iterable
import string
import time
from typing import Final

from ..candidate import Candidate, Identification
from ..errors import MeterError, MeterRejectedError, MeterSilentError
from ..plausibility import is_plausible
from .frames import ANYBODY, FUNCTION, READ, READ_ADDRESS, Frame, is_address, wildcard
from .line import Dlt645Line
from .meter import Dlt645Meter
from .profile import Dlt645Profile

_EVERYBODY_HAS: Final = (0x00010000).to_bytes(4, "little")
"""The counter of energy drawn. A meter that refuses it has told its address as well."""

_COLLISION: Final = 6
"""Bytes of nonsense from which on several meters are taken to have spoken at once; fewer are a
crackle of the line. A frame has at least twelve."""

_MOST_QUESTIONS: Final = 400
"""With which a search ends: some seven minutes on a line where everything collides."""

_PRINTABLE: Final = frozenset(string.ascii_letters + string.digits + string.punctuation + " ")


async def identify_dlt645(
    line: Dlt645Line,
    profiles: Iterable[Dlt645Profile],
    clock: Callable[[], float] = time.time,
    *,
    progress: Callable[[float], None] | None = None,
    window: float = 1.0,
) -> Identification:
    """Return the meters on a line; the serial number of each is its address.

    A single meter answers at once. When several speak at the same time they are searched
    for by the last digits of their numbers, which takes minutes: `progress` is called
    with the part that is done, from 0 to 1. `window` is how many seconds answers to a question
    to all are waited for; the standard allows the meters half a second.

    Raises MeterUnreachableError, or MeterSilentError when nobody answers.
    """
    search = _Search(line, window, progress or (lambda _: None))
    await search.run()
    known = list(profiles)
    candidates: list[Candidate] = []
    seen = [*search.seen]
    for address in search.found:
        seen.append(f"meter {address}")
        try:
            candidates.append((await identify_dlt645_at(line, known, address, clock))[0])
        except MeterError as err:
            seen.append(f"meter {address}: {err}")
    return Identification(candidates=tuple(candidates), seen=tuple(seen))


async def identify_dlt645_at(
    line: Dlt645Line,
    profiles: Iterable[Dlt645Profile],
    address: str,
    clock: Callable[[], float] = time.time,
) -> tuple[Candidate, ...]:
    """Return the meter with this address as each family that fits it, the best one first.

    At least one. Raises MeterError, and ValueError for what is no address.
    """
    found: list[Candidate] = []
    refusal = MeterRejectedError("there is no profile for it", code=None)
    for profile in profiles:
        try:
            found.append(await read_dlt645_as(line, profile, address, clock))
        except MeterRejectedError as err:
            refusal = err
    if not found:
        raise refusal
    # What is read of a single phase fits a meter of three as well.
    several = any(
        item.reading.values.get(key) for item in found for key in ("voltage_l2", "voltage_l3")
    )
    found.sort(
        key=lambda item: (
            item.certain,
            (item.profile.phases > 1) == several,
            len(item.reading.values),
        ),
        reverse=True,
    )
    return tuple(found)


async def read_dlt645_as(
    line: Dlt645Line,
    profile: Dlt645Profile,
    address: str,
    clock: Callable[[], float] = time.time,
) -> Candidate:
    """Return the meter with this address as one of this family.

    Raises MeterError, and ValueError for what is no address.
    """
    reading = await Dlt645Meter(line, profile, address, clock).read()
    said = {
        key: await _text(line, address, identifier) for key, identifier in profile.identity.items()
    }
    return Candidate(
        profile=profile,
        settings={"address": address},
        certain=is_plausible(reading.values, profile.phases),
        reading=reading,
        manufacturer=said.get("manufacturer", ""),
        model=said.get("model", ""),
        serial=address,
    )


async def _text(line: Dlt645Line, address: str, identifier: int) -> str:
    """Return a text of the meter; empty where it has none. The last character comes first."""
    try:
        content = await line.ask(address, identifier)
    except MeterError:
        return ""
    text = "".join(chr(byte) for byte in reversed(content) if byte not in (0x00, 0xFF)).strip()
    return text if _PRINTABLE.issuperset(text) else ""


class _Search:
    """Finds the addresses of the meters on a line."""

    def __init__(self, line: Dlt645Line, window: float, progress: Callable[[float], None]) -> None:
        self.found: list[str] = []
        self.seen: list[str] = []
        self._line = line
        self._window = window
        self._progress = progress
        self._questions = 0

    async def run(self) -> None:
        """Ask everybody, and search where more than one answers."""
        noise = await self._ask(ANYBODY, READ_ADDRESS)
        if not self.found and noise < _COLLISION:
            # Some meters do not tell their address, but answer to any.
            noise = max(noise, await self._ask(ANYBODY, READ, _EVERYBODY_HAS))
        if not self.found and not noise:
            raise MeterSilentError("no meter answers on this line")
        if len(self.found) > 1 or noise >= _COLLISION:
            await self._below("", 0.0, 1.0)
            self._progress(1.0)
        if not self.found:
            self.seen.append(f"{noise} bytes that are no DL/T 645")

    async def _below(self, last_digits: str, done: float, share: float) -> None:
        """Look for all meters whose numbers end like this, two digits further."""
        for number in range(100):
            if self._questions >= _MOST_QUESTIONS:
                self.seen.append(f"the search ended after {_MOST_QUESTIONS} questions")
                return
            self._progress(done + share * number / 100)
            digits = f"{number:02}{last_digits}"
            before = len(self.found)
            noise = await self._ask(wildcard(digits), READ, _EVERYBODY_HAS)
            several = len(self.found) > before + 1 or noise >= _COLLISION
            if several and len(digits) < 12:
                await self._below(digits, done + share * number / 100, share / 100)

    async def _ask(self, address: str, control: int, data: bytes = b"") -> int:
        """Ask all that an address fits, note who answers, and return the noise in between.

        An answer that comes late tells who is there just as well.
        """
        self._questions += 1
        heard = await self._line.ask_all(address, control, data, seconds=self._window)
        for sender in map(_sender, heard.frames):
            if is_address(sender) and sender not in self.found:
                self.found.append(sender)
        return heard.noise


def _sender(frame: Frame) -> str:
    """Return who sent an answer; some repeat the wildcards and say who they are in the data."""
    if not is_address(frame.address) and frame.control & FUNCTION == READ_ADDRESS:
        return frame.data[::-1].hex()
    return frame.address
