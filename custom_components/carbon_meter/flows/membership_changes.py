"""The steps of a household that is a member, and of consent: choose, read, agree."""

import asyncio
from typing import Any, Final

from homeassistant.config_entries import (
    ConfigSubentryFlow,
    SubentryFlowResult,
)
import probatio

from ..community.contract.message import Level
from ..community.member.agreed import Agreed
from ..community.member.errors import MemberError
from ..community.member.status import MemberState
from ..community.outbox.errors import OutboxError
from ..entries import is_hub
from ..membership.keys import (
    CONF_ASKED,
    CONF_BROKER,
    CONF_COMMUNITY,
    CONF_COMMUNITY_NAME,
    CONF_DURATION,
    CONF_FLOWS,
    CONF_LEVEL,
    agreed_data,
)
from ..membership.membership import Membership
from ..membership.memberships import Memberships, memberships_of
from ..membership.preview import async_preview
from ..membership.words import words
from .membership_forms import (
    CONF_AGREED,
    CONF_CONFIRM,
    Wanted,
    agreed_in,
    agreed_schema,
    async_chosen,
    async_told,
    choices_schema,
    confirm_schema,
)
from .membership_messages import Messages, moment
from .progress import visibly

type Input = dict[str, Any] | None

_NEXT: Final = 3
"""Messages that are shown before they leave; the live view has more."""

_PATIENCE: Final = 15.0
"""Seconds for a hub to say that everything is deleted; after that it goes on without a window."""

_ENDED: Final = frozenset({MemberState.EXPIRED, MemberState.NOT_AUTHORIZED})
"""States out of which a new invitation leads."""

_LEFT: Final = frozenset({MemberState.WITHDRAWN, MemberState.UNCONFIRMED})
"""States of a home that has left, as far as it can."""


class ChangeSteps(ConfigSubentryFlow):
    """What somebody chooses and agrees to, and what a member can do."""

    wanted: Wanted
    """What can be chosen."""

    agreed: Agreed
    """What was chosen, and then agreed to."""

    _leaving: asyncio.Task[None] | None = None

    @property
    def memberships(self) -> Memberships | None:
        """Return the memberships of the entry, None while it is not loaded."""
        return memberships_of(self.hass, self._get_entry())

    # Consent

    async def async_choose(
        self, step_id: str, user_input: Input, said: dict[str, str]
    ) -> SubentryFlowResult:
        """Ask what the home shows, within what the community asks for; `said` is in the text."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self.agreed = agreed_in(user_input, self.wanted)
            if self.agreed.flows:
                return await self.async_step_consent()
            errors = {CONF_FLOWS: "no_flows"}
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(
                choices_schema(self.wanted), user_input
            ),
            errors=errors,
            description_placeholders=said,
        )

    async def async_step_consent(self, user_input: Input = None) -> SubentryFlowResult:
        """Show the words and the exact next message; nothing happens without consent."""
        errors: dict[str, str] = {}
        if user_input is not None:
            if user_input[CONF_AGREED]:
                return await self.async_agreed(self.agreed)
            errors = {CONF_AGREED: "not_agreed"}
        return self.async_show_form(
            step_id="consent",
            data_schema=agreed_schema(),
            errors=errors,
            description_placeholders={
                "community": self.wanted.name,
                "words": words(self.agreed.text, self.hass.config.language),
                "message": await self._async_example(),
                **await async_chosen(self.hass, self.agreed, self.wanted),
            },
        )

    async def _async_example(self) -> str:
        """Return the message that would leave with what was chosen."""
        memberships = self.memberships
        found = None
        if memberships is not None:
            found = await async_preview(
                self.hass,
                memberships.source,
                self.wanted.community,
                self.wanted.home,
                self.agreed,
            )
        messages = await Messages.async_in_language(self.hass)
        return messages.example(found)

    async def async_agreed(self, agreed: Agreed) -> SubentryFlowResult:
        """Let a member go on with what was agreed to now."""
        membership = self._membership
        if membership is None or membership.link is None:
            return self.async_abort(reason="not_loaded")
        try:
            await membership.link.change(agreed)
        except (MemberError, OutboxError) as err:
            return self.async_abort(reason="not_kept", description_placeholders={"error": str(err)})
        return self.async_update_and_abort(
            self._get_entry(),
            self._get_reconfigure_subentry(),
            data_updates=agreed_data(agreed),
            reason="consent_changed",
        )

    # A member

    @property
    def _membership(self) -> Membership | None:
        """Return the membership that is looked at, None while the entry is not loaded."""
        memberships = self.memberships
        if memberships is None:
            return None
        return memberships.all.get(self._get_reconfigure_subentry().subentry_id)

    @property
    def untold(self) -> tuple[str, int]:
        """Return the name of the home in the community, and how much it has yet to tell by it."""
        membership = self._membership
        if membership is None or membership.link is None:
            return "?", 0
        status = membership.link.status
        return status.home, status.waiting + status.out

    def is_for_other_name(self, home: str) -> bool:
        """Return whether an invitation is for another name, and that would lose something."""
        present, waiting = self.untold
        return waiting > 0 and home != present

    async def async_step_reconfigure(self, user_input: Input = None) -> SubentryFlowResult:
        """Ask what a member wants to do."""
        membership = self._membership
        if membership is None or membership.link is None:
            return self.async_abort(reason="not_loaded")
        state = membership.link.status.state
        menu = ["outgoing"]
        if state not in {MemberState.WITHDRAWING, MemberState.WITHDRAWN}:
            menu += ["change", "withdraw"]
        if state in _ENDED:
            menu.append("user")
        return self.async_show_menu(
            step_id="reconfigure",
            menu_options=menu,
            description_placeholders={
                "community": membership.subentry.data[CONF_COMMUNITY_NAME],
                "state": await self._async_named(state),
            },
        )

    async def _async_named(self, state: MemberState) -> str:
        """Return a state as people read it."""
        key = "hub_membership_state" if is_hub(self._get_entry()) else "membership_state"
        return await async_told(self.hass, key, [state.value])

    async def async_step_outgoing(self, user_input: Input = None) -> SubentryFlowResult:
        """Show what has left and what leaves next, exactly; sent again it is shown anew."""
        membership = self._membership
        if membership is None or membership.link is None:
            return self.async_abort(reason="not_loaded")
        link = membership.link
        messages = await Messages.async_in_language(self.hass)
        has_left = link.status.state in {MemberState.WITHDRAWING, *_LEFT}
        return self.async_show_form(
            step_id="outgoing",
            data_schema=probatio.Schema({}),
            description_placeholders={
                "state": await self._async_named(link.status.state),
                "home": link.status.home,
                "waiting": str(link.status.waiting),
                "acknowledged": moment(link.status.acknowledged_at),
                "slot": moment(None if has_left else link.status.next_slot),
                "next": messages.upcoming(await link.upcoming(_NEXT), has_left=has_left),
                "messages": messages.left(link.outgoing),
            },
        )

    async def async_step_change(self, user_input: Input = None) -> SubentryFlowResult:
        """Choose something else; that is a new consent."""
        membership = self._membership
        if membership is None or membership.link is None:
            return self.async_abort(reason="not_loaded")
        data, link = membership.subentry.data, membership.link
        asked = data[CONF_ASKED]
        present = await membership.source.async_flows()
        self.wanted = Wanted(
            community=data[CONF_COMMUNITY],
            name=data[CONF_COMMUNITY_NAME],
            home=link.status.home,
            level=Level(asked[CONF_LEVEL]),
            shortest=asked[CONF_DURATION],
            flows=tuple(flow for flow in present if flow.value in asked[CONF_FLOWS]),
            own_broker=data[CONF_BROKER] is None,
            is_hub=is_hub(self._get_entry()),
            present=link.status.agreed,
        )
        return await self.async_choose("change", user_input, {"community": self.wanted.name})

    async def async_step_withdraw(self, user_input: Input = None) -> SubentryFlowResult:
        """Say what leaving does, and leave when it is confirmed."""
        membership = self._membership
        if membership is None or membership.link is None:
            return self.async_abort(reason="not_loaded")
        errors: dict[str, str] = {}
        if user_input is not None:
            if user_input[CONF_CONFIRM]:
                try:
                    await membership.link.withdraw()
                except (MemberError, OutboxError) as err:
                    return self.async_abort(
                        reason="not_kept", description_placeholders={"error": str(err)}
                    )
                return await self.async_step_withdrawing()
            errors = {CONF_CONFIRM: "not_confirmed"}
        return self.async_show_form(
            step_id="withdraw",
            data_schema=confirm_schema(),
            errors=errors,
            description_placeholders={"community": membership.subentry.data[CONF_COMMUNITY_NAME]},
        )

    async def async_step_withdrawing(self, user_input: Input = None) -> SubentryFlowResult:
        """Wait a moment for the hub."""
        if self._leaving is None:
            self._leaving = self.hass.async_create_task(
                visibly(self._async_left()), "leave a community", eager_start=False
            )
        if self._leaving.done():
            return self.async_show_progress_done(next_step_id="withdrawn")
        return self.async_show_progress(
            step_id="withdrawing",
            progress_action="withdrawing",
            progress_task=self._leaving,
        )

    async def _async_left(self) -> None:
        """Return when the hub has deleted everything, or does not answer soon."""
        membership = self._membership
        if membership is None:
            return
        changed = asyncio.Event()
        stop = membership.async_add_listener(changed.set)
        try:
            async with asyncio.timeout(_PATIENCE):
                while membership.link is not None and membership.link.status.state not in _LEFT:
                    await changed.wait()
                    changed.clear()
        except TimeoutError:
            pass
        finally:
            stop()

    async def async_step_withdrawn(self, user_input: Input = None) -> SubentryFlowResult:
        """Say how far it has come."""
        membership = self._membership
        link = None if membership is None else membership.link
        state = None if link is None else link.status.state
        if link is not None and state is MemberState.UNCONFIRMED:
            homes = {"homes": ", ".join(link.status.homes)}
            return self.async_abort(reason="unconfirmed", description_placeholders=homes)
        is_done = state is MemberState.WITHDRAWN
        return self.async_abort(reason="withdrawn" if is_done else "withdrawing")
