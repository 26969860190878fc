"""What a client may say of itself, read strictly."""

import uuid

import pytest

from django_sync import errors
from django_sync.protocol import Network, Push, SessionChange, SessionRequest

CLIENT = uuid.UUID(int=7)


def request(**members):
    return {"client_id": str(CLIENT), "transports": ["poll"]} | members


def test_what_is_left_out_is_not_told():
    asked = SessionRequest.from_json(request())
    assert (asked.client_id, asked.told) == (CLIENT, {"transports": ["poll"]})
    assert SessionChange.from_json({}).told == {}


def test_all_of_it():
    told = {
        "name": "Ada's phone",
        "platform": "ios",
        "collections": ["cards", "boards"],
        "transports": ["sse", "push", "poll"],
        "failed": ["websocket"],
        "network": {"type": "wifi", "metered": False, "rtt_ms": 40},
        "foreground": False,
    }
    assert SessionChange.from_json(told).told == told
    assert SessionRequest.from_json(request(**told)).told == told


def test_a_null_is_the_members_default():
    given = ("name", "platform", "collections", "failed", "network", "foreground", "push")
    assert SessionChange.from_json(dict.fromkeys(given)).told == {
        "name": "",
        "platform": "",
        "collections": None,
        "failed": [],
        "network": {},
        "foreground": True,
    }
    assert Network.from_json({}) == Network.from_json(dict.fromkeys(Network.MEMBERS)) == Network()


def test_each_name_counts_once():
    told = SessionChange.from_json({"collections": ["b", "a", "b"], "failed": ["sse"] * 9}).told
    assert told == {"collections": ["b", "a"], "failed": ["sse"]}


def test_how_it_is_woken():
    told = {"kind": "fcm", "token": "secret"}
    changed, opened = (
        SessionChange.from_json({"push": told}),
        SessionRequest.from_json(request(push=told)),
    )
    assert changed.push == opened.push == Push("fcm", {"token": "secret"})
    assert changed.told == {}


def test_not_any_more_is_something_else_than_nothing_said():
    assert [SessionChange.from_json(b).tells_push for b in ({"push": None}, {})] == [True, False]
    assert SessionChange.from_json({"push": None}).push is None


WRONG = [
    {"client_id": "x"},
    {"client_id": None},
    {"transports": None},
    {"transports": "poll"},
    {"transports": ["pigeon"]},
    {"transports": [["poll"]]},
    {"failed": ["pigeon"]},
    {"failed": {"sse": True}},
    {"name": 1},
    {"name": "x" * 201},
    {"name": "a\0b"},
    {"name": "\ud800"},
    {"platform": ["ios"]},
    {"platform": "x" * 201},
    {"collections": "cards"},
    {"collections": [1]},
    {"collections": [[]]},
    {"network": "wifi"},
    {"network": []},
    {"network": {"downlink": 3}},
    {"network": {"type": "x" * 31}},
    {"network": {"type": 4}},
    {"network": {"metered": 1}},
    {"network": {"metered": "yes"}},
    {"network": {"rtt_ms": -1}},
    {"network": {"rtt_ms": 1.5}},
    {"network": {"rtt_ms": True}},
    {"network": {"rtt_ms": 2**53}},
    {"foreground": "yes"},
    {"foreground": 0},
    {"push": "token"},
    {"push": {}},
    {"push": {"kind": 1}},
    {"push": {"kind": "x" * 31}},
    {"other": 1},
    {"id": str(CLIENT)},
]


@pytest.mark.parametrize("members", WRONG, ids=str)
def test_what_is_malformed_is_invalid(members):
    with pytest.raises(errors.Invalid):
        SessionRequest.from_json(request(**members))
    with pytest.raises(errors.Invalid):
        SessionChange.from_json(members)


@pytest.mark.parametrize("missing", ["client_id", "transports"])
def test_what_is_required(missing):
    body = request()
    del body[missing]
    with pytest.raises(errors.Invalid, match=missing):
        SessionRequest.from_json(body)


@pytest.mark.parametrize("body", [None, [], "x", 1])
def test_a_body_that_is_no_object(body):
    for kind in (SessionRequest, SessionChange):
        with pytest.raises(errors.Invalid):
            kind.from_json(body)


def test_a_subscription_may_not_be_bottomless():
    deep = {}
    for _ in range(200):
        deep = {"subscription": deep}
    with pytest.raises(errors.Invalid, match="deep"):
        SessionChange.from_json({"push": deep})
