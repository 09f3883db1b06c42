"""The block types that admins edit and streams start from."""

from __future__ import annotations

from collections.abc import Collection
from string import Template
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from simple_history.models import HistoricalRecords

from .fresh import FollowedQuerySet
from .outputs.registry import CHOICES, OUTPUTS
from .providers.registry import ProviderConfig, model_problem
from .schemas import answer_schema_problem, options_schema_problem
from .spec import BlockSpec
from .spec import OnGeneratorLost as WhenLost


class BlockType(models.Model):
    """A kind of AI block. A new row works at once and needs no code."""

    class OnAbandon(models.TextChoices):
        CONTINUE = "continue", "Continue to the end"
        CANCEL = "cancel", "Stop"

    class OnGeneratorLost(models.TextChoices):
        CONTINUE = "continue", "Continue from the text so far"
        RESTART = "restart", "Start over"
        FAIL = "fail", "End with an error"

    slug = models.SlugField(
        unique=True, max_length=64, help_text="Used in addresses, e.g. <code>quiz</code>."
    )
    title = models.CharField(max_length=120, help_text="Display name.")
    description = models.TextField(
        blank=True,
        max_length=500,
        help_text="What it does, in one sentence; shown below the title.",
    )
    order = models.PositiveIntegerField(default=100, help_text="Lower numbers come first.")
    enabled = models.BooleanField(default=True, help_text="Off: nobody can use it.")

    output = models.CharField(
        max_length=20,
        choices=CHOICES,
        default="markdown",
        help_text="The form of its answers.",
    )
    system_prompt = models.TextField(
        blank=True,
        help_text="The model’s role and rules. $prompt and the names of options ($difficulty) are"
        " replaced by their values; write $$ for a dollar sign.",
    )
    prompt_template = models.TextField(
        default="$prompt",
        help_text="The question to the model, with the same placeholders; must contain $prompt.",
    )
    example_prompt = models.TextField(
        blank=True, help_text="A worked example helps small models a lot. This is the question…"
    )
    example_answer = models.TextField(
        blank=True,
        help_text="…and this is a good answer to it. Structured outputs need JSON.",
    )
    options_schema = models.JSONField(
        default=dict,
        blank=True,
        verbose_name="options",
        help_text="JSON Schema of the options that people can set, e.g."
        ' <code>{"properties": {"tone": {"type": "string", "enum": ["kind", "dry"],'
        ' "default": "kind"}}}</code>. Each is a string, integer, number or boolean.',
    )
    answer_schema = models.JSONField(
        null=True,
        blank=True,
        help_text="JSON Schema of the answer, an object; for the output “JSON” only.",
    )

    model = models.CharField(
        max_length=200,
        blank=True,
        help_text="KIND:NAME, e.g. <code>openai:gpt-5-mini</code>; blank: the project's AI_MODEL.",
    )
    temperature = models.FloatField(
        default=0.4, validators=[MinValueValidator(0.0), MaxValueValidator(2.0)]
    )
    max_tokens = models.PositiveIntegerField(
        default=800,
        validators=[MinValueValidator(1), MaxValueValidator(32_768)],
        help_text="The longest answer, in tokens of the model.",
    )
    prompt_limit = models.PositiveIntegerField(
        default=4_000,
        validators=[MinValueValidator(1), MaxValueValidator(500_000)],
        help_text="The longest prompt, in characters.",
    )

    streaming = models.BooleanField(
        default=True, help_text="Off: answers appear only when finished."
    )
    on_abandon = models.CharField(
        max_length=10,
        choices=OnAbandon.choices,
        default=OnAbandon.CONTINUE,
        help_text="What happens after STREAM_ABANDON_SECONDS without viewers.",
    )
    on_generator_lost = models.CharField(
        max_length=10,
        choices=OnGeneratorLost.choices,
        blank=True,
        help_text="What happens if the process that generates the answer dies. Blank: text"
        " continues, structured answers start over.",
    )

    objects = FollowedQuerySet.as_manager()
    history = HistoricalRecords(
        "version of a block type",
        "versions of block types",
        # A process of the version before deletes users without knowing of versions.
        user_db_constraint=False,
    )
    """A version for each save, with who and why: `blocks/versions.py`."""

    class Meta:
        ordering = ["order", "slug"]
        verbose_name = "block type"

    def __str__(self) -> str:
        return self.title

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """Validate the fields, and check that the model can be used.

        The check is not in `clean`, because list views call `clean` without showing this field.

        Raises:
            ValidationError: by field.
        """
        problems: dict[str, Any] = {}
        try:
            super().clean_fields(exclude)
        except ValidationError as error:
            problems = error.error_dict
        problem = ""
        if "model" not in problems and "model" not in (exclude or ()):
            problem = _model_problem(self.model)
        if problem:
            problems["model"] = [ValidationError(problem)]
        if problems:
            raise ValidationError(problems)

    def clean(self) -> None:
        """Validate the block as a whole, and report each field that would keep it from working.

        Raises:
            ValidationError: by field.
        """
        if self.options_schema is None:  # the admin sends None for an empty box
            self.options_schema = {}
        found = {
            "options_schema": options_schema_problem(self.options_schema),
            "answer_schema": self._answer_schema_problem(),
            "system_prompt": self._template_problem(self.system_prompt),
            "prompt_template": self._template_problem(self.prompt_template),
            "example_answer": self._example_problem(),
            "on_generator_lost": self._on_generator_lost_problem(),
        }
        if not found["prompt_template"] and "prompt" not in _placeholders(self.prompt_template):
            found["prompt_template"] = "It must contain $prompt, which is the question."
        if problems := {field: problem for field, problem in found.items() if problem}:
            raise ValidationError(problems)

    def spec(self) -> BlockSpec:
        """Return the engine's view of this block, with defaults filled in."""
        return BlockSpec(
            slug=self.slug,
            title=self.title,
            output=self.output,
            system_prompt=self.system_prompt,
            prompt_template=self.prompt_template,
            example_prompt=self.example_prompt,
            example_answer=self.example_answer,
            answer_schema=self.answer_schema,
            model=self.model or settings.AI_MODEL,
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            streaming=self.streaming,
            on_abandon="cancel" if self.on_abandon == "cancel" else "continue",
            on_generator_lost=self._resolved_on_generator_lost(),
        )

    def _resolved_on_generator_lost(self) -> WhenLost:
        structured = self.output in OUTPUTS and OUTPUTS[self.output].structured
        match self.on_generator_lost:
            case "fail":
                return "fail"
            case "restart":
                return "restart"
            case _:
                return "restart" if structured else "continue"

    def _answer_schema_problem(self) -> str:
        if self.output != "json":
            return ""
        if self.answer_schema is None:
            return "The output “JSON” needs an answer schema."
        return answer_schema_problem(self.answer_schema)

    def _template_problem(self, template: str) -> str:
        if not Template(template).is_valid():
            return "A $ begins no placeholder. Write $$ for a dollar sign."
        schema: Any = self.options_schema
        properties = schema.get("properties") if isinstance(schema, dict) else None
        known = {"prompt", *(properties if isinstance(properties, dict) else ())}
        if unknown := [name for name in _placeholders(template) if name not in known]:
            return (
                f"Unknown placeholder ${unknown[0]}. Available: "
                f"{', '.join('$' + name for name in sorted(known))}."
            )
        return ""

    def _example_problem(self) -> str:
        if bool(self.example_answer.strip()) != bool(self.example_prompt.strip()):
            return "Fill in both the example's prompt and its answer, or neither."
        if not self.example_answer.strip() or self.output not in OUTPUTS:
            return ""
        return OUTPUTS[self.output].example_problem(self.example_answer)

    def _on_generator_lost_problem(self) -> str:
        structured = self.output in OUTPUTS and OUTPUTS[self.output].structured
        if structured and self.on_generator_lost == "continue":
            return "A structured answer can’t continue from the middle: choose another, or blank."
        return ""


def _placeholders(template: str) -> list[str]:
    return Template(template).get_identifiers()


def _model_problem(model: str) -> str:
    if not model:
        return ""  # a system check covers the project's own model
    return model_problem(model, ProviderConfig.from_settings())
