"""Carbon per square metre, per person, per unit of product: to compare sites of any size."""

from dataclasses import dataclass
from enum import StrEnum

from ..flow.amounts import ImpossibleAmountError, amount
from .figures import Figure


class Denominator(StrEnum):
    """What carbon is divided by."""

    AREA = "m²"
    PERSON = "person"
    PRODUCT = "unit"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """How much there is to divide by over the period; `name` is that of the product's unit."""

    denominator: Denominator
    quantity: float
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse what nothing can be divided by."""
        if amount(self.denominator, self.quantity) == 0.0:
            raise ImpossibleAmountError(self.denominator, "nothing can be divided by none")

    @property
    def unit(self) -> str:
        """Return the unit of one of them."""
        return self.name or self.denominator.value


def per(figure: Figure, reference: Reference) -> Figure:
    """Return a figure per square metre, person or product; the label stays what it was.

    Raises ImpossibleAmountError for a figure that is divided already.
    """
    if "/" in figure.unit:
        raise ImpossibleAmountError(str(figure.label), f"{figure.unit} is divided already")
    return Figure(
        label=figure.label,
        value=figure.value / reference.quantity,
        unit=f"{figure.unit}/{reference.unit}",
    )
