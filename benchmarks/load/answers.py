"""Answers of a known size: Markdown with all of its elements, a quiz, a diagram. Pure."""

from __future__ import annotations

from itertools import count
from typing import Any

TOKEN_CHARS = 4

# Sections differ in every word, so that a renderer can't reuse what it has already drawn.
_SECTION = """\
## {n}. What the tide does in hour {n}

The water **rises {n} cm** in the first half, and *falls* in the other: see
[the tables](https://example.org/tides/{n}) and `tide({n})`. A reader who **follows
*every* word** of this paragraph sees it grow by four letters at a time, over three lines of the
page and into a fourth.

- one thing to see at stone {n}
- another, with **weight** and `code_{n}`
  1. first within it
  2. second within it
- the last of hour {n}

| hour | height | wind | what is said of it |
|---|--:|:-:|---|
| {n}:00 | {n} cm | north | it is *still* |
| {n}:20 | 1{n} cm | east | `rising` |
| {n}:40 | 2{n} cm | south | **high water** |

```{language}
{code}
```

> Who measures at hour {n} measures twice.

"""

_CODE = {
    "python": "def tide_{n}(hours: list[float]) -> float:\n"
    '    """Of hour {n}, in cm."""\n'
    "    heights = [wave(h, {n}) for h in hours if h > 0.5]\n"
    "    return sum(heights) / len(heights)  # never empty",
    "ts": "export function tide{n}(hours: readonly number[]): number {\n"
    "  const heights = hours.filter((h) => h > 0.5).map((h) => wave(h, {n}));\n"
    "  return heights.reduce((sum, each) => sum + each, 0) / heights.length; // never empty\n"
    "}",
    "sql": "select hour, avg(height) as height -- of hour {n}\n"
    "from tides where hour = {n} and place <> 'nowhere'\n"
    "group by hour order by height desc limit 10;",
}

LAST_WORDS = "That was the last of it."


def markdown_answer(tokens: int) -> str:
    """Build exactly that many tokens of Markdown: headings, lists, tables, code and emphasis."""
    size = tokens * TOKEN_CHARS
    text = ""
    for n in count(1):
        language = list(_CODE)[n % len(_CODE)]
        code = _CODE[language].replace("{n}", str(n))
        section = _SECTION.replace("{language}", language).replace("{code}", code)
        section = section.replace("{n}", str(n))
        if len(text) + len(section) + len(LAST_WORDS) > size:
            break
        text += section
    room = size - len(text) - len(LAST_WORDS)
    if room < 0:
        raise ValueError(f"{tokens} tokens are too few for the last words")
    return text + ("So it goes on, " * (room // 15 + 1))[:room] + LAST_WORDS


def quiz_answer(questions: int) -> dict[str, Any]:
    """Build a quiz in the model's form."""
    return {
        "title": "The sea, hour by hour",
        "questions": [
            {
                "question": f"How high does the water stand in hour {n}, counted from the ebb?",
                "correct": f"{n} cm and rising",
                "wrong": [f"{n} cm and falling", f"{n + 20} cm", f"not at all in hour {n}"],
                "explanation": f"In hour {n} it rises still, and the wind holds it up for a while.",
            }
            for n in range(1, questions + 1)
        ],
    }


def diagram_answers(nodes: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Build the nodes and the edges in the model's form: a tree of three branches."""
    labels = [f"Basin {n} of the delta" for n in range(1, nodes + 1)]
    edges = [
        {"from": (n + 1) // 3, "to": n, "label": f"flow {n}" if n % 4 == 0 else ""}
        for n in range(2, nodes + 1)
    ]
    return {"title": "The delta", "nodes": labels}, {"edges": edges}
