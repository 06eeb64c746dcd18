"""Where the carbon intensity of the grid comes from: one door, many sources."""
