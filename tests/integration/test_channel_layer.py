"""Hints between processes, by Redis if it runs; without them changes arrive a little later."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import uuid

import pytest

from django_sync.feed import notify
from django_sync.realtime import channel_layer

REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/15")


def redis_is_there() -> bool:
    host, _, rest = REDIS.removeprefix("redis://").partition(":")
    with socket.socket() as tried:
        tried.settimeout(1)
        return tried.connect_ex((host, int(rest.split("/")[0]))) == 0


LAYERS = ["channels_redis.core.RedisChannelLayer", "channels_redis.pubsub.RedisPubSubChannelLayer"]


def layers_of(backend, url=REDIS):
    """Settings of a layer that is this test's own."""
    host = {"address": url, "socket_timeout": 15}
    config = {"hosts": [host], "prefix": f"test-{uuid.uuid4()}"}
    return {"default": {"BACKEND": backend, "CONFIG": config}}


@pytest.fixture
def layers(settings):
    def use(backend, url=REDIS):
        settings.CHANNEL_LAYERS = layers_of(backend, url)

    return use


@pytest.mark.parametrize("backend", LAYERS)
def test_a_hint_reaches_another_process(layers, monkeypatch, backend):
    if not redis_is_there():
        pytest.skip("no Redis at TEST_REDIS_URL")
    layers(backend)
    notifier = channel_layer.ChannelNotifier()
    monkeypatch.setattr(channel_layer, "me", iter_of("there", "here"))

    async def story():
        hints: asyncio.Queue[object] = asyncio.Queue()
        answering = asyncio.create_task(channel_layer.receive_hints(hints.put_nowait))
        try:
            assert await asyncio.wait_for(hints.get(), 20) is None  # it has joined
            notifier(None)
            assert await asyncio.wait_for(hints.get(), 20) is None
            notifier("7")
            assert await asyncio.wait_for(hints.get(), 20) == "7"
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)

    asyncio.run(story())


def iter_of(listener, sender):
    """``me()`` of two processes: the notifier's thread is the other one."""
    main = threading.main_thread()
    return lambda: listener if threading.current_thread() is main else sender


def test_a_process_does_not_get_its_own_hints(layers):
    if not redis_is_there():
        pytest.skip("no Redis at TEST_REDIS_URL")
    layers(LAYERS[0])
    notifier = channel_layer.ChannelNotifier()

    async def story():
        hints: asyncio.Queue[object] = asyncio.Queue()
        answering = asyncio.create_task(channel_layer.receive_hints(hints.put_nowait))
        try:
            await asyncio.wait_for(hints.get(), 20)
            notifier(None)
            await asyncio.to_thread(wait_until_sent, notifier)
            found = channel_layer.layer()
            await found.group_send(
                channel_layer.GROUP, {"type": "sync.hint", "user": "last", "by": "x"}
            )
            assert await asyncio.wait_for(hints.get(), 20) == "last"
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)

    asyncio.run(story())


def wait_until_sent(notifier):
    """Wait until the notifier's thread has sent all hints."""
    while not notifier.idle.wait(20):
        raise AssertionError("the notifier does not become idle")


def test_a_layer_that_is_gone_costs_the_writer_nothing(layers, caplog):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        layers(LAYERS[0], f"redis://127.0.0.1:{nobody.getsockname()[1]}/0")
    notifier = channel_layer.ChannelNotifier()
    with caplog.at_level("WARNING", logger="django_sync.realtime"):
        notifier(None)
        wait_until_sent(notifier)
        notifier(None)
        wait_until_sent(notifier)
    warnings = [r for r in caplog.records if "takes no hints" in r.getMessage()]
    assert len(warnings) == 1, "once, not for each write"


def test_without_a_layer_that_leaves_the_process_no_thread_is_started(settings):
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    assert channel_layer.layer() is None
    before = threading.active_count()
    channel_layer.ChannelNotifier()(None)
    assert threading.active_count() == before


def test_there_is_a_notifier_where_the_project_has_a_layer():
    assert any(
        isinstance(notifier, channel_layer.ChannelNotifier) for notifier in notify._notifiers
    )
