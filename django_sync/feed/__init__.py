"""The feed: the order of committed changes, and every way to read it."""
