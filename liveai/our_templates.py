"""Loads our templates at start, so that a running process never reads those of a new version."""

from __future__ import annotations

import sys
from pathlib import Path

from django.conf import settings
from django.forms.renderers import get_default_renderer
from django.template import TemplateSyntaxError, engines
from django.template.backends.django import DjangoTemplates
from django.template.loader_tags import ExtendsNode


def load_our_templates() -> int:
    """Read and parse every template of the project into the engines' caches.

    Those of packages are read at their first use: they change less often, and parsing all of them
    would take most of a second at each start.

    Returns:
        How many are held.

    One that can't be parsed is left out: nothing can show it either. With `DEBUG`, Django reads
    templates anew, and nothing is loaded.
    """
    if settings.DEBUG:
        return 0
    backends = [engine for engine in engines.all() if isinstance(engine, DjangoTemplates)]
    forms = getattr(get_default_renderer(), "engine", None)
    if isinstance(forms, DjangoTemplates):
        backends.append(forms)
    return sum(_loaded(backend, name) for backend in backends for name in _names(backend))


def _names(backend: DjangoTemplates) -> set[str]:
    """Return the names of all text templates, without images and the like."""
    return {
        path.relative_to(folder).as_posix()
        for folder in map(Path, backend.template_dirs)
        if not folder.is_relative_to(sys.prefix)
        for path in folder.rglob("*")
        if path.is_file() and path.suffix in {".html", ".txt", ".js", ".xml", ".svg"}
    }


def _loaded(backend: DjangoTemplates, name: str) -> bool:
    try:
        template = backend.get_template(name).template
        for node in template.nodelist.get_nodes_by_type(ExtendsNode):
            if getattr(getattr(node, "parent_name", None), "var", None) == name:
                # It changes the template of the same name in a package, which is needed, too.
                backend.engine.find_template(name, skip=[template.origin])
    except (TemplateSyntaxError, UnicodeDecodeError):
        return False
    return True
