"""A member that means harm: it has a certificate, and sends what it should not."""

from dataclasses import dataclass
import json
from pathlib import Path
import time
from typing import Any, Final

from custom_components.carbon_meter.community.authority.credentials import Credentials
from custom_components.carbon_meter.community.contract.consent import Consent, write_agreement
from custom_components.carbon_meter.community.contract.message import Flow, Level
from custom_components.carbon_meter.community.member.mqtt import MqttTransport
from custom_components.carbon_meter.community.member.transport import FAILED

_HOUR: Final = 3600


@dataclass(frozen=True, kw_only=True, slots=True)
class Harm:
    """What came of it."""

    refused_by_broker: int
    """Messages to topics that are not its own."""

    sent_to_hub: int
    """Garbage on its own topics: the hub has to refuse each."""


async def do_harm(  # noqa: PLR0913  # who harms whom, and where
    folder: Path, host: str, port: int, *, community: str, home: str, victim: str
) -> Harm:
    """Send garbage as `home`, and try to speak as and to `victim`.

    Raises TransportError when it cannot even connect.
    """
    refused = sent = 0
    async with MqttTransport(host, port, Credentials(folder).context, identifier=home) as client:
        consent = Consent(
            community=community,
            home=home,
            at=int(time.time() * 1000),
            text="demo@1",
            level=Level.PSEUDONYM,
            duration=_HOUR,
            flows=(Flow.GRID_IMPORT,),
        )
        await client.publish(*write_agreement(consent))
        for topic, payload in _garbage(f"cm/v1/{community}/{home}", home, victim):
            await client.publish(topic, payload)
            sent += 1
        for topic in (
            f"cm/v1/{community}/{victim}/up/fp/0",
            f"cm/v1/{community}/{victim}/up/withdraw",
            f"cm/v1/{community}/{victim}/down/ack",
            "$CONTROL/dynamic-security/v1",
        ):
            refused += await client.publish(topic, b"{}") >= FAILED
    return Harm(refused_by_broker=refused, sent_to_hub=sent)


def _garbage(root: str, home: str, victim: str) -> list[tuple[str, bytes]]:
    """Return messages of which a hub must take none."""
    start = int(time.time()) // _HOUR * _HOUR - 4 * _HOUR
    topic = f"{root}/up/fp/{start}"
    good = _footprint(home, start)
    item = good["items"][0]
    return [
        (topic, b""),
        (topic, b"\xff\xfe\x00"),
        (topic, b"{"),
        (topic, b"[" * 8000),
        (topic, b'{"v":1,"v":1}'),
        (topic, json.dumps(good | {"src": victim}).encode()),
        (topic, json.dumps(good | {"v": 2}).encode()),
        (topic, json.dumps(good | {"items": [item | {"wh": -5}]}).encode()),
        (topic, json.dumps(good | {"items": [item | {"wh": float("nan")}]}).encode()),
        (topic, json.dumps(good | {"items": [item | {"wh": 1 << 62}]}).encode()),
        (topic, json.dumps(good | {"items": [item | {"flow": "pv"}]}).encode()),
        (topic, json.dumps(good | {"items": [item, item]}).encode()),
        (topic, json.dumps(good | {"level": "clear"}).encode()),
        (topic, json.dumps(good | {"start": start + 1}).encode()),
        (f"{root}/up/fp/{start + 864_000}", json.dumps(_footprint(home, start + 864_000)).encode()),
        (f"{root}/up/fp/0", json.dumps(_footprint(home, 0)).encode()),
        (f"{root}/up/mask", b"{}"),
        (f"{root}/up/withdraw", b"null"),
        (f"{root}/up/csr", b"{}"),
    ]


def _footprint(home: str, start: int) -> dict[str, Any]:
    """Return what would be a sound footprint."""
    return {
        "v": 1,
        "src": home,
        "boot": "harm",
        "seq": 1,
        "start": start,
        "dur": _HOUR,
        "rev": 0,
        "at": int(time.time() * 1000),
        "items": [
            {
                "flow": "grid_import",
                "wh": 1,
                "mg": 1,
                "ci": {
                    "source": "harm",
                    "zone": "DE",
                    "kind": "average",
                    "version": "1",
                    "resolution": _HOUR,
                },
                "cov": 10000,
                "q": "measured",
            }
        ],
        "method": "harm@1",
        "sw": "harm",
        "clk": {"synced": True, "offset_ms": None},
        "level": "pseudonym",
        "final": False,
    }
