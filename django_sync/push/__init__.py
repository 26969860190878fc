"""Push: sessions that are not live are told to pull, by messages that carry no data.

The dispatcher is one more reader of the feed (``dispatcher``); what it finds is noted in rows,
which workers claim, send and settle (``delivery``). Senders are classes that the settings name
(``sender``). Celery is known to ``tasks`` alone; ``sync_push`` does without.
"""
