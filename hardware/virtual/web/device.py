"""A device with one or more virtual meters, as pages over HTTP or as messages."""

from collections.abc import Iterable
from copy import deepcopy
import json
from typing import Any, Self
from urllib.parse import quote

from custom_components.carbon_meter.metering.json.placeholders import filled
from custom_components.carbon_meter.metering.json.profile import JsonProfile, Request

from ..clock import VirtualClock
from ..household import Household
from .meter import WebMeter, WebMeterSpec
from .models import models


class WebDevice:
    """Meters of one family in one device."""

    def __init__(
        self,
        profile: JsonProfile,
        specs: Iterable[WebMeterSpec],
        household: Household,
        clock: VirtualClock,
    ) -> None:
        """Build the meters; raises ValueError for a family that is not played."""
        if profile.id not in models():
            raise ValueError(f"no model of {profile.id} is played")
        self.profile = profile
        self.model = models()[profile.id]
        self.meters = tuple(WebMeter(spec, profile, self.model, household, clock) for spec in specs)
        self._requests = _served(profile.requests)

    @classmethod
    def alone(
        cls, profile: JsonProfile, household: Household, clock: VirtualClock, **given: Any
    ) -> Self:
        """Return a device with one meter; what is given goes into its spec."""
        return cls(profile, [WebMeterSpec(**given)], household, clock)

    @property
    def meter(self) -> WebMeter:
        """Return the first meter."""
        return self.meters[0]

    def shown_values(self, number: int = 0) -> dict[str, float]:
        """Return what a perfect reader reads of one meter now."""
        return self._filled()[1][number]

    def pages(self) -> dict[str, Any]:
        """Return what is served now: documents by path and query."""
        documents = self._filled()[0]
        pages = {
            filled(request.path, meter.settings, _quoted): documents[request.name]
            for request in self._requests
            for meter in self.meters
            if request.name in documents
        }
        probe = self.profile.probe
        if probe is not None and self.model.probe is not None:
            pages[probe.path] = self.model.probe
        return pages

    def messages(self) -> dict[str, str]:
        """Return what is published now: payloads by topic."""
        documents = self._filled()[0]
        return {
            filled(topic.topic, meter.settings): json.dumps(documents[topic.name])
            for meter in self.meters
            for topic in self.profile.topics
            if topic.select is None and topic.name in documents
        }

    def _filled(self) -> tuple[dict[str, Any], list[dict[str, float]]]:
        """Return the documents by name, and what each meter shows in them."""
        names = {topic.name for topic in self.profile.topics}
        names |= {request.name for request in self._requests}
        pages = {name: deepcopy(page) for name, page in self.model.pages.items() if name in names}
        return pages, [meter.fill(pages) for meter in self.meters]


def _served(requests: Iterable[Request]) -> tuple[Request, ...]:
    """Return the pages that the device has: of alternatives the first."""
    served: dict[str, Request] = {}
    for request in requests:
        if request.name not in served and request.unless not in served:
            served[request.name] = request
    return tuple(served.values())


def _quoted(value: str) -> str:
    return quote(value, safe=":")
