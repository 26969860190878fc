"""What a client holds, as far as the server knows: records by collection, and open conflicts.

Counts have an upper limit, so that they cost the same at any size.
"""

from __future__ import annotations

from itertools import islice

from ..drf.caller import Caller
from ..drf.registry import registry
from ..models import Decision, SyncSession

MOST = 1000
"""Counts stop here."""
MOST_CONFLICTS = 100


def held(session: SyncSession) -> list[tuple[str, str]]:
    """Each collection that the client syncs, and how many of its records the user may see."""
    caller = Caller.for_user(session.user)
    names = [c.name for c in registry] if session.collections is None else session.collections
    found = []
    for name in names:
        if name not in registry:
            found.append((name, "this collection does not exist any more"))
        elif not registry.get(name).may(caller, "read"):
            found.append((name, "may not be read"))
        else:
            found.append((name, bounded(registry.get(name).counted(caller, MOST), MOST)))
    return found


def open_conflicts(session: SyncSession) -> str:
    """How many conflicts of the client are open."""
    unsettled = Decision.objects.filter(client=session.client_id, settled_at__isnull=True)
    return bounded(len(list(islice(unsettled.values_list("pk"), MOST_CONFLICTS))), MOST_CONFLICTS)


def bounded(number: int, most: int) -> str:
    """A count that stops at ``most``, as text."""
    return f"{most} or more" if number >= most else str(number)
