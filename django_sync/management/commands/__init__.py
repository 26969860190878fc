"""Each command is thin: a module of the package does the work, the command prints text or JSON."""
