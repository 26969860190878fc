"""The demo's users and boards. Adding them twice changes nothing that is there.

Works on the models of any migration state: it takes a registry of apps, and uses what
migration 0001 knows.
"""

from typing import Any

from django.apps.registry import Apps
from django.contrib.auth.hashers import make_password

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
            ("Write the press release", "done", ["docs"], []),
            ("Check pump 7", "doing", ["urgent", "hardware"], [("grace", "It hums.")]),
            ("Book the hall", "doing", [], [("ada", "Tuesday or Thursday?")]),
            ("Translate the manual", "todo", ["docs"], []),
            ("Invite the neighbours", "todo", [], []),
        ],
    },
    {
        "name": "Research",
        "color": "#4e9a06",
        "owner": "grace",
        "members": {"ada": "viewer"},
        "labels": {"idea": "#c4a000", "measured": "#4e9a06"},
        "cards": [
            ("Compare three compilers", "doing", ["measured"], [("grace", "Mine is fastest.")]),
            ("Find the moth", "done", [], []),
            ("Shorten a nanosecond", "todo", ["idea"], []),
        ],
    },
    {
        "name": "Private",
        "color": "#75507b",
        "owner": "alan",
        "members": {},
        "labels": {"run": "#f57900"},
        "cards": [
            ("Train for the marathon", "doing", ["run"], [("alan", "2:46:03")]),
            ("Read about zebras’ stripes", "todo", [], []),
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
    for position, (title, column, names, comments) in enumerate(wanted["cards"], start=1):
        card = board.cards.create(title=title, column=column, position=float(position))
        card.labels.set([labels[name] for name in names])
        for author, text in comments:
            card.comments.create(author=users[author], text=text)
