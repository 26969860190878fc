"""The example's settings with a key by which push services would know it. No push is sent."""

from example_project import settings as example
from example_project.settings import *  # noqa: F403 - settings are made so

KEY: object = "MYxszt7krO8w4VGDnN9L6-FILB31ZsmwcrQrX7-KqWg"
# Written past the name, whose values are typed by the example.
globals()["DJANGO_SYNC"] = {**example.DJANGO_SYNC, "PUSH_VAPID_KEY": KEY}
