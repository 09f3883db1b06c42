"""A program with a quick clock: `python -m tests.support.servers.quick_clock manage.py serve`.

It divides the constants in `NAMES` by four, in each module of `streaming`, when the module is
loaded. Processes then count as dead after a quarter of the time. `tests/faults/test_true_clock.py`
checks the true values.
"""

from __future__ import annotations

import ast
import runpy
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType

QUICKER = 4
NAMES = frozenset(
    {
        "BEAT_SECONDS",
        "DEAD_AFTER_SECONDS",
        "LEASE_SECONDS",
        "LOG_UNREACHABLE_SECONDS",
        "LOG_STEADY_SECONDS",
        "WATCHED_SECONDS",
    }
)


class _Loader(SourceFileLoader):
    """Compiles a module with divided constants; values computed from them follow."""

    def get_code(self, fullname: str) -> CodeType | None:
        path = self.get_filename(fullname)
        source = self.get_data(path)
        if not any(name.encode() in source for name in NAMES):
            return super().get_code(fullname)  # from the cache
        tree = ast.parse(source, path)
        for node in tree.body:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=float(true))):
                    if name in NAMES:
                        node.value = ast.copy_location(ast.Constant(true / QUICKER), node.value)
        return compile(tree, path, "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith("streaming."):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(fullname, spec.loader.path)
        return spec


def main() -> None:
    """Run the program in the arguments as `python` would: a file, or `-m` and a module."""
    sys.meta_path.insert(0, _Finder())
    del sys.argv[0]
    if sys.argv[0] == "-m":
        del sys.argv[0]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
