"""Rows of factor tables for tests."""

from typing import Any

from custom_components.carbon_meter.carbon.factors.factor import (
    Carrier,
    EmissionFactor,
    FactorSource,
    Scope,
    Stage,
)


def factor(
    value: float,
    carrier: Carrier = Carrier.ELECTRICITY,
    *,
    stage: Stage = Stage.GENERATION,
    of_table: dict[str, Any] | None = None,
    **row: Any,
) -> EmissionFactor:
    """Return a row with a value in g per kWh, m³ or kg; the table is direct, without losses."""
    source = FactorSource(
        **{
            "id": "test",
            "title": "Test",
            "publisher": "Test",
            "edition": "1",
            "scope": Scope.DIRECT,
            "includes_td": False,
            "file": "test.yaml",
            "carrier": carrier,
            "stage": stage,
            **(of_table or {}),
        }
    )
    return EmissionFactor(zone="GB", value=value, source=source, line=1, year=2024, **row)
