"""The planner: how fast, how good, beside EMHASS, and over a year of real grids."""
