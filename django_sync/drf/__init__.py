"""A model seen through the project's own DRF code: who may do what, and as which record."""
