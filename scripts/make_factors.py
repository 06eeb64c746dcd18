"""Write those packaged factor files whose tables can be read by a machine.

    python scripts/make_factors.py DATA_DIR [OUTPUT_DIR]

DATA_DIR holds `carbon/factors/` with the source tables as published. Figures
are carried digit by digit: no rounding, no arithmetic. The other packaged files
are transcribed by hand. `countries.csv` beside
this script maps ISO 3166-1 alpha-3 to alpha-2 codes and English short names
(codes: pycountry, names: Unicode CLDR, XK for Kosovo as in both).
"""

from collections.abc import Iterator, Mapping
import csv
import json
from pathlib import Path
import sys
from typing import Any, Final, NamedTuple

REPOSITORY: Final = Path(__file__).resolve().parent.parent
OUTPUT: Final = REPOSITORY / "custom_components/carbon_meter/carbon/factors"
COUNTRIES: Final = Path(__file__).with_name("countries.csv")

EMBER_TABLE: Final = "carbon/factors/ember_average-intensities_co2js_0.19.0.json"
OWID_TABLE: Final = "carbon/factors/codecarbon_global_energy_mix.json"
GWP_TABLE: Final = "carbon/factors/globalwarmingpotentials_0.13.2.csv"

WORLD: Final = "001"

EMBER_HEADER: Final = """\
# Written by scripts/make_factors.py: change that script, not this file.

id: ember_2024
title: Yearly electricity data
publisher: Ember
edition: figures up to 2024, as republished in CO2.js 0.19.0
url: https://ember-energy.org/data/yearly-electricity-data/
licence: CC-BY-4.0 AND CC-BY-SA-4.0
attribution: >-
  Ember, yearly electricity data (CC BY 4.0), collected by the Green Web
  Foundation in CO2.js 0.19.0 (CC BY-SA 4.0)
carrier: electricity
stage: generation
scope: life_cycle
method: generation_average
gases: all greenhouse gases as CO2 equivalent
gwp: 100 years
includes_td: false
unit: gCO2eq/kWh
notes: >-
  The newest year that the table has for each country. Emissions of the
  electricity generated in the country, imports not counted, upstream methane,
  supply chain and construction included. The figures are quotients of emissions
  and generation rounded to 0.01 Mt and 0.01 TWh: coarse below about 1 TWh a year.

factors:
"""

OWID_HEADER: Final = """\
# Written by scripts/make_factors.py: change that script, not this file.
# Only the countries and territories for which Ember's own table has no figure.

id: owid_2023
title: Energy dataset, carbon intensity of electricity generation
publisher: Our World in Data
edition: figures up to 2023, as republished in CodeCarbon (revision b05965e4)
url: https://github.com/owid/energy-data
licence: CC-BY-4.0
attribution: >-
  Our World in Data, energy dataset (CC BY 4.0), based on Ember and on the Energy
  Institute's Statistical Review of World Energy, collected in CodeCarbon (MIT)
carrier: electricity
stage: generation
scope: life_cycle
method: generation_average
gases: all greenhouse gases as CO2 equivalent
gwp: 100 years
includes_td: false
unit: gCO2eq/kWh
notes: >-
  The newest year that the table has for each country. These are small systems:
  the figures are quotients of emissions and generation, each rounded to 0.01 Mt
  and 0.01 TWh.

factors:
"""

GWP_HEADER: Final = """\
# Written by scripts/make_factors.py: change that script, not this file.

id: {id}
title: {title}
url: {url}
licence: CC0-1.0
via: the table of the package globalwarmingpotentials 0.13.2

# Warming over 100 years against that of CO2.
potentials:
  CO2: 1
"""

GWP_SETS: Final = {
    "ar5": (
        "AR5GWP100",
        "IPCC, Fifth Assessment Report, without climate-carbon feedback",
        "https://ghgprotocol.org/calculation-tools",
    ),
    "ar6": (
        "AR6GWP100",
        "IPCC, Sixth Assessment Report, Working Group I, table 7.SM.7",
        "https://www.ipcc.ch/report/ar6/wg1/",
    ),
}

NOTES: Final = {
    "CF": "printed as 0: the emissions of a small system on hydropower, rounded to 0.00 Mt",
    "EH": "of 2009; 0.09 TWh a year, rounded",
    "FK": "0.02 TWh a year, rounded",
    "MS": "0.01 TWh a year, rounded",
    "SH": "0.01 TWh a year, rounded",
}


class Row(NamedTuple):
    """One figure as printed: nothing here is a float."""

    zone: str
    name: str
    year: str
    value: str


class Country(NamedTuple):
    """A country's two-letter code and English short name."""

    alpha_2: str
    name: str


def countries() -> dict[str, Country]:
    """Return the countries by alpha-3 code."""
    with COUNTRIES.open(encoding="utf-8", newline="") as file:
        return {
            row["alpha_3"]: Country(row["alpha_2"], row["name"]) for row in csv.DictReader(file)
        }


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """Return a JSON table with its numbers as the texts that stand there."""
    table: dict[str, dict[str, Any]] = json.loads(
        path.read_text(encoding="utf-8"), parse_float=str, parse_int=str
    )
    return table


def ember_rows(data_dir: Path, known: Mapping[str, Country]) -> Iterator[Row]:
    """Yield Ember's figure of each country, and of the world."""
    for key, entry in _read(data_dir / EMBER_TABLE).items():
        figure = entry["year"], entry["emissions_intensity_gco2_per_kwh"]
        if key == "World":
            yield Row(WORLD, "World", *figure)
        elif entry["country_code"]:
            yield Row(*known[entry["country_code"]], *figure)


def owid_rows(data_dir: Path, known: Mapping[str, Country]) -> Iterator[Row]:
    """Yield the figures of the countries that Ember's table lacks."""
    ember = {row.zone for row in ember_rows(data_dir, known)}
    for key, entry in _read(data_dir / OWID_TABLE).items():
        country = known[key]
        if country.alpha_2 not in ember:
            yield Row(*country, entry["year"], entry["carbon_intensity"])


def _scalar(text: str) -> str:
    """Return a text as YAML that version 1.1 readers take for a text as well."""
    plain = text != "NO" and text[0].isalpha() and not set(text) & set(",:#{}[]\"'")
    return text if plain else json.dumps(text, ensure_ascii=False)


def render(header: str, rows: Iterator[Row]) -> str:
    """Return a factor file: the world first, then the zones in the order of their codes."""
    lines = [header]
    for row in sorted(rows):
        note = f", note: {json.dumps(NOTES[row.zone])}" if row.zone in NOTES else ""
        lines.append(
            f"  - {{zone: {_scalar(row.zone)}, name: {_scalar(row.name)}, "
            f"year: {row.year}, value: {row.value}{note}}}\n"
        )
    return "".join(lines)


def gwp_set(data_dir: Path, name: str) -> str:
    """Return a file of warming potentials: every gas for which the table has one."""
    column, title, url = GWP_SETS[name]
    with (data_dir / GWP_TABLE).open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        potentials = [f"  {row['Species']}: {row[column]}\n" for row in rows if row[column]]
    return GWP_HEADER.format(id=name, title=title, url=url) + "".join(potentials)


def files(data_dir: Path) -> dict[str, str]:
    """Return the text of each file that a table is read for, by its name."""
    known = countries()
    return {
        "ember_2024.yaml": render(EMBER_HEADER, ember_rows(data_dir, known)),
        "owid_2023.yaml": render(OWID_HEADER, owid_rows(data_dir, known)),
        **{f"gwp/{name}.yaml": gwp_set(data_dir, name) for name in GWP_SETS},
    }


def main(arguments: list[str]) -> None:
    """Write the files and say how many figures each holds."""
    if not 1 <= len(arguments) <= 2:
        sys.exit(__doc__)
    output = Path(arguments[1]) if len(arguments) == 2 else OUTPUT
    for name, text in files(Path(arguments[0])).items():
        path = output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"{name}: {text.count('value: ') or text.count('  ')} figures")


if __name__ == "__main__":
    main(sys.argv[1:])
