"""Each is thin: what it does is in a module of the package, and told in plain words or JSON."""
