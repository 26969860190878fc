"""Records as JSON text that the database makes, for fields whose text is provably DRF's own.

``kinds`` says which fields those are, ``postgresql`` and ``sqlite`` hold the SQL of each kind,
``expression`` puts a whole record together, ``queries`` says for which queries that holds, and
``texts`` how a collection's records are read.
"""

from .cells import Cell, Convert, ManyCell
from .encoding import encoded, finite
from .kinds import BIG_INTEGERS, INTEGER, TEXT, column_kind, kind_of, writes_utc
from .queries import Joined
from .texts import TextPlan, text_plan

__all__ = [
    "BIG_INTEGERS",
    "INTEGER",
    "TEXT",
    "Cell",
    "Convert",
    "Joined",
    "ManyCell",
    "TextPlan",
    "column_kind",
    "encoded",
    "finite",
    "kind_of",
    "text_plan",
    "writes_utc",
]
