"""Solves instances with EMHASS, in an environment of its own: JSON in, JSON out.

Not imported by anything here: it is run by an interpreter that has EMHASS, and nothing of ours.
What it reads is `{"gap": ..., "seconds": ..., "instances": [...]}`, see `instances.Instance`; for
each instance it answers with the powers of the load, the status, and how long the first and the
second solution took, as EMHASS keeps its problem between two runs.
"""

import asyncio
import json
import logging
import os
from pathlib import Path
import sys
import time
from typing import Any

import emhass  # type: ignore[import-not-found]
from emhass import utils
from emhass.optimization import Optimization  # type: ignore[import-not-found]
import numpy as np
import pandas as pd  # type: ignore[import-untyped]

_BASE_LOAD = 300.0  # W, which the objective leaves out
_FUSE = 100_000.0  # W


def main() -> None:
    """Answer on standard output; whatever libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    task = json.load(sys.stdin)
    paths = _paths()
    logger = logging.getLogger("emhass")
    logger.setLevel(logging.CRITICAL)
    configuration = asyncio.run(_configuration(paths, logger))
    for instance in task["instances"]:
        answer = _solve(instance, task, configuration, paths, logger)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _paths() -> dict[str, Path]:
    """Return the folders that EMHASS asks for."""
    root = Path(emhass.__file__).parent
    return {
        "data_path": root / "data",
        "root_path": root,
        "defaults_path": root / "data" / "config_defaults.json",
        "associations_path": root / "data" / "associations.csv",
    }


async def _configuration(paths: dict[str, Path], logger: logging.Logger) -> str:
    """Return EMHASS's default configuration as its own functions build it."""
    config = await utils.build_config(paths, logger, paths["defaults_path"])
    paths, secrets = await utils.build_secrets(paths, logger, no_response=True)
    return json.dumps(await utils.build_params(paths, secrets, config, logger), default=str)


def _solve(
    instance: dict[str, Any],
    task: dict[str, Any],
    configuration: str,
    paths: dict[str, Path],
    logger: logging.Logger,
) -> dict[str, Any]:
    """Return what EMHASS says to an instance."""
    retrieve, optim, plant = utils.get_yaml_parse(configuration, logger)
    weights = np.array(instance["weights"])
    step = pd.Timedelta(minutes=instance["minutes"])
    count = len(weights)
    retrieve["optimization_time_step"] = step
    retrieve["time_zone"] = "UTC"
    optim["delta_forecast_daily"] = step * count
    optim["lp_solver_mip_rel_gap"] = task["gap"]
    optim["lp_solver_timeout"] = task["seconds"]
    optim["num_threads"] = 1
    plant["maximum_power_from_grid"] = _FUSE
    plant["maximum_power_to_grid"] = _FUSE
    optim["set_use_pv"] = False
    optim["set_use_battery"] = False
    _configure(instance, optim, plant, step)
    index = pd.date_range("2023-01-01", periods=count, freq=step, tz="UTC")
    frame = pd.DataFrame(
        {
            "unit_load_cost": weights,
            "unit_prod_price": np.zeros(count),
            "outdoor_temperature_forecast": instance.get("surroundings", [10.0] * count),
        },
        index=index,
    )
    solar = pd.Series(np.zeros(count), index=index)
    base = pd.Series(np.full(count, _BASE_LOAD), index=index)
    seconds = []
    began = time.perf_counter()
    solver = Optimization(
        retrieve, optim, plant, "unit_load_cost", "unit_prod_price", "cost", paths, logger
    )
    more = {}
    if instance["kind"] == "battery":
        share = instance["content"] / instance["capacity"]
        more = {"soc_init": share, "soc_final": share}
    for _ in range(2):
        found = solver.perform_dayahead_forecast_optim(frame, solar, base, **more)
        seconds.append(time.perf_counter() - began)
        began = time.perf_counter()
    column = "P_batt" if instance["kind"] == "battery" else "P_deferrable0"
    powers = found[column].to_numpy(dtype=float)
    return {
        # EMHASS counts a battery that discharges as positive.
        "powers": (-powers if instance["kind"] == "battery" else powers).tolist(),
        "status": str(solver.optim_status),
        "cold": seconds[0],
        "warm": seconds[1],
    }


def _configure(
    instance: dict[str, Any], optim: dict[str, Any], plant: dict[str, Any], step: pd.Timedelta
) -> None:
    """Set up the one load of an instance."""
    kind = instance["kind"]
    hours = step / pd.Timedelta(hours=1)
    optim.update(
        number_of_deferrable_loads=0 if kind == "battery" else 1,
        nominal_power_of_deferrable_loads=[instance.get("power", 0.0)],
        minimum_power_of_deferrable_loads=[0.0],
        operating_hours_of_each_deferrable_load=[0],
        operating_timesteps_of_each_deferrable_load=[0],
        start_timesteps_of_each_deferrable_load=[0],
        end_timesteps_of_each_deferrable_load=[0],
        treat_deferrable_load_as_semi_cont=[kind not in ("energy", "room")],
        set_deferrable_load_single_constant=[kind == "block"],
        set_deferrable_startup_penalty=[0.0],
        def_minimum_on_time=[instance.get("shortest", 0)],
        def_minimum_off_time=[instance.get("pause", 0)],
        def_load_config=[{}],
    )
    if kind in ("hours", "block", "runs"):
        optim["operating_hours_of_each_deferrable_load"] = [instance["count"] * hours]
    elif kind == "energy":
        optim["operating_hours_of_each_deferrable_load"] = [instance["energy"] / instance["power"]]
    elif kind in ("room", "switched_room"):
        count = len(instance["weights"])
        optim["def_load_config"] = [
            {
                "thermal_config": {
                    "heating_rate": instance["heating_rate"],
                    "cooling_constant": instance["cooling_constant"],
                    "start_temperature": instance["start"],
                    "min_temperatures": [instance["low"]] * count,
                    "max_temperatures": [instance["high"]] * count,
                    "sense": "heat",
                }
            }
        ]
    elif kind == "battery":
        optim["set_use_battery"] = True
        optim["set_nodischarge_to_grid"] = False
        plant.update(
            battery_discharge_power_max=instance["power"],
            battery_charge_power_max=instance["power"],
            battery_discharge_efficiency=instance["efficiency"],
            battery_charge_efficiency=instance["efficiency"],
            battery_nominal_energy_capacity=instance["capacity"],
            battery_minimum_state_of_charge=0.0,
            battery_maximum_state_of_charge=1.0,
            battery_target_state_of_charge=0.5,
        )


if __name__ == "__main__":
    main()
