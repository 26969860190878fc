"""``sync_vapid``: make the key that identifies this server to push services."""

from __future__ import annotations

import base64
from argparse import ArgumentParser
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from django.core.management import CommandError

from ...conf import conf
from ..shared import SyncCommand


class Command(SyncCommand):
    help = "Make a VAPID key for Web Push, and print the settings. Nothing is written."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("subject", help="The contact for push services: mailto:… or https://…")

    def handle(self, *args: Any, **options: Any) -> None:
        subject = options["subject"]
        if not subject.startswith(("mailto:", "https://")):
            raise CommandError("The subject must begin with mailto: or https://")
        if conf.PUSH_VAPID_KEY:
            raise CommandError(
                "DJANGO_SYNC[“PUSH_VAPID_KEY”] has a key already. Another key makes every "
                "subscription of a browser invalid; remove the key first if you mean that."
            )
        key = ec.generate_private_key(ec.SECP256R1())
        private = base64url(key.private_numbers().private_value.to_bytes(32, "big"))
        numbers = key.public_key().public_numbers()
        point = b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
        settings = {
            "PUSH_VAPID_KEY": private,
            "PUSH_VAPID_SUBJECT": subject,
            "public_key": base64url(point),
        }
        if options["json"]:
            self.write_json(settings)
            return
        self.stdout.write(
            "DJANGO_SYNC = {\n"
            f'    "PUSH_VAPID_KEY": "{private}",  # a secret\n'
            f'    "PUSH_VAPID_SUBJECT": "{subject}",\n'
            "}\n"
            f"# applicationServerKey, for PushManager.subscribe(): {settings['public_key']}"
        )


def base64url(raw: bytes) -> str:
    """The notation of keys in browsers and RFC 8292."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
