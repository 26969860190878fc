"""What waits: all under ``/sync/live/``, native async, with nothing held meanwhile."""

from .asgi import Live, live

__all__ = ["Live", "live"]
