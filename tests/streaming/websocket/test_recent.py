from __future__ import annotations

from streaming.websocket.recent import Recent


def test_it_keeps_the_newest_alone() -> None:
    recent = Recent(2)
    for member in "abc":
        recent.add(member)
    assert recent.members() == {"b", "c"}
    assert "a" not in recent


def test_what_is_added_again_is_the_newest_again() -> None:
    recent = Recent(2)
    for member in "abac":
        recent.add(member)
    assert recent.members() == {"a", "c"}


def test_the_oldest_is_taken_out_first() -> None:
    recent = Recent(3)
    for member in "abc":
        recent.add(member)
    recent.discard("b")
    recent.discard("x")
    assert [recent.pop(), recent.pop(), len(recent)] == ["a", "c", 0]


def test_two_have_nothing_in_common() -> None:
    one, other = Recent(2), Recent(2)
    one.add("a")
    assert (len(one), len(other)) == (1, 0)
