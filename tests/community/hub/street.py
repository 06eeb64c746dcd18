"""A community at a desk: its homes with their keys, and a broker's doors."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from custom_components.carbon_meter.community.authority import keys
from custom_components.carbon_meter.community.authority.authority import Authority
from custom_components.carbon_meter.community.authority.broker import Broker
from custom_components.carbon_meter.community.contract.certificates import (
    CertificateAnswer,
    Issued,
    SigningRequest,
    Wanted,
    read_certificate,
    write_certificate,
)
from custom_components.carbon_meter.community.contract.message import Flow, Level
from custom_components.carbon_meter.community.hub.control import ControlError
from custom_components.carbon_meter.community.hub.desk import Desk
from custom_components.carbon_meter.community.hub.members import Terms
from custom_components.carbon_meter.community.ledger.ledger import Ledger

ZONE = ZoneInfo("Europe/Berlin")
COMMUNITY = "street"
TERMS = Terms(
    name="Sunny Street",
    broker=Broker(host="broker.example", port=8883, enrol_port=8884),
    level=Level.PSEUDONYM,
    duration=3600,
    flows=(Flow.GRID_IMPORT, Flow.PV),
)


def moment(*parts: int) -> float:
    """Return a local time of the community."""
    return datetime(*parts, tzinfo=ZONE).timestamp()


@dataclass
class Doors:
    """Who may go in at the broker, by what it was told; told nothing while it is `away`."""

    tokens: dict[str, str] = field(default_factory=dict)
    homes: list[str] = field(default_factory=list)
    """In the order in which they came to be let in."""

    put_out: set[str] = field(default_factory=set)
    """Whom the broker was told to remember as put out."""

    marked: set[str] = field(default_factory=set)
    """Of whom it was told to remember that all was deleted."""

    away: bool = False
    told: int = 0

    def invited(self, home: str, token: str) -> None:
        self._hear()
        self.tokens[home] = token

    def enrolled(self, home: str) -> None:
        self._hear()
        if home not in self.homes:
            self.homes.append(home)

    def settled(self, home: str) -> None:
        self._hear()
        self.tokens.pop(home, None)

    def gone(self, home: str) -> None:
        self._hear()
        self.tokens.pop(home, None)
        if home in self.homes:
            self.homes.remove(home)

    def revoked(self, home: str) -> None:
        self.gone(home)
        self.put_out.add(home)

    def withdrawn(self, home: str) -> None:
        self._hear()
        self.marked.add(home)

    def _hear(self) -> None:
        if self.away:
            raise ControlError("no connection")
        self.told += 1


class Street:
    """The desk with everything behind it; `restart` opens all files again."""

    def __init__(self, folder: Path, *, now: float, own_broker: bool = False) -> None:
        self.folder = folder
        self.now = now
        self.doors = Doors()
        self._own_broker = own_broker
        if not own_broker:
            Authority.create(folder / "authority", "Sunny Street", now=now)
        self.open()

    def open(self) -> None:
        self.ledger = Ledger(self.folder / "ledger.db", community=COMMUNITY, zone=ZONE)
        self.authority = None if self._own_broker else Authority.load(self.folder / "authority")
        self.desk = Desk(
            self.folder / "desk.db",
            community=COMMUNITY,
            zone=ZONE,
            authority=self.authority,
            control=self.doors,
            ledger=self.ledger,
            terms=TERMS,
        )

    def close(self) -> None:
        self.desk.close()
        self.ledger.close()

    def restart(self) -> None:
        self.close()
        self.open()

    def ask(self, home: str, key: str, wanted: Wanted) -> CertificateAnswer:
        """Ask for a certificate, and get the answer by way of the wire."""
        request = SigningRequest(
            community=COMMUNITY,
            home=home,
            at=int(self.now * 1000),
            wanted=wanted,
            csr=keys.csr_for(key, home),
        )
        answer = self.desk.signing(request, self.now)
        assert read_certificate(*write_certificate(answer)) == answer
        return answer

    def issued(self, home: str, key: str, wanted: Wanted) -> Issued:
        """Ask for a certificate, and get one that is right."""
        answer = self.ask(home, key, wanted)
        assert isinstance(answer, Issued), answer
        assert keys.matches(key, answer.certificate)
        assert keys.is_signed(answer.certificate, answer.authorities)
        assert keys.subject_of(answer.certificate) == answer.subject
        assert keys.begins(answer.certificate) == answer.begins
        assert keys.ends(answer.certificate) == answer.ends
        assert (answer.subject == home) == (wanted is not Wanted.ROTATE)
        return answer

    def join(self, **where: object) -> tuple[str, str]:
        """Return id and key of a home that has gone all the way in."""
        home = self.desk.invite(self.now, **where).home  # type: ignore[arg-type]
        key = keys.new_key()
        self.issued(home, key, Wanted.ENROL)
        self.desk.heard(home, self.now)
        assert self.desk.consented(home, self.now)
        return home, key
