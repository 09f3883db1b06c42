"""Writes the generated fixtures: `python -m tests.specs.write_fixtures`.

Run it deliberately: each change affects every client. It removes files that no run generates any
more. `diagram-source.json` is not generated and stays as it is.
"""

from __future__ import annotations

import sys

from tests.specs.fixture import FIXTURES, documents


def main() -> None:
    made = documents()
    for path in FIXTURES.glob("run-*.json"):
        if path.name not in made:
            path.unlink()
            sys.stdout.write(f"removed {path.name}\n")
    for name, text in made.items():
        path = FIXTURES / name
        if not path.exists() or path.read_bytes() != text.encode():
            path.write_bytes(text.encode())
            sys.stdout.write(f"wrote {name}\n")


if __name__ == "__main__":
    main()
