"""Whatever comes late, twice or never: each id has one certificate, and each key one id."""

from contextlib import ExitStack
from pathlib import Path
import tempfile
from typing import Any

from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
import pytest

from custom_components.carbon_meter.community.authority import keys
from custom_components.carbon_meter.community.authority.certificates import DAY
from custom_components.carbon_meter.community.contract.certificates import Declined, Issued, Wanted
from custom_components.carbon_meter.community.hub.desk import DeskError
from custom_components.carbon_meter.community.hub.registry import Registry, State
from tests.community.hub.street import COMMUNITY, ZONE, Street, moment


class DeskMachine(RuleBasedStateMachine):
    """Homes that ask, again and out of turn, at a desk that loses its broker and is restarted."""

    homes = Bundle("homes")
    requests = Bundle("requests")

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self.street = Street(folder, now=moment(2026, 11, 5))
        self.answers: dict[tuple[str, str, Wanted], Issued] = {}
        """What was issued, by who asked for which key."""

        self.used: dict[str, str] = {}
        """For which key an invitation was used."""

        self.rotated: dict[str, str] = {}
        """With which key a home has asked for another id."""

        self.coming: list[str] = []
        """Other ids that homes have been given."""

    def teardown(self) -> None:
        self.street.close()
        self._stack.close()

    @initialize(target=homes)
    def first_home(self) -> Any:
        home = self.street.desk.invite(self.street.now).home
        self.come_in(home)
        return home

    @rule(target=homes)
    def invite(self) -> Any:
        try:
            return self.street.desk.invite(self.street.now).home
        except DeskError:
            assert self.street.doors.away
            return multiple()

    @rule(home=homes)
    def invite_again(self, home: str) -> None:
        try:
            self.street.desk.reinvite(home, self.street.now)
        except DeskError:
            return
        self.used.pop(home, None)

    @rule(target=requests, home=homes, wanted=st.sampled_from(Wanted))
    def ask(self, home: str, wanted: Wanted) -> Any:
        """Ask for the certificate of a new key."""
        request = home, keys.new_key(), wanted
        self._ask(request)
        return request

    @rule(request=requests)
    def ask_again(self, request: tuple[str, str, Wanted]) -> None:
        """Send the same request again: its answer was lost, or it comes late."""
        self._ask(request)

    @rule(target=requests, request=requests, home=homes, wanted=st.sampled_from(Wanted))
    def ask_with_a_used_key(
        self, request: tuple[str, str, Wanted], home: str, wanted: Wanted
    ) -> Any:
        changed = home, request[1], wanted
        self._ask(changed)
        return changed

    @rule(home=homes)
    def come_in(self, home: str) -> None:
        """Go all the way, as far as this home may."""
        self.street.doors.away = False
        self._ask((home, keys.new_key(), Wanted.ENROL))
        self.speak(home)
        self.street.now += 700

    @precondition(lambda self: self.coming)
    @rule(target=homes)
    def learn_the_next_id(self) -> Any:
        return self.coming.pop()

    def _ask(self, request: tuple[str, str, Wanted]) -> None:
        home, key, wanted = request
        try:
            answer = self.street.ask(home, key, wanted)
        except DeskError:
            assert self.street.doors.away
            return
        if isinstance(answer, Declined):
            return
        assert keys.matches(key, answer.certificate)
        assert (answer.subject == home) == (wanted is not Wanted.ROTATE)
        first = request not in self.answers
        known = {asked[1] for asked in self.answers if asked[0] == home}
        before = self.answers.setdefault(request, answer)
        assert before.subject == answer.subject
        if wanted is Wanted.ENROL and key not in known:
            assert self.used.setdefault(home, key) == key
        if wanted is Wanted.ROTATE:
            assert before.certificate == answer.certificate
            assert self.rotated.setdefault(home, key) == key
            if first:
                self.coming.append(answer.subject)

    @rule(home=homes)
    def speak(self, home: str) -> None:
        """A home that is let in sends its consent."""
        if home in self.street.doors.homes and not self.street.doors.away:
            self.street.desk.heard(home, self.street.now)
            self.street.desk.consented(home, self.street.now)

    @rule(home=consumes(homes), is_expelled=st.booleans())
    def go(self, home: str, is_expelled: bool) -> None:
        """A home leaves, or has to; what it sends later is in vain."""
        if self.street.doors.away:
            return
        if is_expelled:
            self.street.desk.expel(home, self.street.now)
        else:
            self.street.ledger.withdraw(home)
            self.street.desk.withdrawn(home)
            self.street.desk.withdraw(home, self.street.now)
        assert home not in self.street.doors.homes
        assert not self.street.desk.consented(home, self.street.now)

    @rule(
        event=st.sampled_from(["turn", "restart", "broker", "wait"]),
        days=st.sampled_from([0, 0, 1, 5, 30]),
    )
    def happen(self, event: str, days: int) -> None:
        match event:
            case "restart":
                self.street.restart()
            case "broker":
                self.street.doors.away = not self.street.doors.away
            case "wait":
                self.street.now += days * DAY + 700
            case "turn":
                try:
                    self.street.desk.turn(self.street.now)
                except DeskError:
                    assert self.street.doors.away

    @invariant()
    def each_id_has_one_certificate_and_each_key_one_id(self) -> None:
        registry = Registry(
            self.street.folder / "desk.db", {"community": COMMUNITY, "zone": ZONE.key}
        )
        try:
            held = [
                certificate
                for home in registry.homes()
                if (certificate := registry.certificate(home.id)) is not None
            ]
            states = {home.id: home.state for home in registry.homes()}
            members = {home.id for home in registry.homes() if home.is_member}
        finally:
            registry.close()
        assert len({certificate.key for certificate in held}) == len(held)
        for certificate in held:
            assert keys.subject_of(certificate.pem) == certificate.home
            public = keys.certificate_in(certificate.pem).public_key()
            assert keys.fingerprint(public) == certificate.key
        # Who is let in is known, and is or was a member, or may become one.
        let_in = {State.ENROLLED, State.LEFT, State.WITHDRAWN}
        for home in self.street.doors.homes:
            assert states[home] in let_in
        for home, state in states.items():
            if state is State.ENROLLED:
                assert home in self.street.doors.homes
            if state is State.NEXT:
                assert home not in self.street.doors.homes
                assert home not in members
        assert members <= set(self.street.ledger.homes) | {
            home for home in members if states[home] not in {State.ENROLLED, State.LEFT}
        }


@pytest.mark.clause("CM-41", "CM-44")
def test_any_course_of_things_leaves_one_certificate_for_each_id() -> None:
    run_state_machine_as_test(
        DeskMachine,
        settings=settings(
            max_examples=25,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
