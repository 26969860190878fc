"""The ladder: who is told to use which transport, what comes after it, and why."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_sync.protocol import Network, Transport
from django_sync.sessions.transport_choice import (
    PREFERENCE,
    RULES,
    SLOW_MS,
    Situation,
    choose,
    offered,
)

WS, SSE, LONG, POLL, PUSH = (Transport(name) for name in (*PREFERENCE, "push"))
ALL = frozenset(PREFERENCE)

FULL = Situation(offered=ALL, able=ALL)
BACKGROUND = replace(FULL, foreground=False)
METERED = replace(FULL, network=Network(metered=True))
SLOW = replace(FULL, network=Network(rtt_ms=SLOW_MS))


@pytest.mark.parametrize(
    ("situation", "ladder", "rarer"),
    [
        (FULL, (WS, SSE, LONG, POLL), 1),
        (replace(FULL, able=frozenset()), (POLL,), 1),
        (replace(FULL, offered=frozenset()), (POLL,), 1),
        (replace(FULL, able=frozenset({SSE})), (SSE, POLL), 1),
        (replace(FULL, able=frozenset({LONG, POLL})), (LONG, POLL), 1),
        (replace(FULL, offered=frozenset({LONG, POLL})), (LONG, POLL), 1),
        (replace(FULL, able=frozenset({WS}), offered=frozenset({SSE})), (POLL,), 1),
        (replace(FULL, failed=frozenset({WS})), (SSE, LONG, POLL), 1),
        (replace(FULL, failed=frozenset({SSE})), (WS, LONG, POLL), 1),
        (replace(FULL, failed=ALL), (POLL,), 1),
        (replace(FULL, able=frozenset({PUSH})), (POLL,), 1),
        (replace(FULL, able=ALL | {PUSH}), (WS, SSE, LONG, POLL), 1),
        (BACKGROUND, (POLL,), 10),
        (replace(BACKGROUND, able=ALL | {PUSH}), (POLL,), 10),
        (METERED, (WS, SSE, POLL), 4),
        (replace(METERED, failed=frozenset({WS, SSE})), (POLL,), 4),
        (replace(METERED, foreground=False), (POLL,), 10),
        (SLOW, (SSE, LONG, POLL), 1),
        (replace(FULL, network=Network(rtt_ms=SLOW_MS - 1)), (WS, SSE, LONG, POLL), 1),
        (replace(FULL, network=Network(rtt_ms=0)), (WS, SSE, LONG, POLL), 1),
        (replace(FULL, network=Network(metered=False)), (WS, SSE, LONG, POLL), 1),
        (replace(FULL, network=Network(type="cellular")), (WS, SSE, LONG, POLL), 1),
        (replace(FULL, network=Network("cellular", True, 9999)), (SSE, POLL), 4),
    ],
)
def test_the_ladder_as_it_is_left(situation, ladder, rarer):
    choice = choose(situation)
    assert (choice.transport, *choice.fallback) == ladder
    assert choice.poll_interval == situation.poll_interval * rarer
    assert choice.upgrade_after == situation.upgrade_after * rarer


@pytest.mark.parametrize(
    ("situation", "reasons"),
    [
        (FULL, ("The best that is left is websocket.",)),
        (
            Situation(offered=ALL - {WS}, able=ALL - {SSE} | {PUSH}, failed=frozenset({LONG})),
            (
                "The server does not offer websocket.",
                "The client cannot do sse.",
                "The client says that long-poll failed.",
                "Push is no way to be live: it wakes who sleeps.",
                "The best that is left is poll.",
            ),
        ),
        (
            BACKGROUND,
            (
                RULES[0].reason,
                "The best that is left is poll.",
                "Polls are 10 times as far apart as usual.",
            ),
        ),
    ],
)
def test_it_says_why_in_plain_sentences(situation, reasons):
    assert choose(situation).reasons == reasons


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ([], (POLL,)),
        (["poll"], (POLL,)),
        (["poll", "long-poll"], (LONG, POLL)),
        (["poll", "sse", "websocket", "long-poll", "sse"], PREFERENCE),
        (["websocket"], (WS, POLL)),
        (["push", "pigeon"], (POLL,)),
    ],
)
def test_what_the_settings_offer(named, told):
    assert offered(named) == told


some = st.frozensets(st.sampled_from(Transport))
situations = st.builds(
    Situation,
    offered=some,
    able=some,
    failed=some,
    network=st.builds(
        Network,
        type=st.none() | st.text(),
        metered=st.none() | st.booleans(),
        rtt_ms=st.none() | st.integers(0, 10_000),
    ),
    foreground=st.booleans(),
    poll_interval=st.integers(1, 3600),
    upgrade_after=st.integers(1, 3600),
)


@given(situations)
def test_nothing_that_one_of_them_cannot_do_and_nothing_that_failed(situation):
    choice = choose(situation)
    ladder = (choice.transport, *choice.fallback)
    assert ladder[-1] is POLL
    assert set(ladder[:-1]) <= (situation.offered & situation.able) - situation.failed - {PUSH}


@given(situations)
def test_each_step_is_further_down(situation):
    choice = choose(situation)
    places = [PREFERENCE.index(t) for t in (choice.transport, *choice.fallback)]
    assert places == sorted(set(places))


@given(situations, st.sampled_from(PREFERENCE[:-1]))
def test_one_that_fails_is_passed_over_and_nothing_else_changes(situation, transport):
    before = choose(situation)
    after = choose(replace(situation, failed=situation.failed | {transport}))
    kept = [t for t in (before.transport, *before.fallback) if t is not transport]
    assert [after.transport, *after.fallback] == kept


@given(situations)
def test_a_choice_always_says_why_and_is_never_hastier_than_the_settings(situation):
    choice = choose(situation)
    assert all(reason.endswith(".") and len(reason) < 100 for reason in choice.reasons)
    assert f"The best that is left is {choice.transport}." in choice.reasons
    assert choice.poll_interval >= situation.poll_interval
    assert choice.upgrade_after >= situation.upgrade_after


@given(situations)
def test_the_foreground_is_never_served_worse_than_the_background(situation):
    front, back = (choose(replace(situation, foreground=where)) for where in (True, False))
    assert PREFERENCE.index(front.transport) <= PREFERENCE.index(back.transport)
    assert front.poll_interval <= back.poll_interval


def test_each_rule_applies_by_itself_and_leaves_poll():
    assert not any(rule.applies(FULL) for rule in RULES)
    for rule, situation in zip(RULES, (BACKGROUND, METERED, SLOW), strict=True):
        assert [r for r in RULES if r.applies(situation)] == [rule]
        assert rule.leaves_out
        assert POLL not in rule.leaves_out
