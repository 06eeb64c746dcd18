"""Virtual meters with web pages and MQTT topics.

From the same profile files that the integration reads, encoded the other way round.
"""

from .device import WebDevice
from .forms import Form, Unknown
from .meter import WebMeter, WebMeterSpec
from .models import Model, models
from .server import WebPort

__all__ = ["Form", "Model", "Unknown", "WebDevice", "WebMeter", "WebMeterSpec", "WebPort", "models"]
