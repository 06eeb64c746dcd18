"""The flow of a membership: an invitation, what it asks for, consent, and the joining itself."""

import asyncio
from typing import Any, Final, override

from homeassistant.config_entries import SOURCE_RECONFIGURE, SubentryFlowResult
from homeassistant.core import callback
import probatio

from ..community.authority.invitation import Invitation, InvitationError, read_invitation
from ..community.member.agreed import Agreed
from ..community.member.enrol import join
from ..community.member.errors import EnrolmentError, MemberError
from ..const import LOGGER
from ..drivers.clock import now
from ..entries import is_hub
from ..membership.files import member_folder
from ..membership.keys import (
    CONF_COMMUNITY,
    DATA_JOINING,
    SUBENTRY_MEMBERSHIP,
    agreed_of,
    membership_data,
)
from .membership_changes import ChangeSteps
from .membership_forms import (
    CONF_CONFIRM,
    CONF_FILE,
    CONF_INVITATION,
    Wanted,
    async_asked,
    async_text_of,
    confirm_schema,
    invitation_schema,
)
from .progress import visibly

type Input = dict[str, Any] | None

_MQTT: Final = "mqtt"


class MembershipSubentryFlow(ChangeSteps):
    """Join a community, see what it is told, agree to something else, or leave."""

    _invitation: Invitation | None = None
    _joining: asyncio.Task[None] | None = None
    _joined = False
    _is_stopped = False
    """Whether the membership waits for the end of this, out of work."""

    _failure: tuple[str, str] = ("unknown", "")
    """Why joining has failed: a key, and what was heard."""

    async def async_step_user(self, user_input: Input = None) -> SubentryFlowResult:
        """Ask for the invitation."""
        if self.memberships is None:
            return self.async_abort(reason="not_loaded")
        errors: dict[str, str] = {}
        if user_input is not None:
            text = await async_text_of(self.hass, user_input)
            field = CONF_FILE if CONF_FILE in user_input else CONF_INVITATION
            if text is None:
                errors = {"base": "invitation_missing"}
            else:
                try:
                    self._invitation = read_invitation(text, now())
                except InvitationError as err:
                    errors = {field: f"invitation_{err.reason}"}
                else:
                    return await self._async_invited(self._invitation)
        # A file that was uploaded is gone by now.
        typed = {CONF_INVITATION: (user_input or {}).get(CONF_INVITATION)}
        return self.async_show_form(
            step_id="user",
            data_schema=self.add_suggested_values_to_schema(invitation_schema(), typed),
            errors=errors,
        )

    async def _async_invited(self, invitation: Invitation) -> SubentryFlowResult:
        """Go on with an invitation that can be read, unless it leads nowhere."""
        memberships = self.memberships
        present = () if memberships is None else await memberships.source.async_flows()
        self.wanted = Wanted(
            community=invitation.community,
            name=invitation.name,
            home=invitation.home,
            level=invitation.level,
            shortest=invitation.duration,
            flows=tuple(flow for flow in present if flow in invitation.flows),
            own_broker=invitation.broker is None,
            is_hub=is_hub(self._get_entry()),
        )
        if (reason := self._useless(invitation)) is not None:
            return self.async_abort(
                reason=reason, description_placeholders={"community": invitation.name}
            )
        if self.source == SOURCE_RECONFIGURE:
            if self.is_for_other_name(invitation.home):
                return await self.async_step_other_name()
            return await self.async_step_joining()
        return await self.async_step_choices()

    async def async_step_other_name(self, user_input: Input = None) -> SubentryFlowResult:
        """Say what is lost under another name; go on if somebody wants that."""
        errors: dict[str, str] = {}
        if user_input is not None:
            if user_input[CONF_CONFIRM]:
                return await self.async_step_joining()
            errors = {CONF_CONFIRM: "other_name_not_confirmed"}
        home, waiting = self.untold
        return self.async_show_form(
            step_id="other_name",
            data_schema=confirm_schema(),
            errors=errors,
            description_placeholders={
                "community": self._invited.name,
                "home": home,
                "waiting": str(waiting),
            },
        )

    def _useless(self, invitation: Invitation) -> str | None:
        """Return why an invitation leads nowhere, None where it leads somewhere."""
        if invitation.broker is None and not self.hass.config_entries.async_loaded_entries(_MQTT):
            return "no_mqtt"
        if self.source == SOURCE_RECONFIGURE:
            mine = self._get_reconfigure_subentry().data[CONF_COMMUNITY]
            return None if mine == invitation.community else "other_community"
        memberships = self.memberships
        if memberships is not None and memberships.is_leaving(invitation.community):
            return "still_leaving"
        members = self._get_entry().get_subentries_of_type(SUBENTRY_MEMBERSHIP)
        if any(member.data[CONF_COMMUNITY] == invitation.community for member in members):
            return "already_member"
        return None if self.wanted.flows else "nothing_to_tell"

    async def async_step_choices(self, user_input: Input = None) -> SubentryFlowResult:
        """Show what the community asks for; ask what the home shows."""
        said = await async_asked(self.hass, self._invited, self.wanted)
        return await self.async_choose("choices", user_input, said)

    @override
    async def async_agreed(self, agreed: Agreed) -> SubentryFlowResult:
        """Join with what was agreed to; a member goes on with something else."""
        if self._invitation is None:
            return await super().async_agreed(agreed)
        self.agreed = agreed
        return await self.async_step_joining()

    # Joining

    async def async_step_joining(self, user_input: Input = None) -> SubentryFlowResult:
        """Show that the home is joining; closing the window ends it."""
        if self._joining is None:
            # Were it over at once, what was sent with the form would go to the step after it.
            self._joining = self.hass.async_create_task(
                visibly(self._async_join()), "join a community", eager_start=False
            )
        if self._joining.done():
            self._joining = None
            return self.async_show_progress_done(
                next_step_id="joined" if self._joined else "failed"
            )
        return self.async_show_progress(
            step_id="joining",
            progress_action="joining",
            description_placeholders={"community": self._invited.name},
            progress_task=self._joining,
        )

    @property
    def _invited(self) -> Invitation:
        """Return the invitation that was read."""
        if self._invitation is None:
            raise RuntimeError("nobody joins without an invitation")
        return self._invitation

    async def _async_join(self) -> None:
        """Become a member, or note why that cannot be done now."""
        invitation = self._invited
        folder = member_folder(self.hass, self._get_entry().entry_id, invitation.community)
        self.hass.data.setdefault(DATA_JOINING, set()).add(str(folder))
        if self.source == SOURCE_RECONFIGURE:
            subentry = self._get_reconfigure_subentry()
            agreed = agreed_of(subentry.data)
            if self.memberships is not None:
                await self.memberships.all[subentry.subentry_id].async_stop()
                self._is_stopped = True
        else:
            agreed = self.agreed
        try:
            await join(invitation, folder, agreed, now=now, run=self.hass.async_add_executor_job)
        except EnrolmentError as err:
            self._failure = err.reason.value, str(err)
        except MemberError as err:
            self._failure = "store", str(err)
        except Exception:  # noqa: BLE001  # whatever it is: it can be tried again
            LOGGER.exception("Joining %s failed", invitation.name)
            self._failure = "unknown", ""
        else:
            self._joined = True

    async def async_step_failed(self, user_input: Input = None) -> SubentryFlowResult:
        """Say why, and what to do; try again as often as somebody wants to."""
        if user_input is not None:
            return await self.async_step_joining()
        reason, heard = self._failure
        LOGGER.debug("Joining has failed: %s (%s)", reason, heard)
        return self.async_show_form(
            step_id="failed",
            data_schema=probatio.Schema({}),
            errors={"base": f"join_{reason}"},
            description_placeholders={"community": self._invited.name, "error": heard or "-"},
        )

    async def async_step_joined(self, user_input: Input = None) -> SubentryFlowResult:
        """Keep the membership."""
        invitation = self._invited
        if self.source == SOURCE_RECONFIGURE:
            entry = self._get_entry()
            self._is_stopped = False
            self.hass.config_entries.async_schedule_reload(entry.entry_id)
            return self.async_abort(
                reason="joined_again", description_placeholders={"community": invitation.name}
            )
        return self.async_create_entry(
            title=invitation.name,
            data=membership_data(invitation, self.agreed),
            description_placeholders={"community": invitation.name},
            unique_id=invitation.community,
        )

    @callback
    @override
    def async_remove(self) -> None:
        """Let go of what was begun: the flow is over, one way or the other."""
        if self._joining is not None:
            self._joining.cancel()
        if self._invitation is not None:
            entry_id, _ = self.handler
            folder = member_folder(self.hass, entry_id, self._invitation.community)
            self.hass.data.get(DATA_JOINING, set()).discard(str(folder))
            if self._is_stopped:
                # With what it had before.
                self.hass.config_entries.async_schedule_reload(entry_id)
