"""Virtual meters on a line, behind a real TCP port."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from custom_components.carbon_meter.metering.dlt645.line import Dlt645Line
from custom_components.carbon_meter.metering.dlt645.profile import Dlt645Profile
from custom_components.carbon_meter.metering.profile_library import load_profiles
from hardware.virtual.dlt645 import Dlt645Gateway, Dlt645Spec, VirtualDlt645Meter
from tests.metering.dlt645.house import measured

type Wire = Callable[..., Awaitable[Dlt645Gateway]]
type Connect = Callable[..., Dlt645Line]


@pytest.fixture(scope="session")
def dlt645() -> dict[str, Dlt645Profile]:
    return load_profiles().of(Dlt645Profile)


@pytest.fixture
async def wire(socket_enabled: None) -> AsyncIterator[Wire]:
    """Return what puts meters of the specs given on a line."""
    async with AsyncExitStack() as stack:

        async def wired(*specs: Dlt645Spec) -> Dlt645Gateway:
            gateway = Dlt645Gateway(
                VirtualDlt645Meter(spec, measured(spec.profile.phases)) for spec in specs
            )
            return await stack.enter_async_context(gateway)

        yield wired


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Return what connects to a gateway."""
    lines: list[Dlt645Line] = []

    def connected(gateway: Dlt645Gateway, *, patience: float = 1.0) -> Dlt645Line:
        lines.append(Dlt645Line("127.0.0.1", gateway.port, patience=patience, settling=0.02))
        return lines[-1]

    yield connected
    for line in lines:
        await line.close()
