"""The demo's users and boards. Adding them twice changes nothing that is there.

Works on the models of any migration state: it takes a registry of apps, and uses what
migration 0001 knows.
"""

from datetime import timedelta
from typing import Any

from django.apps.registry import Apps
from django.contrib.auth.hashers import make_password
from django.utils import timezone

USERS = ("ada", "grace", "alan")
ADMIN = "admin"

BOARDS: list[dict[str, Any]] = [
    {
        "name": "Launch",
        "color": "#3465a4",
        "owner": "ada",
        "members": {"grace": "editor", "alan": "viewer"},
        "labels": {"urgent": "#cc0000", "docs": "#4e9a06", "hardware": "#75507b"},
        "cards": [
            ("Write the press release", "done", ["docs"], [], {"votes": 2}),
            (
                "Check pump 7",
                "doing",
                ["urgent", "hardware"],
                [("grace", "It hums.")],
                {"due": 2, "checklist": {"Valves": True, "Bearings": True, "Seals": False}},
            ),
            ("Book the hall", "doing", [], [("ada", "Tuesday or Thursday?")], {"due": 9}),
            (
                "Translate the manual",
                "todo",
                ["docs"],
                [],
                {"votes": 3, "checklist": {"Chapters 1 to 4": False, "The index": False}},
            ),
            ("Invite the neighbours", "todo", [], [], {"due": 16}),
        ],
    },
    {
        "name": "Research",
        "color": "#4e9a06",
        "owner": "grace",
        "members": {"ada": "viewer"},
        "labels": {"idea": "#c4a000", "measured": "#4e9a06"},
        "cards": [
            (
                "Compare three compilers",
                "doing",
                ["measured"],
                [("grace", "Mine is fastest.")],
                {"votes": 1},
            ),
            ("Find the moth", "done", [], [], {"votes": 4}),
            ("Shorten a nanosecond", "todo", ["idea"], [], {"due": 30}),
        ],
    },
    {
        "name": "Private",
        "color": "#75507b",
        "owner": "alan",
        "members": {},
        "labels": {"run": "#f57900"},
        "cards": [
            ("Train for the marathon", "doing", ["run"], [("alan", "2:46:03")], {"due": 60}),
            ("Read about zebras’ stripes", "todo", [], [], {}),
        ],
    },
]


def add_rows(apps: Apps) -> None:
    """Add the users and boards of the demo that are missing."""
    users = {name: _user(apps, name) for name in USERS}
    _user(apps, ADMIN, is_staff=True, is_superuser=True)
    for wanted in BOARDS:
        _board(apps, wanted, users)


def _user(apps: Apps, name: str, **flags: bool) -> Any:
    user, created = apps.get_model("auth", "User").objects.get_or_create(
        username=name,
        defaults={"password": make_password(f"{name}-demo"), "email": f"{name}@example.org"}
        | flags,
    )
    # Only for a user made here: a token that everybody knows is not for one who was there before.
    if created and not flags:
        apps.get_model("authtoken", "Token").objects.create(key=f"demo-{name}", user=user)
    return user


def _board(apps: Apps, wanted: dict[str, Any], users: dict[str, Any]) -> None:
    board, created = apps.get_model("boards", "Board").objects.get_or_create(
        name=wanted["name"], owner=users[wanted["owner"]], defaults={"color": wanted["color"]}
    )
    if not created:
        return
    for name, role in wanted["members"].items():
        board.memberships.create(user=users[name], role=role)
    labels = {
        name: board.labels.create(name=name, color=color)
        for name, color in wanted["labels"].items()
    }
    for position, (title, column, names, comments, more) in enumerate(wanted["cards"], start=1):
        card = board.cards.create(
            title=title, column=column, position=float(position), **_fields(more)
        )
        card.labels.set([labels[name] for name in names])
        for author, text in comments:
            card.comments.create(author=users[author], text=text)


def _fields(more: dict[str, Any]) -> dict[str, Any]:
    """A card's further fields: ``due`` is told in days from now, a checklist by its items."""
    fields = dict(more)
    if "due" in more:
        fields["due"] = timezone.localdate() + timedelta(days=more["due"])
    if "checklist" in more:
        items = more["checklist"].items()
        fields["checklist"] = [{"text": text, "done": done} for text, done in items]
    return fields
