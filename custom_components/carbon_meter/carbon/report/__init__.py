"""Reports: every figure of a site over a period, so that periods agree exactly."""
