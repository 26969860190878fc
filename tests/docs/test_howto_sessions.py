"""docs/howto/operations/sessions.md does what it says."""

import json
import logging
import logging.config
import uuid
from io import StringIO

import pytest

from django_sync.logs import FACTS
from django_sync.models import Order
from tests.docs.howto import page, run, snippets
from tests.integration.conftest import people  # noqa: F401  # a fixture

CONSOLE, ORDERS, PROBES, _KUBERNETES, _HAPROXY, LOGGING, LINE = snippets("sessions")


@pytest.mark.django_db
def test_a_stolen_phone(people):  # noqa: F811  # the fixture
    told = run(ORDERS)
    told["lost"](people.ada, people.grace)
    assert (Order.objects.get().user, Order.objects.get().by) == (people.ada, people.grace)
    told["found"](people.ada)
    assert not Order.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("line", PROBES.body.strip().splitlines()[:1])
def test_probes(client, line):
    _, path, status, *body = line.split()
    response = client.get(path)
    assert response.status_code == int(status)
    assert " ".join(body).startswith(json.dumps(response.json()))


@pytest.mark.django_db
def test_logging_is_set_up_so(client):
    root, before = logging.getLogger("django_sync"), logging.getLogger("django_sync").level
    handlers, out = list(root.handlers), StringIO()
    try:
        logging.config.dictConfig(run(LOGGING)["LOGGING"])
        root.handlers[-1].setStream(out)
        client.get("/sync/changes/", headers={"Sync-Client": str(uuid.uuid4())})
    finally:
        root.handlers, root.level = handlers, before
        root.setLevel(before)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    (line,) = [line for line in lines if line["logger"] == "django_sync.requests"]
    shown = json.loads(LINE.body)
    assert line["code"] == "not_authenticated"
    assert set(shown) - {"time", "level", "logger", "message"} <= set(FACTS)
    assert {"time", "level", "logger", "message"} <= set(line) & set(shown)


def test_the_console_and_the_pages_names():
    assert "sync_status" in CONSOLE.body
    for name in ("KEEP_DAYS", "HEARTBEAT", "ALLOWED_HOSTS"):
        assert f"`{name}`" in page("sessions")
