"""Who was signed in a moment ago, by what their request looked like.

A pull that was answered by the project's middleware and view leaves an identity behind. For one
heartbeat an equal request is taken for the same caller's. What it may see is never kept here.

Equal means all that authentication or the project's code could look at: method, path, address, each
header, and each parameter but ``cursor``. The key is a keyed hash, so no credential is kept in it.

An identity is kept only where it is known what would have happened to the request: each middleware
and each authenticator is one of those below. All other projects' pulls run as they always did.
"""

from __future__ import annotations

import copy
import hashlib
import secrets
import time
import uuid
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from django.conf import settings
from django.urls import set_script_prefix
from django.utils import translation

from ..conf import conf
from .plain import Scope

if TYPE_CHECKING:  # models: an asgi.py imports this package before it has set up Django
    from ..caller import Caller

MOST = 5_000
"""Identities that a process keeps; each holds its last request, some 10 KiB."""
RENEW = 0.8
"""The part of a heartbeat after which an identity is renewed."""
PATHS = ("/changes/",)
PARAMETERS = frozenset({"cursor", "collections", "limit", "wait"})
_OF_THE_CLIENT = (b"sync-client", b"sync-session")
"""Headers that say which replica asks: notes and orders depend on them, what is seen does not."""

MIDDLEWARE = frozenset(
    {
        "corsheaders.middleware.CorsMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.sites.middleware.CurrentSiteMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.middleware.locale.LocaleMiddleware",
        "django.middleware.security.SecurityMiddleware",
        "whitenoise.middleware.WhiteNoiseMiddleware",
    }
)
"""Middleware that does the same to equal requests, and notes nothing of them."""
VIEWS = frozenset({"ChangesView", "LiveChangesView"})
TOKEN = "rest_framework.authentication.TokenAuthentication"  # noqa: S105  # a class
SESSION = "rest_framework.authentication.SessionAuthentication"
BASIC = "rest_framework.authentication.BasicAuthentication"
JWT = "rest_framework_simplejwt.authentication.JWTAuthentication"
AUTHENTICATORS = frozenset({TOKEN, SESSION, BASIC, JWT})


@dataclass(frozen=True, slots=True)
class Asked:
    """A pull: the key of its identity, and its cursor (``""``: the first of a replica)."""

    key: bytes
    cursor: str


class Keys:
    """Makes the keys of one process, which mean nothing in another."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def asked(self, scope: Scope) -> Asked | None:
        """What a request asks for; ``None`` where it is no plain pull."""
        if scope["type"] != "http" or scope["method"] != "GET":
            return None
        if not scope["path"].endswith(PATHS) or _has_body(scope["headers"]):
            return None
        query = dict(pairs := _pairs(scope))
        if len(pairs) > len(query) or not PARAMETERS.issuperset(query):
            return None
        cursor = query.pop("cursor", "")
        return Asked(self._hash(scope, sorted(query.items()), scope["headers"]), cursor)

    def viewer(self, scope: Scope) -> bytes:
        """The key of those who see the same: which replica asks, and for how much, aside."""
        query = [pair for pair in _pairs(scope) if pair[0] == "collections"]
        headers = [pair for pair in scope["headers"] if pair[0].lower() not in _OF_THE_CLIENT]
        return self._hash(scope, query, headers)

    def _hash(self, scope: Scope, query: Any, headers: Any) -> bytes:
        address = (scope.get("client") or ("",))[0]
        place = (scope["path"], scope.get("root_path", ""), scope.get("scheme", ""), address)
        connection = scope.get("server"), scope.get("extensions")  # a certificate is in these
        seen = repr((place, connection, query, [tuple(pair) for pair in headers]))
        return hashlib.blake2b(seen.encode(), key=self._secret, digest_size=32).digest()


def _pairs(scope: Scope) -> list[tuple[str, str]]:
    text = scope["query_string"].decode("latin-1")
    return parse_qsl(text, keep_blank_values=True)


def _has_body(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in headers
    )


@dataclass(slots=True, eq=False)
class Identity:
    """A caller who was let in, and how their pulls are answered.

    ``request`` is the one that was let in, ``headers`` are those of its answer, ``facts`` what the
    log was told of it; ``is_counted``: the project has throttles. ``until`` is by the clock of
    ``time.monotonic``; shortly before it, at ``renew_at``, one equal request runs whole, so that
    the others need not all do so at its end.
    """

    viewer: bytes
    user: str
    renew_at: float
    until: float
    view: Any
    headers: list[tuple[bytes, bytes]]
    names: tuple[str, ...] | None
    limit: int | None
    client_id: uuid.UUID | None
    session_id: uuid.UUID | None
    is_counted: bool
    facts: dict[str, Any]
    is_renewed: bool = False

    @property
    def request(self) -> Any:
        return self.view.request

    @property
    def kind(self) -> str:
        """Which authenticator let them in."""
        return known_as(type(self.request.successful_authenticator)) or ""

    @property
    def language(self) -> str:
        """The language that a middleware chose for the request; ``""``: the site's."""
        return getattr(self.request._request, "LANGUAGE_CODE", "")

    def as_there(self) -> AbstractContextManager[object]:
        """The thread as it is while the request runs: its language, and where the site begins."""
        set_script_prefix(self.request._request.script_name)
        return translation.override(self.language) if self.language else nullcontext()

    def fresh_request(self) -> Any:
        """Django's request as it came, without what was found out for it."""
        from ..caller import ATTRIBUTE

        http = copy.copy(self.request._request)
        for name in (ATTRIBUTE, "_cached_user"):
            vars(http).pop(name, None)
        if hasattr(http, "session"):
            http.session = type(http.session)(http.session.session_key)
        return http

    def caller(self, user: Any, auth: Any) -> Caller:
        """The caller, as a request of this moment would have made it; ``user`` is not used up."""
        from ..caller import Caller

        request = copy.copy(self.request)
        request._request = self.fresh_request()
        request.user, request.auth = copy.copy(user), auth
        caller = Caller(request)
        caller.client_id, caller.session_id = self.client_id, self.session_id
        return caller

    def is_throttled(self, caller: Caller) -> bool:
        """Count this pull by the project's throttles, as their view would."""
        view = type(self.view)()
        view.request, view.args, view.kwargs = caller.request, self.view.args, self.view.kwargs
        allowed = [one.allow_request(caller.request, view) for one in view.get_throttles()]
        return not all(allowed)


class Identities:
    """Those of one process; for its event loop alone. ``ever``: one was added at some time."""

    def __init__(self) -> None:
        self.ever = False
        self._known: OrderedDict[bytes, Identity] = OrderedDict()
        self._of_user: dict[str, set[bytes]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def find(self, key: bytes) -> Identity | None:
        """Who this is, if that was checked within a heartbeat.

        ``None`` for one request shortly before that ends: whoever gets it runs whole.
        """
        found, now = self._known.get(key), time.monotonic()
        if found is not None and found.until <= now:
            self._drop(key)
            return None
        if found is not None and found.renew_at <= now and not found.is_renewed:
            found.is_renewed = True
            return None
        return found

    def is_fresh(self, key: bytes) -> bool:
        """Whether there is nothing to be gained by checking who this is."""
        found = self._known.get(key)
        return found is not None and time.monotonic() < found.renew_at

    def add(self, key: bytes, identity: Identity) -> None:
        self._drop(key)
        self.ever = True
        self._known[key] = identity
        self._of_user.setdefault(identity.user, set()).add(key)
        while len(self._known) > MOST:
            self._drop(next(iter(self._known)))

    def forget(self, user: str) -> None:
        """Something about this user was announced: they are asked again who they are."""
        for key in tuple(self._of_user.get(user, ())):
            self._drop(key)

    def discard(self, key: bytes, identity: Identity) -> None:
        """This very one is none any more."""
        if self._known.get(key) is identity:
            self._drop(key)

    def _drop(self, key: bytes) -> None:
        gone = self._known.pop(key, None)
        if gone is not None:
            keys = self._of_user[gone.user]
            keys.discard(key)
            if not keys:
                del self._of_user[gone.user]


def identity_of(response: Any, viewer: bytes) -> Identity | None:
    """The identity that an answer proves; ``None`` where it is not one to be remembered."""
    context = getattr(response, "renderer_context", None) or {}
    view, seconds = context.get("view"), float(conf.HEARTBEAT)
    if view is None or response.status_code != 200 or not _is_known(view, response):
        return None
    user, asker = view.request.user, view.asker
    if _is_token(view.request, JWT):
        seconds = min(seconds, float(view.request.auth["exp"]) - time.time())
    names, now = view.collections(), time.monotonic()
    _strip(view)
    return Identity(
        viewer=viewer,
        user=str(user.pk),
        renew_at=now + RENEW * seconds,
        until=now + seconds,
        view=view,
        headers=[
            (name.encode("ascii"), value.encode("latin-1")) for name, value in response.items()
        ],
        names=None if names is None else tuple(names),
        limit=view.limit(),
        client_id=asker.client_id,
        session_id=asker.session_id,
        is_counted=bool(view.get_throttles()),
        facts=response.sync_log,
    )


def _strip(view: Any) -> None:
    """Let go of the page that was answered, and of what was found out for it."""
    from ..caller import ATTRIBUTE

    vars(view).pop("response", None)
    vars(view).pop("asker", None)
    vars(view.request._request).pop(ATTRIBUTE, None)


def _is_known(view: Any, response: Any) -> bool:
    """Whether all that took part in this answer would do the same for an equal request."""
    kind = type(view)
    return (
        kind.__module__ == "django_sync.http.views"
        and kind.__name__ in VIEWS
        and MIDDLEWARE.issuperset(settings.MIDDLEWARE)
        and all(known_as(type(one)) for one in view.request.authenticators)
        and not response.cookies
        and _is_plain_user(view.request.user)
        and _is_compact(response)
    )


def _is_token(request: Any, name: str) -> bool:
    return known_as(type(request.successful_authenticator)) == name


def _is_plain_user(user: Any) -> bool:
    from django.contrib.auth import get_user_model

    return isinstance(user, get_user_model()) and user.pk is not None


def _is_compact(response: Any) -> bool:
    """Whether the page was written as we write it: without indentation, not in ASCII."""
    page = response.data
    start = b'{"changes":[],' if not page["changes"] else b'{"changes":[{"'
    wanted = getattr(response.accepted_renderer, "ensure_ascii", True)
    return response.content.startswith(start) and not wanted


def known_as(kind: type[Any]) -> str | None:
    """The authenticator of the list above that a class is, whose constants alone may differ."""
    for base in kind.__mro__:
        name = f"{base.__module__}.{base.__qualname__}"
        if name in AUTHENTICATORS:
            return name
        if any(not _is_constant(value) for value in _own(base).values()):
            return None
    return None


def _own(kind: type[Any]) -> Mapping[str, Any]:
    return {name: value for name, value in vars(kind).items() if not name.startswith("__")}


def _is_constant(value: Any) -> bool:
    return value is None or isinstance(value, (str, bytes, int, float, tuple))
