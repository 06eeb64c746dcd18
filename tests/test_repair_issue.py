"""Repair issues, as everybody tells them."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.repair_issue import RepairIssue


async def test_an_issue_is_told_replaced_and_taken_back(hass: HomeAssistant) -> None:
    registry = ir.async_get(hass)
    issue = RepairIssue(hass, "archive_failed_x")
    issue.clear()
    issue.tell("archive_failed", {"error": "one"})
    issue.tell("meter_auth", {"meter": "two"})
    [told] = registry.issues.values()
    assert (told.domain, told.issue_id) == (DOMAIN, "archive_failed_x")
    assert told.translation_key == "meter_auth"
    assert told.translation_placeholders == {"meter": "two"}
    assert told.severity is ir.IssueSeverity.ERROR
    assert not told.is_fixable
    assert not told.is_persistent
    issue.clear()
    assert not registry.issues


async def test_what_only_warns_persists_or_is_the_fault_of_others_says_so(
    hass: HomeAssistant,
) -> None:
    RepairIssue(hass, "a", warns=True).tell("membership_not_withdrawn", {}, persists=True)
    RepairIssue(hass, "b").tell("plugin", {}, about="hue")
    registry = ir.async_get(hass)
    warning, fault = (registry.async_get_issue(DOMAIN, name) for name in ("a", "b"))
    assert warning.severity is ir.IssueSeverity.WARNING
    assert warning.is_persistent
    assert warning.issue_domain is None
    assert fault.issue_domain == "hue"
