"""Remembers for one heartbeat which user sent a pull, so that equal pulls skip authentication.

When the project's middleware and view have answered a pull, an identity is stored. For one
heartbeat, an equal request counts as a request of the same caller. What the caller may see is never
stored here.

Two requests are equal if all is equal that authentication or the project's code could look at:
method, path, address, each header, and each parameter but ``cursor``. The key is a keyed hash, so
it contains no credential.

An identity is stored only if each middleware and each authenticator is on the lists below, since
their effect on an equal request is known. In all other projects each pull runs as a request.
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
from ..protocol import paths
from .routes import Scope

if TYPE_CHECKING:  # models: an asgi.py imports this package before it has set up Django
    from ..drf.caller import Caller

MOST = 5_000
"""Identities that a process keeps at most; each holds its last request, about 10 KiB."""
RENEW = 0.8
"""The fraction of a heartbeat after which an identity is renewed."""
PARAMETERS = frozenset({"cursor", "collections", "limit", "wait"})
_OF_THE_REPLICA = (b"sync-client", b"sync-session")
"""Headers that name the replica. What the caller sees does not depend on them."""

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
"""Middleware that does the same for equal requests, and stores nothing about them."""
VIEWS = frozenset({"ChangesView", "LiveChangesView"})
TOKEN = "rest_framework.authentication.TokenAuthentication"  # noqa: S105  # a class
SESSION = "rest_framework.authentication.SessionAuthentication"
BASIC = "rest_framework.authentication.BasicAuthentication"
JWT = "rest_framework_simplejwt.authentication.JWTAuthentication"
AUTHENTICATORS = frozenset({TOKEN, SESSION, BASIC, JWT})


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull: the key of its identity, and its cursor (``""``: the first pull of a replica)."""

    key: bytes
    cursor: str


class RequestKeys:
    """Makes the keys of requests; each process has its own."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def pull_request(self, scope: Scope) -> PullRequest | None:
        """A request as a pull; ``None`` where it is anything else, or has unusual parameters."""
        if scope["type"] != "http" or scope["method"] != "GET":
            return None
        if not scope["path"].endswith(f"/{paths.CHANGES}") or _has_body(scope["headers"]):
            return None
        query = dict(pairs := _pairs(scope))
        if len(pairs) > len(query) or not PARAMETERS.issuperset(query):
            return None
        cursor = query.pop("cursor", "")
        return PullRequest(self._hash(scope, sorted(query.items()), scope["headers"]), cursor)

    def viewer(self, scope: Scope) -> bytes:
        """The key of all requests that see the same, whichever replica and page size they name."""
        query = [pair for pair in _pairs(scope) if pair[0] == "collections"]
        headers = [pair for pair in scope["headers"] if pair[0].lower() not in _OF_THE_REPLICA]
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
    """A caller who was authenticated, and all that is needed to answer their pulls.

    ``request`` is the request that was authenticated, ``headers`` are those of its answer,
    ``facts`` the fields of its log line. ``is_counted``: the project has throttles. ``until`` and
    ``renew_at`` are times of ``time.monotonic``, in seconds. From ``renew_at`` on, one equal
    request runs in full and renews the identity. Otherwise all equal requests would run in full
    at ``until``.
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
        """The authenticator that accepted the request: one of ``AUTHENTICATORS``."""
        return authenticator_name(type(self.request.successful_authenticator)) or ""

    @property
    def language(self) -> str:
        """The language that a middleware chose for the request; ``""``: the site's."""
        return getattr(self.request._request, "LANGUAGE_CODE", "")

    def activate(self) -> AbstractContextManager[object]:
        """Set up the thread as while the request runs: its language and its script prefix."""
        set_script_prefix(self.request._request.script_name)
        return translation.override(self.language) if self.language else nullcontext()

    def fresh_request(self) -> Any:
        """A copy of Django's request as it came: no user and no session is loaded in it."""
        from ..drf.caller import ATTRIBUTE

        http = copy.copy(self.request._request)
        for name in (ATTRIBUTE, "_cached_user"):
            vars(http).pop(name, None)
        if hasattr(http, "session"):
            http.session = type(http.session)(http.session.session_key)
        return http

    def caller(self, user: Any, auth: Any) -> Caller:
        """The caller, as a request at this moment would make it; ``user`` is copied."""
        from ..drf.caller import Caller

        request = copy.copy(self.request)
        request._request = self.fresh_request()
        request.user, request.auth = copy.copy(user), auth
        caller = Caller(request)
        caller.client_id, caller.session_id = self.client_id, self.session_id
        return caller

    def is_throttled(self, caller: Caller) -> bool:
        """Count this pull with the project's throttles, as the view would."""
        view = type(self.view)()
        view.request, view.args, view.kwargs = caller.request, self.view.args, self.view.kwargs
        allowed = [one.allow_request(caller.request, view) for one in view.get_throttles()]
        return not all(allowed)


class IdentityCache:
    """The identities of one process; only for its event loop.

    ``has_had_any``: whether an identity was ever added.
    """

    def __init__(self) -> None:
        self.has_had_any = False
        self._known: OrderedDict[bytes, Identity] = OrderedDict()
        self._of_user: dict[str, set[bytes]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def find(self, key: bytes) -> Identity | None:
        """The identity of a request, if it was checked within a heartbeat.

        Shortly before the heartbeat ends, one request gets ``None``. It runs in full, and its
        answer renews the identity.
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
        """Whether this identity need not be renewed yet."""
        found = self._known.get(key)
        return found is not None and time.monotonic() < found.renew_at

    def add(self, key: bytes, identity: Identity) -> None:
        self._drop(key)
        self.has_had_any = True
        self._known[key] = identity
        self._of_user.setdefault(identity.user, set()).add(key)
        while len(self._known) > MOST:
            self._drop(next(iter(self._known)))

    def forget(self, user: str) -> None:
        """Remove a user's identities, since the user's access was announced to have changed."""
        for key in tuple(self._of_user.get(user, ())):
            self._drop(key)

    def _drop(self, key: bytes) -> None:
        gone = self._known.pop(key, None)
        if gone is not None:
            keys = self._of_user[gone.user]
            keys.discard(key)
            if not keys:
                del self._of_user[gone.user]


def identity_of(response: Any, viewer: bytes) -> Identity | None:
    """The identity of an answered pull; ``None`` where it must not be remembered."""
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
        facts=response.sync.log,
    )


def _strip(view: Any) -> None:
    """Release the page that was answered, and what the caller had loaded for it."""
    from ..drf.caller import ATTRIBUTE

    vars(view).pop("response", None)
    vars(view).pop("asker", None)
    vars(view.request._request).pop(ATTRIBUTE, None)


def _is_known(view: Any, response: Any) -> bool:
    """Whether all code that made this answer does the same for an equal request."""
    kind = type(view)
    return (
        kind.__module__ == "django_sync.http.views"
        and kind.__name__ in VIEWS
        and MIDDLEWARE.issuperset(settings.MIDDLEWARE)
        and all(authenticator_name(type(one)) for one in view.request.authenticators)
        and not response.cookies
        and _is_database_user(view.request.user)
        and _is_compact(response)
    )


def _is_token(request: Any, name: str) -> bool:
    return authenticator_name(type(request.successful_authenticator)) == name


def _is_database_user(user: Any) -> bool:
    from django.contrib.auth import get_user_model

    return isinstance(user, get_user_model()) and user.pk is not None


def _is_compact(response: Any) -> bool:
    """Whether the page was written as ``shared_pulls`` does: no indentation, not in ASCII."""
    page = response.data
    start = b'{"changes":[],' if not page["changes"] else b'{"changes":[{"'
    wanted = getattr(response.accepted_renderer, "ensure_ascii", True)
    return response.content.startswith(start) and not wanted


def authenticator_name(kind: type[Any]) -> str | None:
    """The name in ``AUTHENTICATORS`` of a class; ``None`` for any other class.

    A subclass that only sets constants counts as its base.
    """
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
