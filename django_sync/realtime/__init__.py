"""Held pulls, sockets and streams: all under ``/sync/live/``, on the event loop."""

from .asgi import Live, live

__all__ = ["Live", "live"]
