"""Pure decisions about writes that met: values in, values out."""

from .overlap import Overlap, Trail, find_overlap, same

__all__ = ["Overlap", "Trail", "find_overlap", "same"]
