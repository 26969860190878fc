"""Hints between processes, by Redis where there is one; without them all comes a little later."""

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
def test_a_bell_here_is_heard_there(layers, monkeypatch, backend):
    if not redis_is_there():
        pytest.skip("no Redis at TEST_REDIS_URL")
    layers(backend)
    bell = channel_layer.Doorbell()
    monkeypatch.setattr(channel_layer, "me", iter_of("there", "here"))

    async def story():
        heard: asyncio.Queue[object] = asyncio.Queue()
        answering = asyncio.create_task(channel_layer.answer(heard.put_nowait))
        try:
            assert await asyncio.wait_for(heard.get(), 20) is None  # having joined, it looks
            bell(None)
            assert await asyncio.wait_for(heard.get(), 20) is None
            bell("7")
            assert await asyncio.wait_for(heard.get(), 20) == "7"
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)

    asyncio.run(story())


def iter_of(listener, sender):
    """``me()`` as two processes would say it: the bell's thread is the other one."""
    main = threading.main_thread()
    return lambda: listener if threading.current_thread() is main else sender


def test_its_own_hints_a_process_does_not_hear(layers):
    if not redis_is_there():
        pytest.skip("no Redis at TEST_REDIS_URL")
    layers(LAYERS[0])
    bell = channel_layer.Doorbell()

    async def story():
        heard: asyncio.Queue[object] = asyncio.Queue()
        answering = asyncio.create_task(channel_layer.answer(heard.put_nowait))
        try:
            await asyncio.wait_for(heard.get(), 20)
            bell(None)
            await asyncio.to_thread(told, bell)
            found = channel_layer.layer()
            await found.group_send(
                channel_layer.GROUP, {"type": "sync.hint", "user": "last", "by": "x"}
            )
            assert await asyncio.wait_for(heard.get(), 20) == "last"
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)

    asyncio.run(story())


def told(bell):
    """Until the bell's thread has told what it was to tell."""
    while not bell.idle.wait(20):
        raise AssertionError("the bell does not come to rest")


def test_a_layer_that_is_gone_costs_the_writer_nothing(layers, caplog):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        layers(LAYERS[0], f"redis://127.0.0.1:{nobody.getsockname()[1]}/0")
    bell = channel_layer.Doorbell()
    with caplog.at_level("WARNING", logger="django_sync.realtime"):
        bell(None)
        told(bell)
        bell(None)
        told(bell)
    said = [r for r in caplog.records if "takes no hints" in r.getMessage()]
    assert len(said) == 1, "once, not for each write"


def test_without_a_layer_that_leaves_the_process_no_thread_is_started(settings):
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    assert channel_layer.layer() is None
    before = threading.active_count()
    channel_layer.Doorbell()(None)
    assert threading.active_count() == before


def test_a_bell_is_hung_up_where_the_project_has_a_layer():
    assert any(isinstance(bell, channel_layer.Doorbell) for bell in notify._notifiers)
