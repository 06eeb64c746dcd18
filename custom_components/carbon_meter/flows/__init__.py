"""The steps of the flows: finding meters, adopting them, choosing the carbon intensity."""
