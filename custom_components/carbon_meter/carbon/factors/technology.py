"""What electricity is generated from."""

from enum import StrEnum


class Technology(StrEnum):
    """A kind of generation; the ten that a mix is told in come first."""

    COAL = "coal"
    GAS = "gas"
    OIL = "oil"
    UNKNOWN = "unknown"
    BIOMASS = "biomass"
    GEOTHERMAL = "geothermal"
    HYDRO = "hydro"
    NUCLEAR = "nuclear"
    SOLAR = "solar"
    WIND = "wind"

    FOSSIL = "fossil"
    BIOMASS_COFIRING = "biomass_cofiring"
    SOLAR_CONCENTRATING = "solar_concentrating"
    SOLAR_ROOFTOP = "solar_rooftop"
    SOLAR_UTILITY = "solar_utility"
    WIND_ONSHORE = "wind_onshore"
    WIND_OFFSHORE = "wind_offshore"
    OCEAN = "ocean"
