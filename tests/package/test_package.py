"""The npm package, as others use it: packed, installed outside of the repository, and run.

`frontend/tests/server/package.test.ts` has what needs a server and a browser.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.frontend.node import FRONTEND, node_environment, run_vitest

HERE = Path(__file__).parent
APPS = HERE.parents[1] / "var" / "package-apps"
"""Installed once, and again when the package or an app's own list has changed."""


def run(*command: str, cwd: Path) -> str:
    """Run a program of Node's, and return its output."""
    env = node_environment(npm_config_update_notifier="false")
    program = shutil.which(command[0], path=env["PATH"])
    assert program, f"{command[0]} is missing: scripts/test installs it."
    done = subprocess.run(
        [program, *command[1:]], cwd=cwd, env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def tarball() -> Path:
    """Pack the package. This fails if publint or attw find fault with it."""
    run("npm", "run", "--silent", "package", cwd=FRONTEND)
    (packed,) = (FRONTEND / "package-dist").glob("liveai-client-*.tgz")
    return packed


def installed(name: str, tarball: Path) -> Path:
    """Install an app of `tests/package/` that has the package, and return its folder."""
    source, folder = HERE / name, APPS / name
    folder.mkdir(parents=True, exist_ok=True)
    for file in [*source.iterdir(), HERE / "render.mjs"]:
        shutil.copy(file, folder)
    shutil.copy(tarball, folder / "liveai-client.tgz")
    wanted = [folder / "liveai-client.tgz", folder / "package.json"]
    mark = hashlib.sha256(b"".join(file.read_bytes() for file in wanted)).hexdigest()
    stamp = folder / "stamp"
    if not stamp.exists() or stamp.read_text() != mark:
        shutil.rmtree(folder / "node_modules", ignore_errors=True)
        quiet = ("--no-audit", "--no-fund", "--no-package-lock", "--prefer-offline")
        run("npm", "install", *quiet, cwd=folder)
        stamp.write_text(mark)
    return folder


@pytest.fixture(scope="module")
def app(tarball: Path) -> Path:
    return installed("app", tarball)


def test_the_package_has_what_it_promises_and_no_more(app: Path) -> None:
    package = app / "node_modules" / "@liveai" / "client"
    description = json.loads((package / "package.json").read_text())
    assert description["version"] == json.loads((FRONTEND / "package.json").read_text())["version"]
    files = {path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()}
    assert {"LICENSE", "README.md", "dist/index.d.ts", "dist/react.js"} <= files
    assert not [name for name in files if "test" in name]
    for entry in ("index", "element"):
        assert "react" not in imported_by(package / "dist" / f"{entry}.js")
    assert imported_by(package / "dist" / "ai-block.js") == set()


def imported_by(module: Path) -> set[str]:
    """Return the packages that a module and its own chunks import."""
    code = """
        import { readFileSync } from 'node:fs';
        import { dirname, join } from 'node:path';
        const seen = new Set(), packages = new Set();
        const visit = (file) => {
          if (seen.has(file)) return;
          seen.add(file);
          const found = readFileSync(file, 'utf8').matchAll(/(?:from|import)\\s*["']([^"']+)["']/g);
          for (const [, name] of found)
            if (name.startsWith('.')) visit(join(dirname(file), name));
            else packages.add(name);
        };
        visit(process.argv[1]);
        console.log(JSON.stringify([...packages]));
    """
    command = ("node", "--input-type=module", "-e", code, str(module))
    return set(json.loads(run(*command, cwd=module.parent)))


@pytest.mark.parametrize(("name", "version"), [("app", "19."), ("app18", "18.")])
def test_a_server_renders_the_hooks_and_touches_nothing(
    name: str, version: str, tarball: Path
) -> None:
    seen = json.loads(run("node", "render.mjs", cwd=installed(name, tarball)))
    assert seen["version"].startswith(version)
    assert "<p>ready ready 0</p>" in seen["html"]
    assert seen["touched"] == []


@pytest.mark.timeout(660)  # run_vitest has a limit of its own
def test_programs_and_pages_of_other_sites_lose_no_word_over_cut_lines(
    app: Path, template: Path
) -> None:
    run("npx", "--no-install", "vite", "build", "--logLevel", "warn", cwd=app)
    run_vitest(
        "tests/server/package.test.ts",
        LIVEAI_APP=str(app),
        LIVEAI_PYTHON=sys.executable,
        LIVEAI_TEMPLATE=str(template),
    )
