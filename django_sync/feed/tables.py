"""The names of the feed's tables, for the statements that are written by hand."""

from __future__ import annotations

from ..models import Change, Feed, Generation, Outbox, Tombstone

CHANGE = Change._meta.db_table
FEED = Feed._meta.db_table
GENERATION = Generation._meta.db_table
OUTBOX = Outbox._meta.db_table
TOMBSTONE = Tombstone._meta.db_table
BY_SCOPE = next(index.name for index in Change._meta.indexes if "scope" in index.fields)
"""The index of ``CHANGE`` on (scope, position)."""
