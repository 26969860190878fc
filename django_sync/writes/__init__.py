"""Mutations: read, carried out once, and their results stored."""
