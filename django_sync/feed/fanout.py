"""One tick of the hub: what is new in the feed, for all connections of one process (R4).

The feed is read once for all subscriptions at one place. A record is rendered once for all who see
it alike: same collection, same scope, same tag (visibility tag and shape), and the same user too
unless the viewset says ``shared_rendering``. Each frame is put together from those texts, so
subscriptions with the same changes get the same bytes.

What is sent is decided as in a pull: by the rows that this tick's database snapshot shows. This
file knows nothing of sockets.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from .. import errors
from ..conf import conf
from ..drf.caller import Caller
from ..drf.collection import Collection
from ..drf.record_cache import ViewerClass
from ..drf.registry import registry
from ..drf.rendering import encoded, put_text
from ..protocol import Change, Op
from . import log as feed_log
from . import pull, sequencer
from .cursor import Cursor
from .log import Place
from .visibility import Visibility, current_visibility

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Audience:
    """The connections of one user that see the same; reads for them run as ``caller``."""

    caller: Caller
    visibility: Visibility
    key: tuple[str, str]

    @classmethod
    def of(cls, caller: Caller, visibility: Visibility) -> Audience:
        return cls(caller, visibility, (visibility.digest, caller.key))

    def class_of(self, pair: Pair) -> ViewerClass:
        """Collection, scope, tag and user (``""``: any) of this audience for a pair."""
        name, scope = pair
        return name, scope, self.visibility.tags[name], registry.get(name).viewer(self.caller)


@dataclass(frozen=True, slots=True)
class Subscription:
    """An audience at a place. ``open``: its last frame announced that there is more."""

    audience: Audience
    place: Place
    open: bool = False

    @classmethod
    def at(cls, caller: Caller, visibility: Visibility, cursor: Cursor) -> Subscription:
        """The subscription of a caller whose replica is at this cursor."""
        return cls(Audience.of(caller, visibility), cursor.place)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a tick brings to a subscription.

    ``frame`` is the text of a ``changes`` frame, ``None`` where nothing is new. ``stale``: what
    the audience sees has changed, so each of its connections pulls. ``error`` ends them all.
    """

    subscription: Subscription
    frame: str | None = None
    stale: bool = False
    error: errors.SyncError | None = None


@dataclass(slots=True)
class News:
    """What is new about one object for one class.

    ``put`` is the text of the change that puts it. Without it the object is gone for all who do
    not see ``moved_to``, the scope in which it is now. It is deleted for those who see
    ``deleted_in``, the scope of its tombstone, and removed for all others.
    """

    id: uuid.UUID
    put: str | None = None
    moved_to: str | None = None
    deleted_in: str | None = None
    revision: int | None = None


def tick(subscriptions: Sequence[Subscription]) -> tuple[list[Delivery], bool]:
    """What is new for each subscription, in order; and whether there is more to read at once."""
    more = sequencer.advance()
    delivered: dict[int, Delivery] = {}
    try:
        with feed_log.snapshot():
            for place, group in _by_place(subscriptions):
                found, behind = _deliver(place, group)
                delivered |= dict(zip(map(id, group), found, strict=True))
                more = more or behind
    except feed_log.Diverged as found:
        feed_log.diverged(found.epoch)
        expired = errors.CursorExpired("The server's history is another one now.")
        return [Delivery(subscription, error=expired) for subscription in subscriptions], False
    return [delivered[id(subscription)] for subscription in subscriptions], more


def cursor_of(subscription: Subscription) -> str:
    """The sealed cursor of all connections of this subscription."""
    epoch, position, mark = subscription.place
    digest, _ = subscription.audience.key
    cursor = Cursor(epoch, position, mark, digest, digest, noted=pull.today())
    return pull.seal_cursor(subscription.audience.caller, cursor)


def _by_place(subscriptions: Sequence[Subscription]) -> Iterable[tuple[Place, list[Subscription]]]:
    groups: dict[Place, list[Subscription]] = {}
    for subscription in subscriptions:
        groups.setdefault(subscription.place, []).append(subscription)
    return groups.items()


def _deliver(place: Place, subscriptions: Sequence[Subscription]) -> tuple[list[Delivery], bool]:
    """Deliveries to the subscriptions at one place; raises ``Diverged``."""
    epoch, position, _ = place
    try:
        state = feed_log.checked_state(place)
    except errors.CursorExpired as expired:
        return [Delivery(subscription, error=expired) for subscription in subscriptions], False
    entries = feed_log.between(position, state.head, conf.PAGE_SIZE + 1)
    more = len(entries) > conf.PAGE_SIZE
    entries = entries[: conf.PAGE_SIZE]
    place = (epoch, state.head, state.mark)
    if more:
        place = (epoch, entries[-1].position, entries[-1].mark)
    read = FeedRead(_by_pair(entries))
    read.render(subscriptions)
    found = [read.delivery(subscription, place, more) for subscription in subscriptions]
    return found, more or read.unpositioned


def _by_pair(entries: Iterable[feed_log.Entry]) -> dict[Pair, dict[uuid.UUID, None]]:
    """Which objects have entries, by collection and scope, in the order of collections."""
    found: dict[Pair, dict[uuid.UUID, None]] = {}
    for entry in entries:
        if entry.scope is None:
            continue
        for collection in registry.of_label(entry.model):
            found.setdefault((collection.name, entry.scope), {})[entry.object_id] = None
    return dict(sorted(found.items(), key=lambda item: registry.rank(item[0][0])))


@dataclass
class FeedRead:
    """The entries of one read, and what they mean for each class of subscriptions."""

    touched: dict[Pair, dict[uuid.UUID, None]]
    news: dict[ViewerClass, list[News] | None] = field(default_factory=dict)
    fresh: dict[tuple[str, str], tuple[Caller, Visibility]] = field(default_factory=dict)
    frames: dict[tuple[object, ...], str] = field(default_factory=dict)
    unpositioned: bool = False

    def render(self, subscriptions: Sequence[Subscription]) -> None:
        """Find out what is new for each class of these subscriptions, each class once."""
        asking: dict[ViewerClass, list[Audience]] = {}
        for subscription in subscriptions:
            for pair in self._held(subscription.audience):
                asking.setdefault(subscription.audience.class_of(pair), []).append(
                    subscription.audience
                )
        for kind, audiences in asking.items():
            self.news[kind] = self._read_news(kind, audiences)
        if asking:
            scopes = {
                s
                for subscription in subscriptions
                for _, s in subscription.audience.visibility.pairs()
            }
            self.unpositioned = feed_log.unsequenced(sorted(scopes))

    def delivery(self, subscription: Subscription, place: Place, more: bool) -> Delivery:
        """What this subscription gets, and its place after that."""
        classes = [
            subscription.audience.class_of(pair) for pair in self._held(subscription.audience)
        ]
        if any(self.news[kind] is None for kind in classes):
            return Delivery(subscription, stale=True)
        changes = list(dict.fromkeys(self._changes(classes, subscription.audience.visibility)))
        has_more = bool(changes) and (more or self.unpositioned)
        after = replace(subscription, place=place, open=has_more or (subscription.open and more))
        if not changes and (more or not subscription.open):
            return Delivery(after)
        key = (tuple(changes), has_more)
        if key not in self.frames:
            self.frames[key] = frame(changes, has_more, place[0])
        return Delivery(after, self.frames[key])

    def _held(self, audience: Audience) -> Iterator[Pair]:
        return (pair for pair in self.touched if audience.visibility.holds(*pair))

    def _changes(self, classes: Iterable[ViewerClass], visibility: Visibility) -> Iterator[str]:
        for kind in classes:
            for news in self.news[kind] or ():
                if news.put is not None:
                    yield news.put
                elif news.moved_to is None or not visibility.holds(kind[0], news.moved_to):
                    yield _removal(kind[0], news, visibility)

    def _read_news(self, kind: ViewerClass, audiences: Sequence[Audience]) -> list[News] | None:
        """What is new for a class; ``None`` where none of its audiences sees the scope any more.

        It is read as an audience that sees the scope in this very snapshot. One that lost the
        right a moment ago would hide the objects from all others.
        """
        name, scope, tag, _ = kind
        for audience in audiences:
            caller, now = self._now(audience)
            if now.tags.get(name) == tag and now.holds(name, scope):
                ids = list(self.touched[(name, scope)])
                return _news_of(registry.get(name), scope, caller, ids)
        return None

    def _now(self, audience: Audience) -> tuple[Caller, Visibility]:
        """What an audience sees of the touched collections, in this snapshot."""
        if audience.key not in self.fresh:
            caller = Caller(audience.caller.request)
            names = {name for name, _ in self._held(audience)}
            self.fresh[audience.key] = caller, current_visibility(caller, sorted(names))
        return self.fresh[audience.key]


def _news_of(
    collection: Collection, scope: str, caller: Caller, ids: Sequence[uuid.UUID]
) -> list[News]:
    seen = {record.id: record for record in collection.seen(caller, ids)}
    shown = {id: record for id, record in seen.items() if record.scope == scope}
    hidden = [id for id in ids if id not in shown]
    scopes = collection.located(hidden) if hidden else {}
    traces = feed_log.tombstones(collection.label, hidden) if hidden else {}
    found = [News(id, put_text(record)) for id, record in shown.items()]
    for id in hidden:
        news = News(id, moved_to=scopes.get(id))
        if news.moved_to == scope:
            news.moved_to = None  # it is in this scope, and not shown
        if id not in scopes and id in traces:
            news.deleted_in, news.revision = traces[id].scope, traces[id].revision
        found.append(news)
    return found


def _removal(name: str, news: News, visibility: Visibility) -> str:
    """The change for an object that is gone: deleted for all, or removed from this view."""
    if news.deleted_in is not None and visibility.holds(name, news.deleted_in):
        return encoded(Change(Op.DELETE, name, news.id, news.revision).to_json())
    return encoded(Change(Op.REMOVE, name, news.id).to_json())


def frame(changes: Sequence[str], has_more: bool, epoch: str) -> str:
    """The text of a ``changes`` frame, from changes that are text already."""
    listed = ",".join(changes)
    more = "true" if has_more else "false"
    return f'{{"type":"changes","changes":[{listed}],"has_more":{more},"epoch":"{epoch}"}}'
