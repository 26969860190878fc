"""The Python client: an offline-first replica of a user's records in one SQLite file.

    from django_sync.client import SyncClient, TokenAuth

    with SyncClient(url, store="field.db", auth=TokenAuth("…"), collections=["cards"]) as client:
        card = client.collection("cards").create({"title": "Check pump 7"})
        client.sync()

It needs ``django_sync[client]`` and no Django. Its calls block, and any thread may make them;
asyncio programs call it in a thread.
"""

from .auth import Auth, BasicAuth, BearerAuth, TokenAuth
from .backoff import Backoff, Pace
from .client import SyncClient
from .collection import Collection
from .conflicts import Conflict, Resolution
from .net.network_state import NetworkState
from .store.query import Query
from .types import Change, Counts, Mutation, Progress, Record, Rejection, Status

__all__ = [
    "Auth",
    "Backoff",
    "BasicAuth",
    "BearerAuth",
    "Change",
    "Collection",
    "Conflict",
    "Counts",
    "Mutation",
    "NetworkState",
    "Pace",
    "Progress",
    "Query",
    "Record",
    "Rejection",
    "Resolution",
    "Status",
    "SyncClient",
    "TokenAuth",
]
