"""Rows as a table for people."""

from collections.abc import Iterable
from typing import Final

from benchmarks.rows import Figure, Row

_HEADER: Final = ("benchmark", "what", "ours", "peer", "ratio", "peer is")
_NUMBERS: Final = frozenset({"ours", "peer", "ratio"})


def format_table(rows: Iterable[Row]) -> str:
    """Return the rows in columns, and below them what they were measured on."""
    rows = list(rows)
    lines = [_HEADER, *(_cells(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = [
        "  ".join(
            cell.rjust(width) if name in _NUMBERS else cell.ljust(width)
            for name, cell, width in zip(_HEADER, line, widths, strict=True)
        ).rstrip()
        for line in lines
    ]
    text.insert(1, "  ".join("-" * width for width in widths))
    text.append("")
    text.append("ours and peer: median, quartiles in brackets; ratio: above 1 ours is better")
    text += [f"machine: {machine}" for machine in dict.fromkeys(row.machine for row in rows)]
    return "\n".join(text)


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.benchmark,
        f"{row.what} ({row.unit}, {row.better} is better)",
        _figure(row.ours),
        _figure(row.peer),
        f"{row.ratio:.2f}x",
        row.peer_name,
    )


def _figure(figure: Figure) -> str:
    if figure.low == figure.high:
        return _number(figure.median)
    return f"{_number(figure.median)} [{_number(figure.low)}..{_number(figure.high)}]"


def _number(value: float) -> str:
    """Return three digits, and all of those before the point."""
    return f"{value:.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
