"""What an operator would forget: audits, certificates that end, a dead link, a full disk."""

import asyncio
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..community.authority import keys
from ..community.authority.errors import AuthorityError
from ..community.hub.desk import DeskError
from ..community.hub.status import WorkerState, WorkerStatus
from ..community.ledger.database import LedgerError
from ..const import LOGGER
from ..repair_issue import RepairIssue
from .files import Opened
from .homes import HubHomes
from .invitation_files import community_folder
from .keys import CONF_COMMUNITY, HUB_ISSUE
from .own_thread import OwnThread

CARE_INTERVAL: Final = timedelta(minutes=5)

AUDIT_HOUR: Final = 3
"""Of the local day: when all sums are worked out again."""

_LINK_PATIENCE: Final = 3600.0
"""Seconds without the broker until somebody is told: homes keep what they have to say."""

_MOST_NAMED: Final = 10
"""Homes in one text."""

_ENDS_SOON: Final = 30 * 86400
"""Seconds before the end of a certificate at which somebody is told."""

_UP: Final = frozenset({WorkerState.CONNECTED, WorkerState.STARTING})

_ISSUES: Final = ("link", "certificate", "recompute", "store", "flood")
_WARNINGS: Final = ("certificate", "flood")

_FAILURES: Final = (LedgerError, DeskError, AuthorityError, OSError)


class Care:
    """Looks after one hub, and tells by repair issues what needs somebody."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        opened: Opened,
        homes: HubHomes,
        thread: OwnThread,
    ) -> None:
        """Begin with nothing to tell."""
        self._hass = hass
        self._entry = entry
        self._opened = opened
        self._homes = homes
        self._thread = thread
        self._audited: date | None = dt_util.now().date()
        self._crl_written: date | None = None
        self.auditing = asyncio.Lock()
        self.wrong: int | None = None
        """Rows that the last audit had to put right; None before the first."""

        self.quarantined = 0
        self._quarantined_at: int | None = None

    async def async_run(self, now: datetime, status: WorkerStatus) -> None:
        """Look at everything; called every few minutes."""
        self._look_at_link(now.timestamp(), status)
        self._look_at_certificates(now.timestamp())
        self._look_at_floods(status)
        local = dt_util.as_local(now)
        try:
            await self._homes.async_refresh()
            if self._quarantined_at != status.counts.quarantined:
                self._quarantined_at = status.counts.quarantined
                self.quarantined = len(
                    await self._hass.async_add_executor_job(self._opened.core.ledger.quarantined)
                )
            if self._crl_written != local.date():
                await self.async_write_crl()
                self._crl_written = local.date()
            if local.hour == AUDIT_HOUR and self._audited != local.date():
                self._audited = local.date()
                await self.async_audit()
        except _FAILURES as err:
            self.store_failed(str(err))

    async def async_audit(self) -> int:
        """Work all sums out again; return how many rows were wrong. 0 is what it has to be."""
        async with self.auditing:
            wrong = await self._thread.async_run(self._opened.core.ledger.recompute)
        self.wrong = wrong
        if wrong:
            LOGGER.error("%s: %s sums were wrong and were put right", self._entry.title, wrong)
            self._tell("recompute", rows=str(wrong))
        else:
            self._take_back("recompute")
        return wrong

    async def async_look_after_crl(self) -> None:
        """Write the list; a failure is told and does not undo what was done before."""
        try:
            await self.async_write_crl()
        except _FAILURES as err:
            self.store_failed(str(err))

    async def async_write_crl(self) -> None:
        """Write the list of revoked certificates where the broker's operator finds it."""
        if self._opened.hub_file is None:
            return
        folder = community_folder(self._hass, self._entry.data[CONF_COMMUNITY])

        def write() -> None:
            text = self._opened.desk.crl_pem(dt_util.utcnow().timestamp())
            folder.mkdir(parents=True, exist_ok=True)
            _replace(folder / "crl.pem", text)

        await self._hass.async_add_executor_job(write)

    @callback
    def store_failed(self, error: str) -> None:
        """Tell that a file cannot be read or written; messages wait with the broker meanwhile."""
        LOGGER.error("%s: %s", self._entry.title, error)
        self._tell("store", error=error)

    @callback
    def store_works(self, status: WorkerStatus) -> None:
        """Tell or take back what the link says of the files."""
        if status.state is WorkerState.STORE:
            self._tell("store", error=status.error or "-")
        elif status.state is WorkerState.CONNECTED:
            self._take_back("store")

    def _look_at_link(self, now: float, status: WorkerStatus) -> None:
        """Tell of a link that has been down for long."""
        if status.state in _UP:
            self._take_back("link")
        elif now - status.since > _LINK_PATIENCE:
            since = dt_util.as_local(dt_util.utc_from_timestamp(status.since))
            self._tell(
                "link",
                since=since.strftime("%Y-%m-%d %H:%M"),
                error=status.error or status.state.value,
            )

    def _look_at_floods(self, status: WorkerStatus) -> None:
        """Tell of homes that the broker keeps out for a while."""
        if status.counts.cut:
            self._tell("flood", homes=", ".join(status.counts.cut[:_MOST_NAMED]))
        else:
            self._take_back("flood")

    def _look_at_certificates(self, now: float) -> None:
        """Tell of a certificate that ends soon: then no home can be heard any more."""
        hub_file = self._opened.hub_file
        if hub_file is None:
            return
        ends = min(keys.ends(hub_file.certificate), keys.ends(hub_file.authorities))
        if ends - now < _ENDS_SOON:
            day = dt_util.as_local(dt_util.utc_from_timestamp(ends)).date()
            self._tell("certificate", day=day.isoformat())
        else:
            self._take_back("certificate")

    def _tell(self, what: str, **told: str) -> None:
        """Raise a repair issue."""
        issue = _issue(self._hass, self._entry.entry_id, what)
        issue.tell(f"hub_{what}", {"hub": self._entry.title, **told})

    def _take_back(self, what: str) -> None:
        """Withdraw a repair issue."""
        _issue(self._hass, self._entry.entry_id, what).clear()


@callback
def async_forget_issues(hass: HomeAssistant, entry_id: str) -> None:
    """Take back whatever was told of a hub that is removed."""
    for what in _ISSUES:
        _issue(hass, entry_id, what).clear()


def _issue(hass: HomeAssistant, entry_id: str, what: str) -> RepairIssue:
    return RepairIssue(hass, f"{HUB_ISSUE}{what}_{entry_id}", warns=what in _WARNINGS)


def _replace(path: Path, text: str) -> None:
    """Write a file in one go."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)
