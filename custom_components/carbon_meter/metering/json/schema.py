"""The forms of profile files for JSON meters, and the step from a checked file to a profile."""

from collections.abc import Hashable, Iterable, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Final

import probatio

from ...datafile import DataFile
from ..fields import TEXT, is_number, one_of, scale
from ..profile_schema import ProfileForm
from ..quantities import QUANTITIES, unit_factor
from .path import Path
from .placeholders import placeholders_in
from .profile import (
    Announcement,
    Auth,
    AuthKind,
    Field,
    Instances,
    JsonProfile,
    Probe,
    Request,
    Topic,
)
from .values import Coding

_LONGEST_AGE: Final = 86400.0


def _path(value: object) -> Path:
    """Return an expression."""
    if not isinstance(value, str):
        raise probatio.Invalid("must be a JMESPath expression")
    try:
        return Path.checked(value)
    except ValueError as err:
        raise probatio.Invalid(str(err)) from err


def _address(value: object) -> str:
    """Return the path of a page as it goes over the wire."""
    if not isinstance(value, str) or not value.startswith("/") or value.startswith("//"):
        raise probatio.Invalid("must be the path of a page, from the first slash on")
    if not value.isascii() or not value.isprintable() or " " in value or "#" in value:
        raise probatio.Invalid("must be written as it goes over the wire: %20 for a space")
    return value


def _setting(value: object) -> str | int | None:
    """Return what a setting is unless something is given; null for nothing."""
    if value is None or isinstance(value, str) or (is_number(value) and isinstance(value, int)):
        return value
    raise probatio.Invalid("must be a text, a whole number or null")


def _code(value: object) -> Fraction | str:
    """Return a number or a text that means that the device does not know."""
    if isinstance(value, str):
        return value.lower()
    if is_number(value):
        return Fraction(str(value))
    raise probatio.Invalid("must be a number or a text")


def _age(value: object) -> float:
    """Return a stretch of time up to a day."""
    if is_number(value) and 0 < value <= _LONGEST_AGE:
        return float(value)
    raise probatio.Invalid("must be a number of seconds above 0, up to a day")


_PATHS: Final = probatio.All([_path], probatio.Length(min=1))
_NAME: Final = probatio.Match(r"^[a-z][a-z0-9_]*$", msg="use small letters, digits, underscores")
_IDENTITY: Final = MappingProxyType(
    {one_of("identity", ["manufacturer", "model", "serial"]): _path}
)

_FIELD: Final = probatio.Schema(
    {
        probatio.Required("quantity"): one_of("quantity", QUANTITIES),
        probatio.Required("unit"): str,
        probatio.Exclusive("path", "way"): _path,
        probatio.Exclusive("plus", "way"): _PATHS,
        probatio.Optional("minus", default=list): [_path],
        probatio.Optional("scale", default=1): scale,
        probatio.Optional("when"): _path,
        probatio.Optional("not_available", default=list): [_code],
        probatio.Optional("decimal_comma", default=False): bool,
        probatio.Optional("sources", default=list): [str],
        probatio.Optional("note"): str,
    }
)

_COMMON: Final = MappingProxyType(
    {
        probatio.Required("fields"): probatio.All([_FIELD], probatio.Length(min=1)),
        probatio.Optional("settings", default=dict): {_NAME: _setting},
        probatio.Optional("not_available", default=list): [_code],
        probatio.Optional("valid"): _path,
    }
)

_HEADERS: Final = MappingProxyType({TEXT: TEXT})

_HTTP_FIELDS: Final = MappingProxyType(
    {
        probatio.Required("requests"): probatio.All(
            [
                {
                    probatio.Required("path"): _address,
                    probatio.Optional("name", default="page"): _NAME,
                    probatio.Optional("headers", default=dict): dict(_HEADERS),
                    probatio.Optional("optional", default=False): bool,
                    probatio.Optional("unless", default=""): str,
                }
            ],
            probatio.Length(min=1),
        ),
        probatio.Optional("probe"): {
            probatio.Required("path"): _address,
            probatio.Required("match"): _path,
            probatio.Optional("headers", default=dict): dict(_HEADERS),
            probatio.Optional("certain", default=True): bool,
            probatio.Optional("instances"): {
                probatio.Required("setting"): _NAME,
                probatio.Required("among"): _path,
                probatio.Optional("prefix", default=""): str,
            },
        },
        probatio.Optional("identity", default=dict): dict(_IDENTITY),
        probatio.Optional("auth", default=dict): {
            probatio.Optional("kind", default="none"): one_of("kind of authentication", AuthKind),
            probatio.Optional("user", default=""): str,
            probatio.Optional("header", default=""): str,
        },
        probatio.Optional("scheme", default="http"): one_of("scheme", ["http", "https"]),
        probatio.Optional("self_signed", default=False): bool,
        probatio.Optional("session_cookie", default=False): bool,
        probatio.Optional("refused"): _path,
    }
)

_MQTT_FIELDS: Final = MappingProxyType(
    {
        probatio.Required("topics"): probatio.All(
            [
                {
                    probatio.Required("topic"): TEXT,
                    probatio.Optional("name", default="page"): _NAME,
                    probatio.Optional("select"): _path,
                    probatio.Optional("partial", default=False): bool,
                }
            ],
            probatio.Length(min=1),
        ),
        probatio.Optional("max_age", default=60): _age,
        probatio.Optional("time"): _path,
        probatio.Optional("announcements", default=list): [
            {
                probatio.Required("topic"): TEXT,
                probatio.Required("match"): _path,
                probatio.Optional("each"): _path,
                probatio.Optional("settings", default=dict): {_NAME: _path},
                probatio.Optional("identity", default=dict): dict(_IDENTITY),
                probatio.Optional("certain", default=True): bool,
            }
        ],
    }
)


def _build_http(file: DataFile, arguments: Mapping[str, Any]) -> JsonProfile:
    """Return the profile of a meter with pages."""
    data = file.data
    requests = tuple(
        Request(**{**row, "headers": MappingProxyType(row["headers"])}) for row in data["requests"]
    )
    names = {request.name for request in requests}
    for index, request in enumerate(requests):
        if request.unless and (request.unless not in names or request.unless == request.name):
            raise file.error(f"no other page has the name {request.unless}", "requests", index)
        _check_settings(file, placeholders_in(request.path), "requests", index, "path")
    for key, path in data["identity"].items():
        _check_settings(file, path.settings, "identity", key)
    auth = Auth(**{**data["auth"], "kind": AuthKind(data["auth"]["kind"])})
    if (auth.kind is AuthKind.API_KEY) != bool(auth.header):
        raise file.error("an API key, and nothing else, needs the name of its header", "auth")
    if "probe" in data and placeholders_in(data["probe"]["path"]):
        raise file.error("what is asked first cannot depend on settings", "probe", "path")
    return JsonProfile(
        **_common(file, arguments),
        requests=requests,
        scheme=data["scheme"],
        self_signed=data["self_signed"],
        session_cookie=data["session_cookie"],
        auth=auth,
        refused=data.get("refused"),
        identity=MappingProxyType(data["identity"]),
        probe=_probe(file, data["probe"]) if "probe" in data else None,
    )


def _probe(file: DataFile, row: Mapping[str, Any]) -> Probe:
    """Return how the family is recognised."""
    instances = None
    _check_unfilled(file, [row["match"]], "probe", "match")
    if "instances" in row:
        instances = Instances(**row["instances"])
        _check_unfilled(file, [instances.among], "probe", "instances")
        _check_settings(file, {instances.setting}, "probe", "instances", "setting")
    return Probe(
        path=row["path"],
        match=row["match"],
        headers=MappingProxyType(row["headers"]),
        certain=row["certain"],
        instances=instances,
    )


def _build_mqtt(file: DataFile, arguments: Mapping[str, Any]) -> JsonProfile:
    """Return the profile of a meter with topics."""
    data = file.data
    topics = tuple(Topic(**row) for row in data["topics"])
    for index, topic in enumerate(topics):
        if {"+", "#"} & set(topic.topic):
            raise file.error("give a setting for what differs, no wildcard", "topics", index)
        selects = topic.select.settings if topic.select else frozenset[str]()
        _check_settings(file, placeholders_in(topic.topic) | selects, "topics", index)
    for index, row in enumerate(data["announcements"]):
        _check_settings(file, row["settings"], "announcements", index, "settings")
        asked = [row["match"], *row["settings"].values(), *row["identity"].values()]
        asked += [row["each"]] if "each" in row else []
        _check_unfilled(file, asked, "announcements", index)
    return JsonProfile(
        **_common(file, arguments),
        topics=topics,
        max_age=data["max_age"],
        time=data.get("time"),
        announcements=tuple(
            Announcement(
                **{
                    **row,
                    "settings": MappingProxyType(row["settings"]),
                    "identity": MappingProxyType(row["identity"]),
                }
            )
            for row in data["announcements"]
        ),
    )


def _common(file: DataFile, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that both kinds have."""
    fields = tuple(_field(file, index, row) for index, row in enumerate(file.data["fields"]))
    for key in ("valid", "refused", "time"):
        if path := file.data.get(key):
            _check_settings(file, path.settings, key)
    return {
        **arguments,
        "quantities": tuple(dict.fromkeys(field.quantity for field in fields)),
        "fields": fields,
        "settings": MappingProxyType(file.data["settings"]),
        "valid": file.data.get("valid"),
    }


def _field(file: DataFile, index: int, row: Mapping[str, Any]) -> Field:
    """Return one way to come to a quantity."""
    quantity = QUANTITIES[row["quantity"]]
    try:
        factor = row["scale"] * unit_factor(row["unit"], quantity)
    except ValueError as err:
        raise file.error(str(err), "fields", index, "unit") from err
    field = Field(
        quantity=quantity.key,
        plus=(row["path"],) if "path" in row else tuple(row.get("plus", ())),
        minus=tuple(row["minus"]),
        coding=Coding(
            quantity=quantity,
            factor=factor,
            not_available=frozenset((*file.data["not_available"], *row["not_available"])),
            decimal_comma=row["decimal_comma"],
        ),
        when=row.get("when"),
        sources=tuple(row["sources"]),
    )
    if not field.plus and not field.minus:
        raise file.error("give a path, or plus and minus", "fields", index)
    for path in field.paths:
        _check_settings(file, path.settings, "fields", index)
    return field


def _check_settings(file: DataFile, names: Iterable[str], *where: Hashable) -> None:
    """Refuse a placeholder or an assignment for which there is no setting."""
    for name in sorted(names):
        if name not in file.data["settings"]:
            raise file.error(f"there is no setting {name}", *where)


def _check_unfilled(file: DataFile, paths: Iterable[Path], *where: Hashable) -> None:
    """Refuse a placeholder where the settings are still to be found."""
    for path in paths:
        if path.settings:
            raise file.error("what is asked first cannot depend on settings", *where)


HTTP: Final = ProfileForm(protocol="http", fields={**_COMMON, **_HTTP_FIELDS}, build=_build_http)
"""Pages of a device."""

MQTT: Final = ProfileForm(protocol="mqtt", fields={**_COMMON, **_MQTT_FIELDS}, build=_build_mqtt)
"""Topics of a broker."""
