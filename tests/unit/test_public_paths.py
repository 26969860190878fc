"""The import paths that projects and the docs use. Moving a module must not change them."""

from importlib import import_module

import pytest

PUBLIC = [
    "django_sync.admin.SyncAdminMixin",
    "django_sync.admin.SyncInlineMixin",
    "django_sync.client.SyncClient",
    "django_sync.client.TokenAuth",
    "django_sync.client.webhooks.Receiver",
    "django_sync.engine.history",
    "django_sync.errors.SyncError",
    "django_sync.errors.Offline",
    "django_sync.errors.ValidationFailed",
    "django_sync.fields.RevisionField",
    "django_sync.fields.ScopeField",
    "django_sync.fields.SyncIdField",
    "django_sync.http.schema.each_collection",
    "django_sync.http.urls.urlpatterns",
    "django_sync.logs.JsonFormatter",
    "django_sync.merge.ClientWins",
    "django_sync.merge.LastWrite",
    "django_sync.merge.Manual",
    "django_sync.merge.Resolver",
    "django_sync.merge.ServerWins",
    "django_sync.models.Decision",
    "django_sync.models.SyncModel",
    "django_sync.protocol.signing.verify",
    "django_sync.push.console.Console",
    "django_sync.push.locmem.Locmem",
    "django_sync.push.outbound.Outbound",
    "django_sync.push.schedule.SCHEDULE",
    "django_sync.push.sender.Outcome",
    "django_sync.push.sender.Receipt",
    "django_sync.push.sender.Sender",
    "django_sync.push.tasks.tick",
    "django_sync.push.webhook.Webhook",
    "django_sync.push.webpush.WebPush",
    "django_sync.realtime.live",
    "django_sync.sync.SyncModelPermissions",
    "django_sync.sync.SyncRelatedField",
    "django_sync.sync.SyncSerializerMixin",
    "django_sync.sync.SyncViewSetMixin",
    "django_sync.sync.block",
    "django_sync.sync.end",
    "django_sync.sync.invalidate",
    "django_sync.sync.refresh",
    "django_sync.sync.register",
    "django_sync.sync.unblock",
    "django_sync.testing.clocks.Clock",
    "django_sync.testing.faults.FaultyTransport",
    "django_sync.testing.resolvers.ResolverContract",
    "django_sync.testing.senders.SenderContract",
    "django_sync.testing.server.MemoryServer",
]


@pytest.mark.parametrize("path", PUBLIC)
def test_a_public_path_stays(path: str) -> None:
    module, name = path.rsplit(".", 1)
    assert hasattr(import_module(module), name)
