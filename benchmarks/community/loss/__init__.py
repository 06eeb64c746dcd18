"""A virtual month of a community under every disturbance: nothing may be lost or counted twice."""
