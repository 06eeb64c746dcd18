"""Planning: when the loads of a site run, and what that saves against running at once."""
