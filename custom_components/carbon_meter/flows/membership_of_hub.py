"""The flow of a hub that joins a larger community: a home's steps, in words of their own."""

from typing import Any, Final, override

from homeassistant.config_entries import SubentryFlowResult
from homeassistant.core import callback

from ..community.authority.invitation import Invitation
from ..hub_entry.keys import CONF_COMMUNITY
from .membership import MembershipSubentryFlow

_NEUTRAL: Final = frozenset({"already_member", "no_mqtt", "not_kept", "other_community"})
"""Reasons whose words name neither home nor hub."""


class HubMembershipSubentryFlow(MembershipSubentryFlow):
    """Whatever a home can do as a member; each text is that of a home with `hub_` before its key.

    What is shown is sent to the step of that name.
    """

    async_step_hub_user = MembershipSubentryFlow.async_step_user
    async_step_hub_other_name = MembershipSubentryFlow.async_step_other_name
    async_step_hub_choices = MembershipSubentryFlow.async_step_choices
    async_step_hub_change = MembershipSubentryFlow.async_step_change
    async_step_hub_consent = MembershipSubentryFlow.async_step_consent
    async_step_hub_failed = MembershipSubentryFlow.async_step_failed
    async_step_hub_reconfigure = MembershipSubentryFlow.async_step_reconfigure
    async_step_hub_outgoing = MembershipSubentryFlow.async_step_outgoing
    async_step_hub_withdraw = MembershipSubentryFlow.async_step_withdraw

    @override
    def _useless(self, invitation: Invitation) -> str | None:
        """Return why an invitation leads nowhere; to count its own sums again would do that."""
        if invitation.community == self._get_entry().data[CONF_COMMUNITY]:
            return "own_community"
        return super()._useless(invitation)

    @callback
    @override
    def async_show_form(self, *, step_id: str | None = None, **shown: Any) -> SubentryFlowResult:
        """Show the form of a hub."""
        return super().async_show_form(step_id=f"hub_{step_id}", **shown)

    @callback
    @override
    def async_show_menu(self, *, step_id: str | None = None, **shown: Any) -> SubentryFlowResult:
        """Show the menu of a hub."""
        return super().async_show_menu(step_id=f"hub_{step_id}", **shown)

    @callback
    @override
    def async_abort(self, *, reason: str, **shown: Any) -> SubentryFlowResult:
        """End with the words of a hub."""
        own = reason if reason in _NEUTRAL else f"hub_{reason}"
        return super().async_abort(reason=own, **shown)

    @callback
    @override
    def async_create_entry(self, **kept: Any) -> SubentryFlowResult:
        """Keep the membership of a hub."""
        return super().async_create_entry(description="hub", **kept)
