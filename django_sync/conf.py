"""The project's settings: ``DJANGO_SYNC = {…}``, typed, read again on each access.

This file does no I/O and imports nothing of ours. ``docs/reference/settings.md``
is made from ``SETTINGS``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of ``DJANGO_SYNC``: its default, the type it must have, what it is for."""

    name: str
    default: Any
    doc: str

    @property
    def kind(self) -> type:
        return type(self.default)


SETTINGS: dict[str, Setting] = {
    setting.name: setting
    for setting in (
        Setting(
            "DATABASE",
            "default",
            "The alias of the database that holds the synced models and the feed; one for all.",
        ),
        Setting("PAGE_SIZE", 1000, "Changes in a page, at most; the default of `limit`."),
        Setting("BATCH_SIZE", 500, "Mutations in a batch, at most."),
        Setting("BODY_BYTES", 5 * 1024 * 1024, "Bytes in the body of a request, at most."),
        Setting("WAIT_SECONDS", 30, "Seconds for which a long poll is held, at most."),
        Setting(
            "TRANSPORTS",
            ["poll"],
            "The transports that clients may use for changes; add `long-poll` if the ASGI "
            "application is wrapped in `live`. The service document and sessions list the best "
            "first, whatever the order here, and always include `poll`.",
        ),
        Setting(
            "HEARTBEAT",
            25,
            "Seconds between two heartbeats of a socket or stream; at each, the server checks "
            "again what its user may see.",
        ),
        Setting(
            "POLL_INTERVAL",
            30,
            "Seconds between the polls of a client that polls, if it need not save data.",
        ),
        Setting(
            "UPGRADE_AFTER",
            60,
            "Seconds after which a client that fell back tries a better transport again.",
        ),
        Setting(
            "TICKET_SECONDS", 60, "Seconds within which a session's ticket opens its one WebSocket."
        ),
        Setting(
            "SESSION_DAYS",
            30,
            "Days for which `sync_prune` keeps a session without any sign of life, ended or not.",
        ),
        Setting(
            "SEEN_SECONDS",
            60,
            "Seconds after which the server notes again that a session is present, and how far "
            "it got; more often only when it is opened or changed.",
        ),
        Setting(
            "IDLE_SECONDS",
            {"websocket": 180, "sse": 180, "long-poll": 240, "poll": 900},
            "Seconds of silence after which a session is idle, by its transport; more than "
            "`SEEN_SECONDS` and than its usual silence. What is left out keeps this default.",
        ),
        Setting(
            "EXPIRE_HOURS",
            {"websocket": 24, "sse": 24, "long-poll": 24, "poll": 168},
            "Hours of silence after which `sync_prune` ends a session, by its transport. If its "
            "client comes back, it goes on. What is left out keeps this default.",
        ),
        Setting(
            "WATCH_MS",
            500,
            "Milliseconds after which a process with waiting clients looks for changes again.",
        ),
        Setting(
            "LIVE_THREADS",
            4,
            "Threads in which a process wrapped in `live` reads for its clients. It has half "
            "as many more to write, one to read the feed, and one to answer pulls from memory.",
        ),
        Setting(
            "LIVE_QUEUE",
            1000,
            "Requests that may wait for these threads in a process, without held pulls; one more "
            "is answered `unavailable`.",
        ),
        Setting(
            "CONNECTIONS_PER_USER",
            20,
            "Sockets and streams that a process holds open for one user, at most.",
        ),
        Setting(
            "SOCKET_FRAMES",
            50,
            "Frames a second that a client may send over a socket, on average; "
            "twice as many at once.",
        ),
        Setting(
            "SEQUENCE_BATCH",
            5000,
            "Entries that one sequencing transaction moves from outbox to log, at most.",
        ),
        Setting(
            "SEQUENCE_WAIT_MS",
            200,
            "Milliseconds that a pull waits for another sequencer before it serves the changes "
            "that have a position already.",
        ),
        Setting(
            "RETRIES",
            3,
            "Times that a batch of mutations is run again after a deadlock, a serialization "
            "failure or a time-out, before its mutations are tried one by one.",
        ),
        Setting(
            "ADOPT_BATCH",
            5000,
            "Rows that adoption gives an id and a scope in one statement.",
        ),
        Setting(
            "KEEP_DAYS",
            30,
            "Days for which `sync_prune` keeps changes, and, after their last use, the "
            "visibilities that cursors name. A client that was away longer gets a snapshot.",
        ),
        Setting(
            "KEEP_CHANGES",
            0,
            "Changes that `sync_prune` keeps, at most, of any age; 0 for no such limit.",
        ),
        Setting(
            "HOLD_HOURS",
            24,
            "Hours for which `sync_prune` keeps the changes that a client still has to fetch if it "
            "was fetching page after page when it was last seen, however old they are.",
        ),
        Setting(
            "RESULT_DAYS",
            30,
            "Days for which results of mutations are kept; the protocol promises 30 at least.",
        ),
        Setting(
            "RESOLVER",
            "django_sync.merge.Manual",
            "The resolver, by its dotted path, for all fields without one in the viewset.",
        ),
        Setting(
            "DECISION_DAYS",
            365,
            "Days for which decisions about conflicts are kept, with the values that were lost.",
        ),
        Setting("PRUNE_BATCH", 5000, "Rows that `sync_prune` deletes in one transaction."),
        Setting(
            "ADOPT_AT_MIGRATE",
            100_000,
            "Rows of a table that `migrate` adopts itself, at most. A larger table is left for "
            "`sync_adopt`, and its rows are hidden until then.",
        ),
        Setting(
            "PUSH_SENDERS",
            {},
            "The sender for each kind of wake-up, by dotted path: "
            '`{"webpush": "django_sync.push.webpush.WebPush"}`. Sessions that name another kind '
            "are refused. By default nothing is sent.",
        ),
        Setting(
            "PUSH_WINDOW",
            2,
            "Seconds in which changes are collected into one wake-up; an endpoint gets at most one "
            "in this time.",
        ),
        Setting(
            "PUSH_TIMEOUT",
            10,
            "Seconds that one wake-up may take, from the look-up of the address to the answer.",
        ),
        Setting("PUSH_THREADS", 8, "Wake-ups that a worker sends at a time."),
        Setting("PUSH_BATCH", 100, "Endpoints that a worker claims at a time."),
        Setting(
            "PUSH_LEASE",
            60,
            "Seconds for which a worker's claim is valid; afterwards another worker takes it over. "
            "More than `PUSH_TIMEOUT`.",
        ),
        Setting(
            "PUSH_ATTEMPTS", 8, "Failures in a row after which an endpoint is parked for the admin."
        ),
        Setting(
            "PUSH_RETRY_SECONDS",
            5,
            "Seconds of the first pause after a failure, at most. The maximum doubles with each "
            "failure, and the pause is a random part of it.",
        ),
        Setting(
            "PUSH_RETRY_MOST",
            3600,
            "Seconds between two attempts, at most, even if `Retry-After` asks for more.",
        ),
        Setting(
            "PUSH_LOOK_SECONDS",
            900,
            "Seconds after which the server checks again which scopes a user with endpoints sees.",
        ),
        Setting(
            "PUSH_ENDPOINTS_PER_USER",
            20,
            "Endpoints of one user, at most; one more takes the place of the oldest.",
        ),
        Setting(
            "PUSH_PORTS",
            [443],
            "Ports to which wake-ups go; any port if `PUSH_ALLOW_PRIVATE` is on.",
        ),
        Setting(
            "PUSH_ALLOW_PRIVATE",
            False,
            "Whether wake-ups may go to private addresses, also over HTTP without TLS. Only for "
            "development, because users name the addresses.",
        ),
        Setting(
            "PUSH_TTL", 86400, "Seconds for which a push service keeps a wake-up for a device."
        ),
        Setting(
            "PUSH_VAPID_KEY",
            "",
            "The private key that identifies this server to push services; `sync_vapid` makes one.",
        ),
        Setting(
            "PUSH_VAPID_SUBJECT",
            "",
            "The contact of this server for push services: `mailto:…` or `https://…`.",
        ),
    )
}


class Conf:
    """Attribute access to the settings above: ``conf.PAGE_SIZE``.

    Raises ``AttributeError`` for a name that is no setting. Values are read from
    ``django.conf.settings`` each time, so ``override_settings`` works.
    """

    DATABASE: str
    PAGE_SIZE: int
    BATCH_SIZE: int
    BODY_BYTES: int
    WAIT_SECONDS: int
    TRANSPORTS: list[str]
    HEARTBEAT: int
    POLL_INTERVAL: int
    UPGRADE_AFTER: int
    TICKET_SECONDS: int
    SESSION_DAYS: int
    SEEN_SECONDS: int
    IDLE_SECONDS: dict[str, int]
    EXPIRE_HOURS: dict[str, int]
    WATCH_MS: int
    LIVE_THREADS: int
    CONNECTIONS_PER_USER: int
    SOCKET_FRAMES: int
    LIVE_QUEUE: int
    SEQUENCE_BATCH: int
    SEQUENCE_WAIT_MS: int
    RETRIES: int
    ADOPT_BATCH: int
    KEEP_DAYS: int
    KEEP_CHANGES: int
    HOLD_HOURS: int
    RESOLVER: str
    RESULT_DAYS: int
    PRUNE_BATCH: int
    ADOPT_AT_MIGRATE: int
    DECISION_DAYS: int
    PUSH_SENDERS: dict[str, str]
    PUSH_WINDOW: int
    PUSH_TIMEOUT: int
    PUSH_THREADS: int
    PUSH_BATCH: int
    PUSH_LEASE: int
    PUSH_ATTEMPTS: int
    PUSH_RETRY_SECONDS: int
    PUSH_RETRY_MOST: int
    PUSH_LOOK_SECONDS: int
    PUSH_ENDPOINTS_PER_USER: int
    PUSH_PORTS: list[int]
    PUSH_ALLOW_PRIVATE: bool
    PUSH_TTL: int
    PUSH_VAPID_KEY: str
    PUSH_VAPID_SUBJECT: str

    def __getattr__(self, name: str) -> Any:
        try:
            default = SETTINGS[name].default
        except KeyError:
            raise AttributeError(f"DJANGO_SYNC has no setting “{name}”") from None
        return getattr(settings, "DJANGO_SYNC", {}).get(name, default)


conf = Conf()
