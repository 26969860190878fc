"""What waits: all under ``/sync/live/``, native async, with nothing held meanwhile."""

from .longpoll import Live, live

__all__ = ["Live", "live"]
