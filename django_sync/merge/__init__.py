"""Pure decisions about writes that overlap: values in, values out."""

from .overlap import Overlap, Step, Trail, find_overlap, same
from .resolvers import (
    ClientWins,
    FieldOverlap,
    LastWrite,
    Manual,
    Resolution,
    Resolver,
    ServerWins,
    clamped,
)

__all__ = [
    "ClientWins",
    "FieldOverlap",
    "LastWrite",
    "Manual",
    "Overlap",
    "Resolution",
    "Resolver",
    "ServerWins",
    "Step",
    "Trail",
    "clamped",
    "find_overlap",
    "same",
]
