"""The page about a whole site shows the files that tests/deployment runs."""

from __future__ import annotations

import ast
import re

from django_sync.conf import SETTINGS
from django_sync.realtime import channel_layer
from tests.tools.pages import ROOT

from .howto import page, run, snippets

DRAWING, SETTINGS_PY, LAYER, *COMMANDS, NGINX = snippets("deployment")
FILES = ROOT / "example_project/deployment"


def test_the_settings_are_those_that_run():
    named, _, shown = SETTINGS_PY.body.partition("\n")
    source = (ROOT / named.removeprefix("# ")).read_text()
    docstring = ast.parse(source).body[0].end_lineno or 0
    assert "\n".join(source.splitlines()[docstring:]).strip() == shown.strip()


def test_the_configuration_of_nginx_is_the_one_that_runs():
    assert NGINX.body == (FILES / "nginx.conf").read_text()


def test_proxies_wait_for_longer_than_the_server_is_silent():
    live = NGINX.body.partition("location /sync/live/")[2].partition("}")[0]
    seconds = [int(s) for s in re.findall(r"proxy_(?:read|send)_timeout (\d+)s;", live)]
    assert len(seconds) == 2
    assert min(seconds) > max(2 * SETTINGS["HEARTBEAT"].default, SETTINGS["WAIT_SECONDS"].default)
    (mebibytes,) = re.findall(r"client_max_body_size (\d+)m;", NGINX.body)
    assert int(mebibytes) * 2**20 > SETTINGS["BODY_BYTES"].default


def test_the_layer_is_one_that_reaches_others(settings):
    settings.CHANNEL_LAYERS = run(LAYER)["CHANNEL_LAYERS"]
    found = channel_layer.layer()
    assert found.hosts[0]["socket_timeout"] > found.brpop_timeout


def test_each_process_of_nginx_is_started():
    bound = {block.body.split()[-1].rpartition(":")[2] for block in COMMANDS}
    assert bound == set(re.findall(r"server 127\.0\.0\.1:(\d+)", NGINX.body))
    assert "gunicorn" in page("deployment")
