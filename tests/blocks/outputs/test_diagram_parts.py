from __future__ import annotations

from typing import Any

import pytest

from blocks.outputs.base import Dropped
from blocks.outputs.diagram_parts import (
    NodeNames,
    Uncertain,
    is_edge,
    is_node,
    read_edge,
    read_node,
)


def nodes(*labels: str, ids: tuple[str, ...] = ()) -> NodeNames:
    names = NodeNames()
    for number, label in enumerate(labels, 1):
        names.add(f"n{number}", label, ids[number - 1] if ids else "")
    return names


@pytest.mark.parametrize(
    ("value", "label", "own_id"),
    [
        ("Rain", "Rain", ""),
        (7, "7", ""),
        ({"id": "a", "label": "Rain"}, "Rain", "a"),
        ({"id": 0, "name": "Rain"}, "Rain", "0"),
        ({"name": "n1", "label": "Rain"}, "Rain", ""),
        ({"Title": "Rain"}, "Rain", ""),
        ({"text": "Rain", "label": ""}, "Rain", ""),
        ("Rain falls on the land", "Rain falls on…", ""),
    ],
)
def test_a_node_is_a_label_and_perhaps_an_id(value: Any, label: str, own_id: str) -> None:
    assert read_node(value, 15) == (label, own_id)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "schema"),
        (" ", "schema"),
        ({"id": "a"}, "schema"),
        (["Rain"], "schema"),
        ("x" * 16, "schema"),
        (", x", "not_words"),
        ("label:", "not_words"),
    ],
)
def test_a_node_without_a_label_is_void(value: Any, reason: str) -> None:
    with pytest.raises(Dropped, match=reason):
        read_node(value, 15)


@pytest.mark.parametrize(
    "value",
    [
        {"from": 1, "to": 2, "label": "falls"},
        {"source": "Rain", "target": "sea.", "name": "falls"},
        {"start": "n1", "end": "node 2", "text": "falls"},
        {"from": {"id": 1}, "to": {"label": "Sea"}, "relation": "falls"},
        [1, 2, "falls"],
        "1 -> 2: falls",
        "Rain --> Sea : falls",
        "Rain → Sea: falls",
        "Rain -->|falls| Sea",
    ],
)
def test_an_edge_names_its_nodes_in_many_ways(value: Any) -> None:
    assert read_edge(value, nodes("Rain", "Sea"), 20) == ("n1", "n2", "falls")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"from": 1}, "schema"),
        ({"from": True, "to": 2}, "schema"),
        ({"from": 1.5, "to": 2}, "schema"),
        ([1], "schema"),
        ([1, 2, 3, 4], "schema"),
        ("1 and 2", "schema"),
        (None, "schema"),
        ({"from": 1, "to": 3}, "unknown_node"),
        ({"from": 0, "to": 1}, "unknown_node"),
        ({"from": "Snow", "to": 1}, "unknown_node"),
        ({"from": "-1", "to": 2}, "unknown_node"),
        ({"from": "Rain", "to": 1}, "self_loop"),
    ],
)
def test_an_edge_between_no_two_nodes_is_void(value: Any, reason: str) -> None:
    with pytest.raises(Dropped, match=reason):
        read_edge(value, nodes("Rain", "Sea"), 20)


def test_ids_of_the_model_count_before_the_places_in_its_list() -> None:
    names = nodes("Rain", "Sea", ids=("2", "1"))
    assert names.find(1, were_told=False) == "n2"
    assert names.find(1, were_told=True) == "n1"
    assert nodes("Rain", "Sea", ids=("Sea", "x")).find("sea", were_told=True) == "n1"


def test_places_in_the_models_own_list_count_the_nodes_that_were_left_out() -> None:
    names = NodeNames()
    names.add("n1", "Rain", "")
    names.skip()
    names.add("n2", "Sea", "")
    assert names.find(3, were_told=False) == "n2"
    assert names.find(2, were_told=True) == "n2"
    with pytest.raises(Dropped, match="unknown_node"):
        names.find(2, were_told=False)


def test_an_edge_shows_from_where_the_model_counts() -> None:
    for edge, base in (([0, 1], 0), ([1, 2], 1), ([2, 1], 1)):
        names = nodes("Rain", "Sea")
        expected = ["n1", "n2"] if base == 0 else [f"n{number}" for number in edge]
        assert [*read_edge(edge, names, 20, were_told=False, is_last=False)][:2] == expected


def test_an_edge_is_uncertain_until_one_shows_it() -> None:
    names = nodes("Rain", "River", "Lake", "Sea")
    with pytest.raises(Uncertain):
        read_edge([1, 2], names, 20, were_told=False, is_last=False)
    assert read_edge([1, 2], names, 20, were_told=False)[:2] == ("n1", "n2")
    assert read_edge([0, 1], names, 20, were_told=False, is_last=False)[:2] == ("n1", "n2")
    assert read_edge([1, 2], names, 20, were_told=False, is_last=False)[:2] == ("n2", "n3")
    assert read_edge(["Sea", "rain"], names, 20, were_told=False, is_last=False)[0] == "n4"


def test_libraries_of_graphs_put_the_members_into_data() -> None:
    assert read_node({"data": {"id": "a", "label": "Rain"}, "position": {"x": 1}}, 20) == (
        "Rain",
        "a",
    )
    edge = {"data": {"id": "e1", "source": "Rain", "target": "Sea"}}
    assert read_edge(edge, nodes("Rain", "Sea"), 20)[:2] == ("n1", "n2")


def test_an_id_of_letters_is_a_label_if_there_is_no_other() -> None:
    assert read_node({"id": "Rain", "group": 1}, 20) == ("Rain", "Rain")
    assert read_node({"id": 1, "label": {"text": "Rain"}}, 20) == ("Rain", "1")
    for own_id in ("n1", "7", "a", 3):
        with pytest.raises(Dropped, match="schema"):
            read_node({"id": own_id}, 20)


def test_nodes_and_edges_are_known_by_their_members() -> None:
    assert is_edge({"Source": 1, "target": 2})
    assert not is_edge({"from": 1})
    assert is_node({"id": 1, "label": "Rain"})
    assert not is_node({"from": 1, "to": 2, "label": "x"})
    assert not is_node({"id": 1})
