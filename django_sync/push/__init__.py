"""Push: messages without data that wake sessions which are not live, so that they pull.

The dispatcher reads the feed and marks rows of endpoints as due (``dispatcher``). Workers claim
these rows, send the wake-ups and settle the rows (``delivery``). Senders are classes that the
settings name (``sender``). Only ``tasks`` imports Celery; ``sync_push`` needs none.
"""
