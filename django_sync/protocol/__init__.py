"""The wire: words, messages and their coding. No Django here, and no I/O."""

from .members import Json, check_depth
from .mutations import Batch, Mutation
from .pages import Change, Page, Record
from .ready import ReadyChanges, ReadyList, ReadyRecord, ReadyResult, ReadyText, page_body
from .results import Conflict, Problem, Resolution, Result
from .sessions import Network, Push, SessionChange, SessionRequest
from .words import PROTOCOL_VERSION, ConflictKind, Kept, Op, Status, Transport, Write

__all__ = [
    "PROTOCOL_VERSION",
    "Batch",
    "Change",
    "Conflict",
    "ConflictKind",
    "Json",
    "Kept",
    "Mutation",
    "Network",
    "Op",
    "Page",
    "Problem",
    "Push",
    "ReadyChanges",
    "ReadyList",
    "ReadyRecord",
    "ReadyResult",
    "ReadyText",
    "Record",
    "Resolution",
    "Result",
    "SessionChange",
    "SessionRequest",
    "Status",
    "Transport",
    "Write",
    "check_depth",
    "page_body",
]
