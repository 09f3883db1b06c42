"""Lists the benchmarks, or runs one: `python -m benchmarks [NAME [args]]`."""

from __future__ import annotations

import ast
import importlib
import os
import sys
from pathlib import Path

HERE = Path(__file__).parent


def available() -> dict[str, str]:
    """Map each name to its docstring's first line, without importing it, so that nothing starts."""
    found = {}
    for path in sorted(HERE.glob("*.py")):
        if not path.stem.startswith("_"):
            words = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
            found[path.stem] = words.partition("\n")[0]
    return found


def main(argv: list[str]) -> int:
    benchmarks = available()
    if not argv:
        width = max(map(len, benchmarks), default=0)
        for name, words in benchmarks.items():
            print(f"  {name:<{width}}  {words}")
        return 0
    name, *arguments = argv
    if name not in benchmarks:
        print(f"There is no benchmark {name!r}. There are: {', '.join(benchmarks) or 'none'}.")
        return 2
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "liveai.settings")
    return importlib.import_module(f"benchmarks.{name}").main(arguments) or 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
