from __future__ import annotations

import json
from typing import Any

import pytest

from blocks.delta import Delta, Item, Text
from blocks.outputs.diagram import DiagramAnswer, DiagramOutput
from blocks.outputs.mermaid import diagram_source
from tests.contracts.output_contract import OutputContract
from tests.support.blocks.example_spec import spec_of


def begin(*, repair: bool = False, **changes: Any) -> DiagramAnswer:
    return DiagramOutput().begin(
        spec_of("diagram", **changes), "Rivers", {}, seed="s", repair=repair
    )


def play(answer: DiagramAnswer, nodes: Any, edges: Any, *, title: Any = "T") -> list[Delta]:
    deltas: list[Delta] = []
    for reply in ({"title": title, "nodes": nodes}, {"edges": edges}):
        if answer.next_ask() is not None:
            deltas += answer.feed(json.dumps(reply)) + answer.close("stop")
    assert answer.next_ask() is None
    return deltas


def edge(start: Any, end: Any, **changes: Any) -> dict[str, Any]:
    return {"from": start, "to": end} | changes


class TestDiagram(OutputContract):
    output = DiagramOutput()
    spec = spec_of("diagram")
    options = {}
    replies = [
        '```json\n{"title": "R\\u00edvers",'
        ' "nodes": ["Spring \\"A\\"", "Sea", "Clo\\ud83c\\udf27ud"]}'
        "\n```",
        '{"edges": [{"from": 1, "to": 2, "label": "fl\\u006fws"}, {"to": 3, "from": 2}, {"from": 3,'
        ' "to": 1, "label": ""}]} That is all.',
    ]
    forms = [
        {"title": "Rívers", "nodes": ['Spring "A"', {"id": "s", "label": "Sea"}, "Clo🌧ud"]},
        {"edges": [{"from": 1, "to": 2, "label": "it's flowing"}, {"to": 3, "from": "s"}]},
    ]
    result = {
        "title": "Rívers",
        "nodes": [
            {"id": "n1", "label": 'Spring "A"'},
            {"id": "n2", "label": "Sea"},
            {"id": "n3", "label": "Clo🌧ud"},
        ],
        "edges": [
            {"from": "n1", "to": "n2", "label": "flows"},
            {"from": "n2", "to": "n3"},
            {"from": "n3", "to": "n1"},
        ],
        "source": "flowchart TD\n"
        '    n1["Spring #34;A#34;"]\n'
        '    n2["Sea"]\n'
        '    n3["Clo🌧ud"]\n'
        '    n1 -->|"flows"| n2\n'
        "    n2 --> n3\n"
        "    n3 --> n1\n",
    }

    def long_reply(self, size: int) -> str:
        nodes = [f"{number} " + "x" * 100 for number in range(size // 100)]
        return json.dumps({"title": "T", "nodes": nodes})


def test_the_edges_are_asked_for_against_the_nodes_that_are_valid() -> None:
    answer = begin()
    first = answer.next_ask()
    assert first is not None and first.schema is not None
    assert list(first.schema["properties"]) == ["title", "nodes"]
    answer.feed('{"title": "T", "nodes": ["A", "a ", "B", "", "C"]}')
    answer.close("stop")
    second = answer.next_ask()
    assert second is not None and second.schema is not None
    edges = second.schema["properties"]["edges"]
    assert edges["items"]["properties"]["from"]["enum"] == [1, 2, 3]
    assert (edges["minItems"], edges["maxItems"]) == (2, 6)
    assert [turn.role for turn in second.turns] == (
        ["system"] + ["user", "assistant"] * 3 + ["user"]
    )
    assert "1 A, 2 B, 3 C" in second.turns[-1].content
    assert answer.dropped == {"duplicate_node": 1, "schema": 1}


def test_the_worked_example_is_shown_in_two_answers_as_the_model_is_asked() -> None:
    answer = begin()
    first = answer.next_ask()
    assert first is not None
    assert json.loads(first.turns[2].content).keys() == {"title", "nodes"}
    answer.feed('{"title": "T", "nodes": ["A", "B"]}')
    answer.close("stop")
    second = answer.next_ask()
    assert second is not None
    assert json.loads(second.turns[4].content).keys() == {"edges"}


def test_without_an_example_the_turns_still_alternate() -> None:
    answer = begin(example_prompt="", example_answer="")
    answer.next_ask()
    answer.feed('{"title": "T", "nodes": ["A", "B"]}')
    answer.close("stop")
    second = answer.next_ask()
    assert second is not None
    assert [turn.role for turn in second.turns] == ["system", "user", "assistant", "user"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (edge(1, 9), "unknown_node"),
        (edge(0, 1), "unknown_node"),
        (edge("n3", 1), "unknown_node"),
        (edge("C", 1), "unknown_node"),
        (edge(-1, 1), "unknown_node"),
        (edge("-1", 1), "unknown_node"),
        (edge(1.5, 1), "schema"),
        (edge(2, 2), "self_loop"),
        (edge("A", 1), "self_loop"),
        (edge(1, 2), "duplicate_edge"),
        (edge("n1", "2"), "duplicate_edge"),
        (edge(1.0, 2), "duplicate_edge"),
        (edge(" a.", "B"), "duplicate_edge"),
        ([1, 2], "duplicate_edge"),
        ("A --> B: it", "duplicate_edge"),
        ("A and B", "schema"),
        (edge(True, 2), "schema"),
        (edge(None, 2), "schema"),
        ([1], "schema"),
        (None, "schema"),
    ],
)
def test_an_invalid_edge_is_void_and_counted_and_its_path_used_again(bad: Any, reason: str) -> None:
    answer = begin()
    deltas = play(answer, ["A", "B"], [edge(1, 2), bad, edge(2, 1)])
    edges = [d for d in deltas if isinstance(d, Item) and d.path.startswith("/edges")]
    assert edges == [
        Item("/edges/0", edge("n1", "n2")),
        Item("/edges/1", None),
        Item("/edges/1", edge("n2", "n1")),
    ]
    assert answer.dropped == {reason: 1}


def test_nodes_may_come_as_objects_with_labels() -> None:
    answer = begin()
    deltas = play(answer, [{"id": 1, "label": "A"}, {"label": "B"}, {"id": 3}], [edge(1, 2)])
    assert answer.result["nodes"] == [{"id": "n1", "label": "A"}, {"id": "n2", "label": "B"}]
    assert Text("A", "/nodes/0/label") in deltas
    assert answer.dropped == {"schema": 1}


def test_too_many_parts_are_left_out_and_do_not_grow() -> None:
    answer = begin()
    pairs = [edge(a, b) for a in range(1, 13) for b in range(1, 13) if a != b]
    labelled = [pair | {"label": f"l{n}"} for n, pair in enumerate(pairs[:54])]
    deltas = play(answer, [f"N{n}" for n in range(27)], labelled)
    assert len(answer.result["nodes"]) == 24
    assert len(answer.result["edges"]) == 48
    assert answer.dropped == {"too_many": 3 + 6}
    paths = {d.path for d in deltas if isinstance(d, Text)}
    assert "/nodes/24/label" not in paths
    assert "/edges/48/label" not in paths
    assert "/edges/47/label" in paths


@pytest.mark.parametrize(
    ("nodes", "edges", "enough"),
    [
        (["A", "B"], [edge(1, 2)], True),
        (["A", "B"], [], False),
        (["A", "B"], [edge(1, 1)], False),
        (["A", "A"], [edge(1, 2)], False),
        ([], [], False),
        ("A, B", [], False),
    ],
)
def test_two_nodes_and_an_edge_are_enough(nodes: Any, edges: Any, enough: bool) -> None:
    answer = begin()
    play(answer, nodes, edges)
    assert answer.is_enough is enough


def test_without_two_nodes_edges_are_not_asked_for() -> None:
    answer = begin()
    assert answer.next_ask() is not None
    answer.feed('{"title": "T", "nodes": ["A"]}')
    answer.close("stop")
    assert answer.next_ask() is None


def test_only_a_label_grows() -> None:
    deltas = play(
        begin(), [{"": "hidden", "id": "a", "label": "A", "text": "b"}, "B"], [edge(1, 2)]
    )
    assert [d for d in deltas if isinstance(d, Text) and d.path != "/title"] == [
        Text("A", "/nodes/0/label"),
        Text("B", "/nodes/1/label"),
    ]


def test_a_missing_title_is_made_up_once() -> None:
    deltas = play(begin(), ["A", "B"], [edge(1, 2)], title="")
    assert [d for d in deltas if isinstance(d, Item) and d.path == "/title"] == [
        Item("/title", None),
        Item("/title", "Diagram"),
    ]


def test_nodes_cut_by_the_limit_still_get_their_edges() -> None:
    answer = begin()
    answer.next_ask()
    answer.feed('{"title": "T", "nodes": ["A", "B", "Clo')
    assert answer.close("length") == [Item("/nodes/2", None)]
    assert answer.next_ask() is not None
    answer.feed('{"edges": [{"from": 1, "to": 2}]}')
    answer.close("stop")
    assert answer.is_enough
    assert answer.dropped == {"cut": 1}


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("flows", "flows"),
        (3, "3"),
        (", x", None),
        ('"from": 1', None),
        ("explanation:", None),
        ("a.", None),  # a node's label
        ("overnight", None),  # the example's
        ("x" * 121, None),
        ("flows " * 3, "flows " * 3),
        ("flows " * 4, None),
        (["flows"], None),
        (None, None),
    ],
)
def test_a_bad_label_is_lost_and_the_edge_stays(label: Any, shown: str | None) -> None:
    answer = begin()
    play(answer, ["A", "B"], [edge(1, 2, label=label)])
    (kept,) = answer.result["edges"]
    assert kept == edge("n1", "n2") | ({"label": shown} if shown else {})
    assert not answer.dropped


def test_a_node_without_a_meaning_or_of_the_example_is_void() -> None:
    answer = begin()
    copies = ["Sand the boards", "Brush on primer!"]
    play(answer, [*copies, "Rain", ", x", "<img src=", "水", "no no no no"], [edge(1, 2)])
    assert [node["label"] for node in answer.result["nodes"]] == ["Rain", "水"]
    assert answer.dropped == {"copied_example": 2, "not_words": 3}


@pytest.mark.parametrize("prompt", ["How to sand the boards of a deck", "Painting fences"])
def test_a_node_that_the_prompt_speaks_of_is_no_copy(prompt: str) -> None:
    answer = DiagramOutput().begin(spec_of("diagram"), prompt, {}, seed="s", repair=False)
    play(answer, ["Sand the boards", "Varnish"], [edge(1, 2)])
    assert [node["label"] for node in answer.result["nodes"]] == ["Sand the boards", "Varnish"]


WORDS = " ".join(f"word{n:03}" for n in range(40))


def test_a_long_label_ends_with_a_whole_word_and_grows_as_it_ends() -> None:
    answer = begin()
    deltas = play(answer, [WORDS, "x" * 121, "B"], [edge(1, 2)])
    first = answer.result["nodes"][0]["label"]
    assert first == WORDS[:119] + "…"
    assert WORDS[119] == " "
    grown = [d.token for d in deltas if isinstance(d, Text) and d.path == "/nodes/0/label"]
    assert "".join(grown) == first
    assert answer.dropped == {"schema": 1}


NODES_AND_EDGES = [
    {"nodes": ["Rain", "Sea"], "edges": [edge(1, 2)]},
    {"nodes": ["Rain", "Sea"], "edges": [edge(0, 1)]},
    {"nodes": ["Rain", "Sea"], "edges": ["Rain -> Sea"]},
    {"nodes": ["Rain", "rain", "Sea"], "edges": [edge(1, 3)]},
    {
        "nodes": [{"id": "a", "label": "Rain"}, {"id": "b", "label": "Sea"}],
        "edges": [edge("a", "b")],
    },
    {"nodes": [{"id": 0, "name": "Rain"}, {"id": 1, "name": "Sea"}], "links": [edge(0, 1)]},
    {"nodes": {"A": "Rain", "B": "Sea"}, "edges": [{"source": "A", "target": "B"}]},
    {"diagram": {"nodes": ["Rain", "Sea"], "edges": [edge(1, 2)]}},
    {"graph": {"id": 1, "nodes": ["Rain", "Sea"], "edges": [edge(1, 2)]}},
]


@pytest.mark.parametrize("form", NODES_AND_EDGES)
def test_a_model_may_answer_with_nodes_and_edges_at_once_and_is_not_asked_again(form: Any) -> None:
    answer = begin()
    answer.next_ask()
    for char in json.dumps(form):
        answer.feed(char)
    answer.close("stop")
    assert answer.next_ask() is None
    assert [node["label"] for node in answer.result["nodes"]] == ["Rain", "Sea"]
    assert answer.result["edges"] == [edge("n1", "n2")]


@pytest.mark.parametrize(
    "nodes",
    [
        '["Rain", "Sea"]',
        '[{"name": "Rain"}, {"name": "Sea"}]',
        '{"id": 1, "label": "Rain"}\n{"id": 2, "label": "Sea"}',
        '{"title": "Draft", "nodes": []} {"nodes": ["Rain", "Sea"]} {"nodes": ["A", "B"]}',
        '{"steps": ["Rain", "Sea"]}',
    ],
)
@pytest.mark.parametrize(
    "edges",
    [
        '[{"from": 1, "to": 2}]',
        '{"from": 1, "to": 2}',
        '{"arrows": [["Rain", "Sea"]]}',
        '{"edges": "[{\\"from\\": 1, \\"to\\": 2}]"}',
        '{"edges": [{"from": {"id": 1}, "to": {"label": "sea"}}]}',
    ],
)
def test_parts_are_found_however_they_are_wrapped(nodes: str, edges: str) -> None:
    answer = begin()
    for reply in (nodes, edges):
        assert answer.next_ask() is not None
        for char in reply:
            answer.feed(char)
        answer.close("stop")
    assert [node["label"] for node in answer.result["nodes"]] == ["Rain", "Sea"]
    assert answer.result["edges"] == [edge("n1", "n2")]


def test_a_local_model_is_asked_for_fewer_and_shorter_nodes() -> None:
    asked = {}
    for model in ("local:small", "openai:large"):
        ask = begin(model=model).next_ask()
        assert ask is not None and ask.schema is not None
        nodes = ask.schema["properties"]["nodes"]
        asked[model] = (nodes["minItems"], nodes["maxItems"], nodes["items"]["maxLength"])
    assert asked == {"local:small": (3, 7, 48), "openai:large": (3, 24, 180)}


def test_the_source_is_made_of_the_valid_parts_alone() -> None:
    answer = begin()
    play(answer, ["A", "A", "B"], [edge(1, 2), edge(1, 1)])
    assert answer.result["source"] == diagram_source(answer.result)
    assert answer.result["source"].count("-->") == 1


@pytest.mark.parametrize(
    ("example", "word"),
    [
        ("x", "JSON"),
        (json.dumps({"title": "T", "nodes": ["A", "B"]}), "JSON"),
        (json.dumps({"title": "T", "nodes": ["A", "a"], "edges": []}), "nodes"),
        (json.dumps({"title": "T", "nodes": ["A", 1], "edges": []}), "nodes"),
        (json.dumps({"title": "T", "nodes": ["A", "B"], "edges": [edge(1, 3)]}), "edge 1"),
        (json.dumps({"title": "T", "nodes": ["A", "B"], "edges": []}), "no edges"),
    ],
)
def test_what_is_wrong_with_an_example_is_said(example: str, word: str) -> None:
    assert word in DiagramOutput().example_problem(example)


def test_the_shipped_example_is_right() -> None:
    assert DiagramOutput().example_problem(spec_of("diagram").example_answer) == ""
