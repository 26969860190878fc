"""Mutations that are carried out together: alike neighbours of a batch, set by set."""
