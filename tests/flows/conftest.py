"""What the tests of the flows share."""

from tests.discovery.conftest import loopback_network, network_time, serve_tcp  # noqa: F401
from tests.flows.sources import providers  # noqa: F401
