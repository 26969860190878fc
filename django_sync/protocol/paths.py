"""Where the views of the protocol are, under its root."""

from __future__ import annotations

CHANGES = "changes/"
MUTATIONS = "mutations/"
SESSIONS = "sessions/"
LIVE = "live/"
"""What is held or stays open is under this."""
LIVE_CHANGES = f"{LIVE}changes/"
SOCKET = f"{LIVE}ws/"
STREAM = f"{LIVE}stream/"
HEALTH_LIVE = "health/live"
HEALTH_READY = "health/ready"
"""A slash may follow, as after ``HEALTH_LIVE``."""
