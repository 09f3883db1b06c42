"""The outputs by name. To add one, create a file beside this one and add its line here."""

from __future__ import annotations

from collections.abc import Mapping

from blocks.outputs.base import Output
from blocks.outputs.diagram import DiagramOutput
from blocks.outputs.json import JsonOutput
from blocks.outputs.markdown import MarkdownOutput
from blocks.outputs.quiz import QuizOutput

_ALL: tuple[Output, ...] = (MarkdownOutput(), QuizOutput(), DiagramOutput(), JsonOutput())

OUTPUTS: Mapping[str, Output] = {output.name: output for output in _ALL}

CHOICES: list[tuple[str, str]] = [(output.name, output.label) for output in _ALL]
