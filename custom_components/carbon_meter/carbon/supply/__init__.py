"""Supply mix: what fed a site in each interval, and the carbon that a battery carries over."""
