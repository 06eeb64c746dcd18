"""EMHASS as a peer of the planner: the same instances, the same objective, its gap at 0."""
