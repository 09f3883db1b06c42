from __future__ import annotations

import pytest

from blocks.outputs.mermaid_text import read_mermaid

RAIN = [{"id": "A", "label": "Rain"}, {"id": "B", "label": "River bed"}]


def edge(start: str, end: str, label: str = "") -> dict[str, str]:
    return {"from": start, "to": end, "label": label}


@pytest.mark.parametrize(
    ("line", "label"),
    [
        ("A[Rain] --> B[River bed]", ""),
        ('A["Rain"] --- B("River bed")', ""),
        ("A((Rain)) ==> B{River bed}", ""),
        ("A([Rain]) -.-> B[[River bed]]", ""),
        ("A{{Rain}} -->|falls on| B[(River bed)]", "falls on"),
        ("A[/Rain/] -- falls on --> B>River bed]", "falls on"),
        ('A[Rain]:::blue -- "falls on" --> B[River bed]:::red', "falls on"),
        ("A[Rain]; B[River bed]; A --> B", ""),
    ],
)
def test_a_flowchart_is_read_with_any_shape_and_arrow(line: str, label: str) -> None:
    for head in ("graph TD\n", "flowchart LR;", "So:\n```mermaid\nflowchart TB\n"):
        assert read_mermaid(head + line) == {"nodes": RAIN, "edges": [edge("A", "B", label)]}


def test_a_chain_is_read_and_styles_and_groups_are_left_out() -> None:
    text = """```mermaid
    graph TD
      %% the rain
      subgraph Water [All of it]
        A[Rain] --> B[River bed] --> Sea
      end
      style A fill:#f9f
      classDef blue fill:#00f;
      class A blue
      A --> B
    ```
    A --> C[Behind the fence]
    """
    assert read_mermaid(text) == {
        "nodes": [*RAIN, {"id": "Sea", "label": "Sea"}],
        "edges": [edge("A", "B"), edge("B", "Sea"), edge("A", "B")],
    }


@pytest.mark.parametrize("text", ["", "A graph of rain.", "graph TD\n", "A --> B", "{}"])
def test_other_text_is_no_flowchart(text: str) -> None:
    assert read_mermaid(text) is None
