"""The example's settings with a key by which push services would know it. No push is sent."""

from typing import Any

from example_project.settings import *  # noqa: F403 - settings are made so
from example_project.settings import DJANGO_SYNC as EXAMPLE

DJANGO_SYNC: dict[str, Any] = {
    **EXAMPLE,
    "PUSH_VAPID_KEY": "MYxszt7krO8w4VGDnN9L6-FILB31ZsmwcrQrX7-KqWg",
}
