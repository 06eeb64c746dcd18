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
    """YAML with the booleans of version 1.2: the country code NO stays a text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), ["t", "f"])

_ROOT: Final[NodePath] = ()


def load_data_file(path: Path, schema: Callable[[Any], Any]) -> DataFile:
    """Read a YAML file and check it.

    `schema` is a probatio schema or any callable that returns the checked
    document and raises `probatio.Invalid`.

    Raises DataFileError for a file that cannot be read, is not YAML, repeats a
    key or does not fit the schema; each problem names its line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
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
        self.lines: dict[NodePath, int] = {}

    def read(self, node: yaml.Node, where: NodePath) -> Any:
        """Return the value of a node and of everything in it."""
        line = self.lines[where] = node.start_mark.line + 1
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
        """Return a mapping; a key written twice would silently lose a value."""
        self._loader.flatten_mapping(node)
        result: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = self._plain(key_node)
            if not isinstance(key, Hashable):
                raise _single(self._path, line, "a key must be a plain value")
            if key in result:
                raise _single(self._path, line, f"the key {key!r} is written twice")
            result[key] = self.read(value_node, (*where, key))
            self.lines[(*where, key)] = line
        return result

    def _plain(self, node: yaml.Node) -> Any:
        """Return a value; what only looks like one, as 2024-02-30 does, stays a text."""
        try:
            return self._loader.construct_object(node, deep=True)
        except ValueError:
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
