"""A server that answers a Python client at once: what is left of an upload's time is the client's.

It applies every create, and its pages hold what was created since; nothing is checked. ``spent``
is its own CPU time, to be taken off.
"""

from __future__ import annotations

import json
import time
from typing import Any

import httpx2

from django_sync.protocol import PROTOCOL_VERSION

EPOCH = "00000000-0000-4000-8000-000000000000"


class Instant(httpx2.BaseTransport):
    """An httpx2 transport."""

    def __init__(self, batch_size: int = 500, page_size: int = 1000) -> None:
        self.batch_size, self.page_size = batch_size, page_size
        self.log: list[dict[str, Any]] = []
        self.requests = 0
        self.spent = 0.0

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        began = time.process_time()
        self.requests += 1
        path = request.url.path.rpartition("/sync/")[2]
        if path == "mutations/":
            answer = self.batch(json.loads(request.read()))
        elif path == "changes/":
            answer = self.page(int(request.url.params.get("cursor", "0")))
        else:
            limits = {"batch_size": self.batch_size, "body_bytes": 5_242_880}
            answer = {"protocol": PROTOCOL_VERSION, "epoch": EPOCH, "limits": limits}
        content = json.dumps(answer, separators=(",", ":")).encode()
        self.spent += time.process_time() - began
        return httpx2.Response(200, content=content, headers={"Content-Type": "application/json"})

    def batch(self, body: dict[str, Any]) -> dict[str, Any]:
        results = []
        for mutation in body["mutations"]:
            head = {"collection": mutation["collection"], "id": mutation["object_id"]}
            record = {**head, "revision": 1, "scope": "", "object": mutation["fields"]}
            self.log.append({"op": "put", **record})
            results.append({"id": mutation["id"], "status": "applied", "revision": 1})
        return {"results": results}

    def page(self, since: int) -> dict[str, Any]:
        changes = self.log[since : since + self.page_size]
        end = since + len(changes)
        more = end < len(self.log)
        return {"changes": changes, "cursor": str(end), "has_more": more, "epoch": EPOCH}
