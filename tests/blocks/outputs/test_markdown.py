from blocks.delta import Text
from blocks.outputs.markdown import MarkdownOutput
from tests.contracts.output_contract import OutputContract
from tests.support.blocks.example_spec import spec_of


class TestMarkdown(OutputContract):
    output = MarkdownOutput()
    spec = spec_of("markdown", example_prompt="Seas", example_answer="Large.")
    options = {}
    replies = ["Water **flows** down.\n\n```\n{}\n```\n 🌊"]
    result = None

    def long_reply(self, size: int) -> str:
        return "a b\n" * size


def test_text_is_passed_on_as_it_is() -> None:
    answer = MarkdownOutput().begin(spec_of("markdown"), "Hi", {}, seed="s", repair=False)
    assert answer.next_ask() is not None
    assert answer.next_ask() is None
    assert list(answer.feed("  <b>")) == [Text("  <b>")]
    assert list(answer.feed("")) == []


def test_blanks_alone_are_no_answer() -> None:
    answer = MarkdownOutput().begin(spec_of("markdown"), "Hi", {}, seed="s", repair=False)
    answer.feed(" \n")
    assert not answer.is_enough
    answer.feed("x")
    assert answer.is_enough


def test_the_worked_example_is_a_turn_of_each_side() -> None:
    spec = spec_of(
        "markdown",
        system_prompt="Be $tone.",
        prompt_template="Tell of $prompt, $tone.",
        example_prompt="seas",
        example_answer="They are large.",
    )
    ask = (
        MarkdownOutput().begin(spec, "rivers", {"tone": "kind"}, seed="s", repair=False).next_ask()
    )
    assert ask is not None
    assert [(turn.role, turn.content) for turn in ask.turns] == [
        ("system", "Be kind."),
        ("user", "Tell of seas, kind."),
        ("assistant", "They are large."),
        ("user", "Tell of rivers, kind."),
    ]
