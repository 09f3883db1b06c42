"""Who holds places: all, the anonymous, and those of one address among these."""

from __future__ import annotations

from streaming.admission.crowd import USER, Asker, Crowd, Taken, asker_of

SCHOOL, HOME = Asker(True, "school"), Asker(True, "home")


def test_a_users_address_does_not_count() -> None:
    assert asker_of("user:1", 1, "school") == USER
    assert asker_of("anonymous:x", None, "school") == SCHOOL
    assert asker_of("jwt:https://host.example:ada", None, "school") == USER


def test_all_are_counted_the_anonymous_and_those_of_an_address() -> None:
    crowd = Crowd()
    for number, asker in enumerate((SCHOOL, USER, SCHOOL, HOME)):
        crowd.put(number, asker)
    assert crowd.around(SCHOOL) == Taken(4, 3, 2)
    assert crowd.around(HOME) + Taken(1, 1, 1) == Taken(5, 4, 2)
    assert crowd.around(USER) == Taken(4, 3, 0)


def test_who_signs_in_counts_once_and_who_is_dropped_twice_leaves_nothing_behind() -> None:
    crowd = Crowd()
    crowd.put("a", SCHOOL)
    crowd.put("b", SCHOOL)
    crowd.put("a", USER)
    assert crowd.around(SCHOOL) == Taken(2, 1, 1)
    for _ in range(2):
        crowd.drop("a")
        crowd.drop("b")
    assert crowd.around(SCHOOL) == Taken()
    assert not crowd._at and not crowd._askers
