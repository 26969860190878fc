"""Looks after a running installation: pruning, status, health, repairs."""
