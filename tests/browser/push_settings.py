"""The example's settings with a key by which push services would know it. No push is sent."""

from example_project.settings import *  # noqa: F403 - settings are made so
from example_project.settings import DJANGO_SYNC

DJANGO_SYNC |= {"PUSH_VAPID_KEY": "MYxszt7krO8w4VGDnN9L6-FILB31ZsmwcrQrX7-KqWg"}
