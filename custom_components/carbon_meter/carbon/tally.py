"""The sums of one stretch of time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from .grade import BEST_FIRST, Grade


@dataclass(kw_only=True, slots=True)
class Tally:
    """Energy in Wh, carbon in gCO2eq, time in seconds.

    Carbon is that of the import; export is never negative carbon. `by_grade`
    divides the weighed import by how well its intensity was known; what no source
    had an intensity for is in `import_energy` only.
    """

    import_energy: float = 0.0
    export_energy: float = 0.0
    carbon: float = 0.0
    estimated_energy: float = 0.0
    """Part of import and export whose distribution over time is estimated."""

    measured_time: float = 0.0
    """Time that readings of the meter account for."""

    estimated_time: float = 0.0
    """Time that lies in a gap between readings."""

    by_grade: dict[Grade, float] = field(default_factory=dict)

    def add(self, other: Tally) -> None:
        """Add the sums of another stretch of time."""
        self.import_energy += other.import_energy
        self.export_energy += other.export_energy
        self.carbon += other.carbon
        self.estimated_energy += other.estimated_energy
        self.measured_time += other.measured_time
        self.estimated_time += other.estimated_time
        for grade, energy in other.by_grade.items():
            self.by_grade[grade] = self.by_grade.get(grade, 0.0) + energy

    def weigh(self, energy: float, carbon: float, grade: Grade) -> None:
        """Add the carbon of some import that is counted already."""
        self.carbon += carbon
        self.by_grade[grade] = self.by_grade.get(grade, 0.0) + energy

    @property
    def grade(self) -> Grade | None:
        """Return the worst grade of any intensity in it, None where nothing was weighed."""
        return next((grade for grade in reversed(BEST_FIRST) if grade in self.by_grade), None)

    def as_list(self) -> list[Any]:
        """Return the sums in a form for a JSON file."""
        return [
            self.import_energy,
            self.export_energy,
            self.carbon,
            self.estimated_energy,
            self.measured_time,
            self.estimated_time,
            {grade.value: energy for grade, energy in self.by_grade.items()},
        ]

    @classmethod
    def from_list(cls, data: list[Any]) -> Self:
        """Return the sums that `as_list` gave."""
        grades: Mapping[str, float] = data[6]
        return cls(
            import_energy=data[0],
            export_energy=data[1],
            carbon=data[2],
            estimated_energy=data[3],
            measured_time=data[4],
            estimated_time=data[5],
            by_grade={Grade(grade): energy for grade, energy in grades.items()},
        )
