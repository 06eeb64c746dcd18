"""Data files in YAML whose every problem is named with file and line.

Profiles and emission factors are data that people write by hand. This module
reads such a file, checks it against a schema and, where it is wrong, says in
which line: nothing of a faulty file is guessed.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
import re
from typing import Any, Final, override

import probatio
import yaml

try:
    from yaml import CSafeLoader as _FastestLoader
except ImportError:  # PyYAML without libyaml: the same documents, ten times slower
    from yaml import SafeLoader as _FastestLoader  # type: ignore[assignment]

type NodePath = tuple[Hashable, ...]
"""Where a value sits in a document: mapping keys and list positions from the root."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong in a data file."""

    file: str
    line: int
    message: str

    @override
    def __str__(self) -> str:
        """Return the problem in the form that compilers and editors use."""
        return f"{self.file}:{self.line}: {self.message}"


class DataFileError(ValueError):
    """A data file cannot be used; `problems` lists why, in the order of lines."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep the problems; the message is one line each."""
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True, kw_only=True)
class DataFile:
    """A document that passed its schema, with the line of each of its nodes."""

    path: Path
    data: Any
    lines: dict[NodePath, int]

    def line(self, *where: Hashable) -> int:
        """Return the line of a node, or of the nearest node around it."""
        return _nearest_line(self.lines, where)

    def error(self, message: str, *where: Hashable) -> DataFileError:
        """Return an error about one node, for checks that no schema can make."""
        return DataFileError(
            [Problem(file=str(self.path), line=self.line(*where), message=message)]
        )


class _Loader(_FastestLoader):
    """YAML with the plain values of version 1.2: NO, 010 and 12:30 stay texts, 1e-3 is a number."""


_FLOAT: Final = (
    r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_PLAIN_VALUES: Final = {
    "bool": (r"true|false", "tf"),
    "int": (r"[-+]?(?:0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)", "-+0123456789"),
    "float": (_FLOAT, "-+0123456789."),
}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag.split(":")[-1] not in _PLAIN_VALUES]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _name, (_regexp, _first) in _PLAIN_VALUES.items():
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_name}", re.compile(rf"^(?:{_regexp})$"), list(_first)
    )

_LARGEST: Final = 2_000_000
"""Bytes; the largest packaged file has a hundredth of it."""

_ROOT: Final[NodePath] = ()
_MERGE: Final = "tag:yaml.org,2002:merge"

_MOST_NODES: Final = 200_000
"""Values in one document; aliases of aliases can make millions out of a few lines."""


def load_data_file(path: Path, schema: Callable[[Any], Any]) -> DataFile:
    """Read a YAML file and check it.

    `schema` is a probatio schema or any callable that returns the checked
    document and raises `probatio.Invalid`.

    Raises DataFileError for a file that cannot be read, is not YAML, repeats a
    key or does not fit the schema; each problem names its line.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise _single(path, 1, f"larger than {_LARGEST // 1_000_000} MB: not a data file")
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as err:
        line = err.object.count(b"\n", 0, err.start) + 1
        raise _single(path, line, f"cannot be read: not UTF-8 ({err.reason})") from err
    except OSError as err:
        raise _single(path, 1, f"cannot be read: {err}") from err

    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if root is None:
            raise _single(path, 1, "the file is empty")
        reader = _NodeReader(path, loader)
        document = reader.read(root, _ROOT)
    except yaml.MarkedYAMLError as err:
        mark = err.problem_mark or err.context_mark
        raise _single(path, mark.line + 1 if mark else 1, f"not valid YAML: {err.problem}") from err
    except yaml.reader.ReaderError as err:
        line = text.count("\n", 0, text.find(chr(err.character))) + 1
        message = f"not valid YAML: {err.reason} (#x{err.character:04x})"
        raise _single(path, line, message) from err
    except yaml.YAMLError as err:
        raise _single(path, 1, f"not valid YAML: {err}") from err
    except RecursionError as err:
        raise _single(path, 1, "nested too deeply") from err
    finally:
        if loader is not None:
            loader.dispose()

    try:
        data = schema(document)
    except probatio.Invalid as err:
        errors = err.errors if isinstance(err, probatio.MultipleInvalid) else [err]
        raise DataFileError(
            [
                Problem(
                    file=str(path),
                    line=_nearest_line(reader.lines, error.path),
                    message=_describe(error),
                )
                for error in errors
            ]
        ) from err
    return DataFile(path=path, data=data, lines=reader.lines)


class _NodeReader:
    """Turn YAML nodes into plain values, remembering the line of each."""

    def __init__(self, path: Path, loader: _Loader) -> None:
        self._path = path
        self._loader = loader
        self._open: set[int] = set()
        self._nodes = 0
        self.lines: dict[NodePath, int] = {}

    def read(self, node: yaml.Node, where: NodePath) -> Any:
        """Return the value of a node and of everything in it."""
        line = self.lines[where] = node.start_mark.line + 1
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise _single(self._path, line, f"more than {_MOST_NODES} values")
        if isinstance(node, yaml.ScalarNode):
            return self._plain(node)
        if id(node) in self._open:
            raise _single(self._path, line, "an alias may not contain itself")
        self._open.add(id(node))
        if isinstance(node, yaml.MappingNode):
            value: Any = self._mapping(node, where)
        else:
            value = [self.read(item, (*where, index)) for index, item in enumerate(node.value)]
        self._open.discard(id(node))
        return value

    def _mapping(self, node: yaml.MappingNode, where: NodePath) -> dict[Hashable, Any]:
        """Return a mapping; a key written twice would silently lose a value.

        What a mapping takes over by `<<` it may change.
        """
        inherited: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                inherited |= self._merged(value_node, where)
        self.lines[where] = node.start_mark.line + 1
        own: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                continue
            line = key_node.start_mark.line + 1
            key = self._plain(key_node)
            if not isinstance(key, Hashable):
                raise _single(self._path, line, "a key must be a plain value")
            if key in own:
                raise _single(self._path, line, f"the key {key!r} is written twice")
            own[key] = self.read(value_node, (*where, key))
            self.lines[(*where, key)] = line
        return inherited | own

    def _merged(self, node: yaml.Node, where: NodePath) -> dict[Hashable, Any]:
        """Return what `<<` takes over from a mapping, or from several, the first first."""
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        result: dict[Hashable, Any] = {}
        for source in reversed(sources):
            taken = self.read(source, where)
            if not isinstance(taken, dict):
                raise _single(self._path, node.start_mark.line + 1, "<< takes mappings only")
            result |= taken
        return result

    def _plain(self, node: yaml.Node) -> Any:
        """Return a value; what only looks like one, as 2024-02-30 does, stays a text."""
        try:
            return self._loader.construct_object(node, deep=True)
        except AttributeError, LookupError, ValueError:
            return node.value


def _single(path: Path, line: int, message: str) -> DataFileError:
    return DataFileError([Problem(file=str(path), line=line, message=message)])


def _nearest_line(lines: dict[NodePath, int], where: Sequence[Any]) -> int:
    """Return the line of the deepest known node on the way to `where`."""
    for length in range(len(where), -1, -1):
        key = tuple(
            str(part) if isinstance(part, probatio.Marker) else part for part in where[:length]
        )
        if (line := lines.get(key)) is not None:
            return line
    return 1


def _describe(error: probatio.Invalid) -> str:
    """Return a schema error with the names of the place it is about."""
    place = ".".join(str(part) for part in error.path)
    return f"{place}: {error.error_message}" if place else str(error.error_message)
