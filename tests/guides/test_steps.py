"""A page of `docs/operate/` is read as steps, and what is no step is refused."""

from __future__ import annotations

import pytest

from tests.support.guides.steps import (
    Choose,
    Click,
    Command,
    NotAStep,
    Open,
    See,
    Tick,
    Type,
    steps_of,
)

PAGE = """\
# A task

Words before.

## By clicks

1. Open `/admin/`. Click **Save**.
2. Click **Undo** beside **Quiz**.

   Click nothing here.

3. Type `a b` into **Search**. Empty **Message**. Choose **On** in **Streaming**.
4. Tick **Active**. Untick **Active**.
5. You see **2 streams**. You no longer see **running**.

## By commands

```sh
cd /opt/liveai   # first
grep a \\
  b
```

```console
one … three
```

```json
{"not": "a step"}
```
"""


def test_a_page_becomes_the_steps_of_its_headings_in_order() -> None:
    assert steps_of(PAGE) == {
        "By clicks": [
            Open("/admin/"),
            Click("Save"),
            Click("Undo", "Quiz"),
            Type("a b", "Search"),
            Type("", "Message"),
            Choose("On", "Streaming"),
            Tick("Active", is_on=True),
            Tick("Active", is_on=False),
            See("2 streams", is_there=True),
            See("running", is_there=False),
        ],
        "By commands": [
            Command("cd /opt/liveai"),
            Command("grep a \\\n  b", "one … three\n"),
        ],
    }


@pytest.mark.parametrize(
    "line",
    [
        *(
            "1. Press **Save**.",
            "1. Click Save.",
            "1. Click **Save**",
            "1. Click **Save**. Then wait.",
        ),
        *("1. Open /admin/.", "1. Type **x** into **y**.", "1. You see words."),
        "1. Click **Save**. Then wait.",
    ],
)
def test_a_numbered_line_that_nobody_could_follow_to_the_letter_is_refused(line: str) -> None:
    with pytest.raises(NotAStep):
        steps_of(f"# A task\n\n{line}\n")


def test_output_needs_a_command_above_it() -> None:
    with pytest.raises(NotAStep):
        steps_of("# A task\n\n1. Open `/`.\n\n```console\nwords\n```\n")
