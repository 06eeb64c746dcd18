"""The actions `carbon_meter.simulate` and `carbon_meter.cancel_simulation`: the decision of a site.

What it could do is simulated over what was recorded, over the forecast, or over both, and ranked.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, cast

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
import probatio

from .const import CONF_SITE, DOMAIN
from .loads.chosen import Chosen, async_loads, async_site
from .loads.plan_response import local, local_time, rounded
from .planning.alternatives import Way
from .planning.explain import Speaker, explain_alternative, explain_choice
from .planning.objective import Goal
from .planning.simulate import (
    Assessed,
    Cancellation,
    Choice,
    Preference,
    Progress,
    simulate_turns,
)
from .refusals import refused
from .report_notes import async_words
from .simulation.days import Scene, Staged, staged
from .simulation.site import async_scene

SERVICE_CANCEL_SIMULATION: Final = "cancel_simulation"
SERVICE_SIMULATE: Final = "simulate"

CONF_ALTERNATIVES: Final = "alternatives"
CONF_DIMMED: Final = "dimmed"
CONF_DISCOMFORT: Final = "discomfort"
CONF_END: Final = "end"
CONF_GOAL: Final = "goal"
CONF_LOADS: Final = "loads"
CONF_START: Final = "start"

_USUAL: Final = 86400.0
"""Seconds that are simulated where nothing is told: the next day."""

_LONGEST: Final = 3 * 366 * 86400.0
_AHEAD: Final = 3 * 86400.0
"""Seconds: of a simulation, and as far ahead as forecasts reach."""

_LEAST: Final = 3600.0
"""Seconds of a simulation."""

_NO_LESS: Final = probatio.All(probatio.Coerce(float), probatio.Range(min=0.0, max=1e6))

_SCHEMA: Final = probatio.Schema(
    {
        probatio.Optional(CONF_SITE): cv.string,
        probatio.Optional(CONF_START): cv.datetime,
        probatio.Optional(CONF_END): cv.datetime,
        probatio.Optional(CONF_LOADS, default=list): probatio.All(cv.ensure_list, [cv.string]),
        probatio.Optional(CONF_DISCOMFORT, default=0.0): _NO_LESS,
        probatio.Optional(CONF_DIMMED, default=0.0): _NO_LESS,
        probatio.Optional(CONF_GOAL): probatio.Coerce(Goal),
        probatio.Optional(CONF_ALTERNATIVES, default=list): probatio.All(
            cv.ensure_list, [probatio.Coerce(Way)]
        ),
    }
)
_CANCEL_SCHEMA: Final = probatio.Schema({probatio.Optional(CONF_SITE): cv.string})


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Found:
    """What a simulation has brought."""

    staged: Staged
    choice: Choice


@callback
def async_register_simulate(hass: HomeAssistant) -> None:
    """Offer `carbon_meter.simulate` and `carbon_meter.cancel_simulation`."""

    async def simulate(call: ServiceCall) -> ServiceResponse:
        """Return the ranked alternatives of a site."""
        return await _async_simulate(hass, call.data)

    async def cancel_simulation(call: ServiceCall) -> ServiceResponse:
        """Stop what a site simulates; tell whether it did."""
        entry = async_site(hass, call.data.get(CONF_SITE))
        return {"cancelled": entry.runtime_data.simulation.async_cancel()}

    hass.services.async_register(
        DOMAIN, SERVICE_SIMULATE, simulate, _SCHEMA, supports_response=SupportsResponse.ONLY
    )
    hass.services.async_register(
        DOMAIN,
        SERVICE_CANCEL_SIMULATION,
        cancel_simulation,
        _CANCEL_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
    )


async def _async_simulate(hass: HomeAssistant, data: Mapping[str, Any]) -> ServiceResponse:
    """Simulate what was asked for; raises ServiceValidationError for what cannot be."""
    sites = async_loads(hass, data[CONF_LOADS], data.get(CONF_SITE))
    if len(sites) > 1:
        raise refused("simulation_one_site")
    chosen = sites[0]
    start, end = _stretch(data)
    preference = _preference(chosen, data)
    ways = frozenset(data[CONF_ALTERNATIVES]) or None

    async def read() -> Any:
        """Read what is needed, and return what simulates it."""
        scene = await async_scene(hass, chosen, start, end)
        return partial(_simulated, scene, preference, ways)

    found = await chosen.site.simulation.async_run(read)
    speaker = chosen.planner.speaker
    response = {
        "site": chosen.entry.title,
        "start": local(start),
        "end": local(end),
        "days": len(found.staged.days),
        "goal": preference.objective.goal.value,
        "coverage": {
            "known": rounded(found.staged.known, 4),
            "price": rounded(found.staged.priced, 4),
            "grades": {grade: rounded(part, 4) for grade, part in found.staged.grades.items()},
        },
        **_told(found.choice, speaker),
        "notes": await async_words(hass, found.staged.notes),
    }
    return cast("ServiceResponse", response)


def _simulated(
    scene: Scene,
    preference: Preference,
    ways: Collection[Way] | None,
    progress: Progress,
    cancellation: Cancellation,
) -> _Found:
    """Simulate a scene; runs in the executor."""
    what = staged(scene, cancellation)
    if not what.days:
        raise refused("simulation_nothing_known")
    if not what.turns:
        raise refused("simulation_nothing_to_do")
    choice = simulate_turns(
        what.turns, preference, ways=ways, progress=progress, cancellation=cancellation
    )
    return _Found(staged=what, choice=choice)


def _stretch(data: Mapping[str, Any]) -> tuple[float, float]:
    """Return from when to when; the next day where nothing is told, up to now after a start."""
    now = dt_util.utcnow().timestamp()
    start = local_time(data[CONF_START]).timestamp() if CONF_START in data else now
    if CONF_END in data:
        end = local_time(data[CONF_END]).timestamp()
    else:
        end = now if start < now - _LEAST else start + _USUAL
    if end - start < _LEAST:
        raise refused("simulation_too_short")
    if end - start > _LONGEST:
        raise refused("simulation_too_long")
    if end > now + _AHEAD:
        raise refused("simulation_too_far", days=f"{_AHEAD / 86400.0:.0f}")
    return start, end


def _preference(chosen: Chosen, data: Mapping[str, Any]) -> Preference:
    """Return what the best is: by the site's options, unless told."""
    planner = chosen.planner
    objective = planner.objective
    if CONF_GOAL in data:
        objective = replace(objective, goal=data[CONF_GOAL])
    same_unit = objective.goal is planner.objective.goal
    return Preference(
        objective=objective,
        discomfort=data[CONF_DISCOMFORT],
        dimmed=data[CONF_DIMMED],
        # What a change has to gain is told in the unit of the site's own goal.
        margin=planner.margin if same_unit else replace(planner.margin, absolute=0.0),
    )


def _told(choice: Choice, speaker: Speaker) -> dict[str, Any]:
    """Return the alternatives, the best first, with the best in a sentence."""
    return {
        "best": choice.best.alternative.way.value,
        "explanation": explain_choice(choice, speaker),
        "saved_carbon": rounded(choice.saved_carbon, 1),
        "saved_cost": rounded(choice.saved_cost, 4),
        "alternatives": [_alternative(each, choice.nothing, speaker) for each in choice.ranked],
    }


def _alternative(one: Assessed, nothing: Assessed, speaker: Speaker) -> dict[str, Any]:
    """Return an alternative: g, currency, kWh, K h and hours, and what it saves."""
    return {
        **one.alternative.as_dict(),
        "name": explain_alternative(one.alternative, speaker),
        "standing": one.standing.value,
        "energy": rounded(one.energy / 1000.0, 4),
        "carbon": rounded(one.carbon, 1),
        "cost": rounded(one.cost, 4),
        "saved_carbon": _less(nothing.carbon, one.carbon, 1),
        "saved_cost": _less(nothing.cost, one.cost, 4),
        "discomfort": rounded(one.discomfort, 2),
        "dimmed": rounded(one.dimmed, 2),
        "late": rounded(one.late / 1000.0, 4),
        "loads": {
            name: {
                "energy": rounded(member.outcome.energy / 1000.0, 4),
                "carbon": rounded(member.outcome.carbon, 1),
                "cost": rounded(member.outcome.cost, 4),
            }
            for name, member in one.members
        },
    }


def _less(before: float | None, after: float | None, digits: int) -> float | None:
    return None if before is None or after is None else rounded(before - after, digits)
