"""The deadline guard: when the time that is left is needed, the load runs, whatever was planned."""


def latest_start(*, deadline: float, run_time: float, slack: float = 0.0) -> float:
    """Return the last moment at which a load can start and be done in time.

    `run_time` is what it still has to run and `slack` what is kept for slow starts, in seconds.
    """
    return deadline - max(0.0, run_time) - max(0.0, slack)


def must_run_now(*, now: float, deadline: float, run_time: float, slack: float = 0.0) -> bool:
    """Return whether a load has to run now to be done by its deadline; also when it is past.

    It wins over every plan, override of a forecast and margin. See `latest_start`.
    """
    return run_time > 0.0 and now >= latest_start(deadline=deadline, run_time=run_time, slack=slack)
