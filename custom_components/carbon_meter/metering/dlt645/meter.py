"""DL/T 645: the data of a profile become a reading."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
import time
from typing import Final

from ..errors import MeterRejectedError, MeterSilentError
from ..readings import Fault, Reading
from .frames import is_address
from .line import Dlt645Line
from .profile import Datum, Dlt645Profile, ImplausibleError

_SILENCES_BEFORE_ABSENT: Final = 2
"""Readings in which a meter has nothing to say to one question, though it answers others."""


class Dlt645Meter:
    """One meter on a DL/T 645 line, read by its profile.

    Data are asked for in the blocks of the profile. A block that the meter does not
    answer is given up for its single data, and those that it does not have are left out
    from then on.
    """

    def __init__(
        self,
        line: Dlt645Line,
        profile: Dlt645Profile,
        address: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Plan the questions.

        `address` is the meter's number of twelve digits: no other meter's answers are
        taken. `clock` gives seconds since 1970 UTC. Raises ValueError for what is no address.
        """
        if not is_address(address):
            raise ValueError(f"{address!r} is not an address of twelve digits")
        self.profile = profile
        self.address = address
        self._line = line
        self._clock = clock
        self._questions = _planned(profile)
        self._proven: set[int] = set()
        self._silences: Counter[int] = Counter()

    @property
    def questions(self) -> int:
        """Return how many questions one full reading takes, as it stands now."""
        return len(self._questions)

    @property
    def absent(self) -> tuple[str, ...]:
        """Return the quantities that this meter does not have."""
        asked = {datum.quantity for question in self._questions for datum in question.data}
        return tuple(key for key in self.profile.quantities if key not in asked)

    async def read(self) -> Reading:
        """Read everything once; the moment is that of the last answer.

        Raises MeterError when the meter cannot be read: WrongMeterError when one with
        another address answers. What the meter does not know now is left out, what it
        says wrongly becomes a fault.
        """
        values: dict[str, float] = {}
        faults: list[Fault] = []
        answered = False
        waiting = list(self._questions)
        while waiting:
            question = waiting.pop(0)
            try:
                content = await self._line.ask(self.address, question.identifier)
            except MeterRejectedError:
                # What has worked before is refused for another reason.
                if question.identifier in self._proven:
                    raise
                answered = True
                waiting[:0] = self._given_up(question)
                continue
            except MeterSilentError:
                if question.identifier in self._proven or not answered:
                    raise
                waiting[:0] = self._unanswered(question)
                continue
            answered = True
            parts = question.parts(content)
            if parts is None and len(question.data) > 1:
                waiting[:0] = self._given_up(question)
                continue
            self._proven.add(question.identifier)
            _decode(question, parts, values, faults)
        if not self._questions:
            self._questions = _planned(self.profile)
            raise MeterRejectedError(
                f"meter {self.address} has none of the data of {self.profile.title}", code=2
            )
        return Reading(time=self._clock(), values=values, faults=tuple(faults))

    def _given_up(self, question: _Question) -> tuple[_Question, ...]:
        """Return what is asked for instead, from now on."""
        singles = question.singles()
        place = self._questions.index(question)
        self._questions[place : place + 1] = singles
        return singles

    def _unanswered(self, question: _Question) -> tuple[_Question, ...]:
        """Return what is asked for instead; one silence is no proof that a datum is missing."""
        self._silences[question.identifier] += 1
        if len(question.data) > 1 or self._silences[question.identifier] >= _SILENCES_BEFORE_ABSENT:
            return self._given_up(question)
        return ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Question:
    """A datum, or a block of several."""

    identifier: int
    data: tuple[Datum, ...]

    def singles(self) -> tuple[_Question, ...]:
        """Return the questions that bring the same one by one; none for a single datum."""
        if len(self.data) == 1:
            return ()
        return tuple(_single(datum) for datum in self.data)

    def parts(self, content: bytes) -> list[bytes] | None:
        """Return the bytes of each datum; None if they are not what is expected.

        A single-phase meter ends a block after its only phase.
        """
        parts: list[bytes] = []
        for datum in self.data:
            if not content:
                break
            part, content = content[: datum.length], content[datum.length :]
            parts.append(part)
        if content or not parts or len(parts[-1]) != self.data[len(parts) - 1].length:
            return None
        return parts


def _single(datum: Datum) -> _Question:
    return _Question(identifier=datum.identifier, data=(datum,))


def _planned(profile: Dlt645Profile) -> list[_Question]:
    """Return the fewest questions; single data come first, every meter has some of those."""
    in_blocks = {key for block in profile.blocks for key in block.quantities}
    singles = [_single(datum) for key, datum in profile.data.items() if key not in in_blocks]
    blocks = [
        _Question(
            identifier=block.identifier, data=tuple(profile.data[key] for key in block.quantities)
        )
        for block in profile.blocks
    ]
    return [*singles, *blocks]


def _decode(
    question: _Question,
    parts: Iterable[bytes] | None,
    values: dict[str, float],
    faults: list[Fault],
) -> None:
    """Add what an answer says to the values and faults of a reading."""
    if parts is None:
        datum = question.data[0]
        faults.append(_fault(datum, "an answer of another length"))
        return
    for datum, raw in zip(question.data, parts, strict=False):
        try:
            value = datum.decode(raw)
        except ImplausibleError as err:
            faults.append(_fault(datum, str(err)))
            continue
        if value is not None:
            values[datum.quantity] = value


def _fault(datum: Datum, reason: str) -> Fault:
    return Fault(quantity=datum.quantity, register=f"data {datum.identifier:08X}", reason=reason)
