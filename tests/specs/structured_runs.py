"""Golden runs of structured answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from blocks.outputs.mermaid import diagram_source
from streaming.protocol import events
from tests.specs.golden_run import HEAD, GoldenRun, Row, Script

QUIZ = replace(HEAD, block_type="quiz")
DIAGRAM = replace(HEAD, block_type="diagram")
JSON = replace(HEAD, block_type="recipe")


def _question(text: str, answer: int) -> dict[str, Any]:
    return {
        "question": text,
        "options": ["Mercury", "Venus", "Earth", "Mars"],
        "answer": answer,
        "explanation": "Count from the Sun.",
    }


_FIRST = _question("Which planet is nearest to the Sun?", 0)
_SECOND = _question("Which planet is third?", 2)

_NODES = [{"id": "n1", "label": 'Rain "heavy"'}, {"id": "n2", "label": "River"}]
_EDGES = [{"from": "n1", "to": "n2", "label": "fills"}, {"from": "n2", "to": "n1"}]
_SOURCE = diagram_source({"nodes": _NODES, "edges": _EDGES})

STRUCTURED_RUNS = (
    GoldenRun(
        "quiz",
        "Questions grow and then come whole. The second was invalid: it is void, and its path is"
        " used again.",
        Script()
        .chunks("The ", "planets", path="/title")
        .item("/title", "The planets")
        .chunks("Which planet is ", "nearest to the Sun?", path="/questions/0/question")
        .item("/questions/0", _FIRST)
        .chunks("Which planet is nearest", path="/questions/1/question")
        .item("/questions/1", None)
        .chunks("Which planet ", "is third?", path="/questions/1/question")
        .item("/questions/1", _SECOND)
        .complete(
            result={"title": "The planets", "questions": [_FIRST, _SECOND]},
            dropped={"duplicate_question": 1},
        ),
        head=QUIZ,
        attaches=(-1, 0, 3, 6, 7, 9, 10, 11),
    ),
    GoldenRun(
        "diagram",
        "Nodes, then edges between them; the source is made by the server from the valid parts.",
        Script()
        .chunks("Water", path="/title")
        .item("/title", "Water")
        .chunks("Rain ", '"heavy"', path="/nodes/0/label")
        .item("/nodes/0", _NODES[0])
        .chunks("River", path="/nodes/1/label")
        .item("/nodes/1", _NODES[1])
        .chunks("fills", path="/edges/0/label")
        .item("/edges/0", _EDGES[0])
        .item("/edges/1", None)
        .item("/edges/1", _EDGES[1])
        .complete(
            result={"title": "Water", "nodes": _NODES, "edges": _EDGES, "source": _SOURCE},
            dropped={"self_loop": 1},
        ),
        head=DIAGRAM,
        attaches=(-1, 2, 8, 9),
    ),
    GoldenRun(
        "json",
        "A part is a member of the top-level object, or each element where that is an array.",
        Script()
        .chunks("Pan", "cakes", path="/name")
        .item("/name", "Pancakes")
        .item("/serves", 4)
        .item("/vegan", False)
        .chunks("flour", path="/steps/0")
        .item("/steps/0", "flour")
        .item("/a~1b", {"nested": [1, {"deep": "x"}]})
        .complete(
            result={
                "name": "Pancakes",
                "serves": 4,
                "vegan": False,
                "steps": ["flour"],
                "a/b": {"nested": [1, {"deep": "x"}]},
            }
        ),
        head=JSON,
        attaches=(-1, 1, 4, 5),
    ),
    GoldenRun(
        "quiz-length-cut",
        "Cut by the limit of tokens: the part that was open is voided and counted.",
        Script()
        .item("/title", "The planets")
        .item("/questions/0", _FIRST)
        .chunks("Which pla", path="/questions/1/question")
        .item("/questions/1", None)
        .complete(
            finish_reason="length",
            result={"title": "The planets", "questions": [_FIRST]},
            dropped={"cut": 1},
        ),
        head=QUIZ,
        attaches=(2, 3),
    ),
    GoldenRun(
        "quiz-repaired",
        "Too little was valid: a reset voids all parts, and a second attempt follows.",
        Script()
        .chunks("Plan", path="/title")
        .item("/title", "Plan")
        .chunks("Which?", path="/questions/0/question")
        .item("/questions/0", None)
        .add(events.reset, "retry")
        .chunks("The planets", path="/title")
        .item("/title", "The planets")
        .chunks("Which planet is third?", path="/questions/0/question")
        .item("/questions/0", _SECOND)
        .complete(result={"title": "The planets", "questions": [_SECOND]}),
        head=QUIZ,
        attaches=(-1, 2, 3, 4, 5),
    ),
    GoldenRun(
        "quiz-error-with-an-open-part",
        "The end empties what was arriving; the parts that were whole stay.",
        Script()
        .item("/title", "The planets")
        .chunks("Which pla", path="/questions/0/question")
        .error("provider_timeout", "The model took too long to answer.", retryable=True),
        head=QUIZ,
        attaches=(-1, 1, 2),
    ),
    GoldenRun(
        "single-chunk-quiz",
        "Streaming is off: the valid items alone, then the end.",
        Script()
        .item("/title", "The planets")
        .item("/questions/0", _FIRST)
        .item("/questions/1", _SECOND)
        .complete(result={"title": "The planets", "questions": [_FIRST, _SECOND]}),
        head=QUIZ,
    ),
    GoldenRun(
        "quiz-viewer-behind",
        "Merging joins neighbours of one path, and never across an item.",
        Script()
        .chunks(*"The planets", path="/title")
        .item("/title", "The planets")
        .chunks(*"Which planet is third?", path="/questions/0/question")
        .item("/questions/0", _SECOND)
        .complete(result={"title": "The planets", "questions": [_SECOND]}),
        head=QUIZ,
        attaches=(-1, 2, 3, 4, 20, 34, 35, 36),
    ),
    GoldenRun(
        "quiz-running-with-an-open-part",
        "No end yet, and a string is growing: the snapshot for a cursor beyond carries it.",
        tuple(
            Script()
            .item("/title", "The planets")
            .chunks("Which pla", "net", path="/questions/0/question")
            .events
        ),
        head=QUIZ,
        attaches=(-1, 1, 2, 500),
    ),
    GoldenRun(
        "quiz-row-alone",
        "An ended quiz whose log expired.",
        Script(after=8).complete(result={"title": "The planets", "questions": [_FIRST]}),
        head=QUIZ,
        row=Row(
            seq=8,
            status="running",
            items=(
                {"path": "/title", "value": "The planets"},
                {"path": "/questions/0", "value": _FIRST},
            ),
        ),
        is_over=True,
        attaches=(3, 8, 9, 10),
    ),
    GoldenRun(
        "quiz-lost-with-its-process",
        "What was arriving when the process died is in the snapshot until the end empties it.",
        Script(after=99_999).error(
            "generator_lost",
            "The answer was cut off when the server stopped; please try again.",
            retryable=True,
        ),
        head=QUIZ,
        row=Row(
            seq=99_999,
            status="running",
            items=({"path": "/title", "value": "The planets"},),
            arriving=(("/questions/0/question", "Which pla"),),
        ),
        attaches=(4, 99_999),
    ),
)
