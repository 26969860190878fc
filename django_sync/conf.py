"""The project's settings: ``DJANGO_SYNC = {…}``, typed, read through on each access.

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
        Setting("PAGE_SIZE", 1000, "Changes in a page, at most and where a client names no limit."),
        Setting("BATCH_SIZE", 500, "Mutations in a batch, at most."),
        Setting("BODY_BYTES", 5 * 1024 * 1024, "Bytes in the body of a request, at most."),
        Setting("WAIT_SECONDS", 30, "Seconds for which a long poll is held, at most."),
        Setting(
            "TRANSPORTS",
            ["poll"],
            "The ways in which clients may hear of changes; add `long-poll` where the ASGI "
            "application is wrapped in `live`. In whatever order they are named, the service "
            "document and sessions have them best first, and `poll` is always among them.",
        ),
        Setting(
            "HEARTBEAT",
            25,
            "Seconds between two heartbeats of a socket or stream; at each it is looked at again "
            "what its user may see.",
        ),
        Setting(
            "POLL_INTERVAL",
            30,
            "Seconds between the polls of a client that polls, where nothing says to be sparing.",
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
            "Days for which `sync_prune` keeps a session that is not heard of, ended or not.",
        ),
        Setting(
            "SEEN_SECONDS",
            60,
            "Seconds after which it is noted again that a session was heard of, and how far it has "
            "got; more often only when it is opened or changed.",
        ),
        Setting(
            "IDLE_SECONDS",
            {"websocket": 180, "sse": 180, "long-poll": 240, "poll": 900},
            "Seconds of silence after which a session is idle, by its transport; more than "
            "`SEEN_SECONDS` and than it is silent by itself. What is left out is as it is here.",
        ),
        Setting(
            "EXPIRE_HOURS",
            {"websocket": 24, "sse": 24, "long-poll": 24, "poll": 168},
            "Hours of silence after which `sync_prune` ends a session, by its transport. One that "
            "is heard of after all goes on. What is left out is as it is here.",
        ),
        Setting(
            "WATCH_MS",
            500,
            "Milliseconds after which a process in which clients wait looks for changes again.",
        ),
        Setting(
            "LIVE_THREADS",
            4,
            "Threads in which a process that is wrapped in `live` reads for its clients; it writes "
            "in half as many more. One thread more reads the feed; one answers pulls from memory.",
        ),
        Setting(
            "LIVE_QUEUE",
            1000,
            "Requests that may be in line for these threads in a process, held pulls aside; one "
            "more is answered `unavailable`.",
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
            "Milliseconds that a pull waits for another sequencer before it serves what is "
            "positioned already.",
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
            "Days for which `sync_prune` keeps changes, and the views that cursors name after "
            "their last use. A client that was away for longer starts with a snapshot.",
        ),
        Setting(
            "KEEP_CHANGES",
            0,
            "Changes that `sync_prune` keeps at most, however young; 0 for no such bound.",
        ),
        Setting(
            "HOLD_HOURS",
            24,
            "Hours for which `sync_prune` keeps the place of a client that was fetching page "
            "after page when it was last seen, however old that place is.",
        ),
        Setting(
            "RESULT_DAYS",
            30,
            "Days for which results of mutations are kept; the protocol promises 30 at least.",
        ),
        Setting(
            "RESOLVER",
            "django_sync.merge.Manual",
            "The resolver, by its dotted path, of what a viewset names none for.",
        ),
        Setting(
            "DECISION_DAYS",
            365,
            "Days for which it is kept how writes that met were settled, lost values with them.",
        ),
        Setting("PRUNE_BATCH", 5000, "Rows that `sync_prune` deletes in one transaction."),
        Setting(
            "ADOPT_AT_MIGRATE",
            100_000,
            "Rows of a table that `migrate` adopts itself, at most; a larger one is left for "
            "`sync_adopt`, and its rows are shown to nobody until then.",
        ),
        Setting(
            "PUSH_SENDERS",
            {},
            "Who sends wake-ups of which kind, by dotted path: "
            '`{"webpush": "django_sync.push.webpush.WebPush"}`. Sessions that name another kind '
            "are refused; as it comes nothing is sent.",
        ),
        Setting(
            "PUSH_WINDOW",
            2,
            "Seconds in which changes are gathered into one wake-up; an endpoint gets no two "
            "in less time.",
        ),
        Setting(
            "PUSH_TIMEOUT",
            10,
            "Seconds that one wake-up may take, from the look at the address to the answer.",
        ),
        Setting("PUSH_THREADS", 8, "Wake-ups that a worker sends at a time."),
        Setting("PUSH_BATCH", 100, "Endpoints that a worker claims at a time."),
        Setting(
            "PUSH_LEASE",
            60,
            "Seconds for which a worker's claim holds; those of one that died are then taken by "
            "others. More than `PUSH_TIMEOUT`.",
        ),
        Setting(
            "PUSH_ATTEMPTS", 8, "Failures in a row after which an endpoint is parked for the admin."
        ),
        Setting(
            "PUSH_RETRY_SECONDS",
            5,
            "Seconds of the first pause after a failure, at most; each further one may be "
            "twice as long, and which part of it is waited is left to chance.",
        ),
        Setting(
            "PUSH_RETRY_MOST",
            3600,
            "Seconds between two attempts, at most, whatever a service asks for by `Retry-After`.",
        ),
        Setting(
            "PUSH_LOOK_SECONDS",
            900,
            "Seconds after which it is asked again which scopes a user with endpoints sees.",
        ),
        Setting(
            "PUSH_ENDPOINTS_PER_USER",
            20,
            "Endpoints of one user, at most; one more takes the place of the oldest.",
        ),
        Setting(
            "PUSH_PORTS", [443], "Ports to which wake-ups go; any where `PUSH_ALLOW_PRIVATE` is on."
        ),
        Setting(
            "PUSH_ALLOW_PRIVATE",
            False,
            "Whether wake-ups may go to private addresses, over plain HTTP too. For development: "
            "users name the addresses.",
        ),
        Setting(
            "PUSH_TTL", 86400, "Seconds for which a push service keeps a wake-up for a device."
        ),
        Setting(
            "PUSH_VAPID_KEY",
            "",
            "The private key by which push services know this server; `sync_vapid` makes one.",
        ),
        Setting(
            "PUSH_VAPID_SUBJECT",
            "",
            "Whom push services write to about this server: `mailto:…` or `https://…`.",
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
