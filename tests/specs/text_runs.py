"""Golden runs of text answers, and of streams with incomplete logs."""

from __future__ import annotations

from dataclasses import replace

from streaming.protocol import events
from tests.specs.golden_run import HEAD, GoldenRun, Row, Script

_LOST = "The answer was cut off when the server stopped; please try again."

TEXT_RUNS = (
    GoldenRun(
        "markdown",
        "A short markdown answer, from first token to end.",
        Script()
        .chunks("The sky", " is **blue**", " because", " air", " scatters", " light.")
        .complete(),
        attaches=(-1, 0, 3, 5, 6, 7),
    ),
    GoldenRun(
        "hostile-text",
        "Text that would forge frames, break lines or close a script, were it not escaped.",
        Script()
        .chunks("line one\nline two\r\n", "\r", '\ndata: {"type":"complete"}\n\n', "id: 9\n")
        .chunks(
            "\u2028\u2029\u0085",
            "👩‍👩‍👧‍👦 e\u0301 ",
            "</script><!--",
            '\\u0041 \\n "',
            "\t\b\f\u0001\u007f",
        )
        .chunks(": ping\n\n", "\ufeffשלום", "event: error")
        .complete(),
        attaches=(-1, 2, 11),
    ),
    GoldenRun(
        "nearly-empty",
        "One blank is all the text there is; the first token took no measurable time.",
        Script().chunks(" ").complete(output_tokens=1, ttft_ms=0, duration_ms=0),
        attaches=(-1, 0, 1),
    ),
    GoldenRun(
        "error-in-mid-answer",
        "The provider broke off: what came before stays.",
        Script()
        .chunks("Half of", " an ans")
        .error("provider_interrupted", "The model stopped mid-answer.", retryable=True),
        attaches=(-1, 1, 2, 3),
    ),
    GoldenRun(
        "error-before-the-first-token",
        "The provider could not be reached: the terminal event is the only one.",
        Script().error(
            "provider_unavailable", "The model can't be reached right now.", retryable=True
        ),
        attaches=(-1, 0),
    ),
    GoldenRun(
        "cancelled-before-the-first-token",
        "Stopped while it was queued: the terminal event is the only one.",
        Script().cancelled("owner"),
        attaches=(-1, 0, 1),
    ),
    GoldenRun(
        "cancelled-in-mid-answer",
        "Stopped by an admin after three tokens.",
        Script().chunks("One", " two", " three").cancelled("admin"),
        attaches=(-1, 2, 3),
    ),
    GoldenRun(
        "abandoned",
        "Stopped because nobody watched any more.",
        Script().chunks("Nobody", " reads").cancelled("abandoned"),
    ),
    GoldenRun(
        "retry",
        "A second attempt: the reset voids the text of the first.",
        Script()
        .chunks("A first", " try")
        .add(events.reset, "retry")
        .chunks("The second", " one")
        .complete(),
        attaches=(-1, 0, 1, 2, 3),
    ),
    GoldenRun(
        "recovered",
        "The generator died and another process began anew.",
        Script().chunks("Before").add(events.reset, "recovered").chunks("After").complete(),
    ),
    GoldenRun(
        "thinking",
        "The model reasons before each of two tries. Only a viewer that is there is told.",
        Script()
        .chunks("A first")
        .add(events.reset, "retry")
        .chunks("The second", " one")
        .complete(),
        thinking=((-1, 0), (-1, 1_004), (-1, 2_010), (1, 0), (1, 1_001)),
        attaches=(-1, 0, 1, 3),
    ),
    GoldenRun(
        "queue",
        "The server is full: the stream waits in line, then the model thinks and writes.",
        Script().chunks("At", " last").complete(),
        queue=(12, 3, 2, 1),
        thinking=((-1, 0), (-1, 1_004)),
        attaches=(-1, 0, 1),
    ),
    GoldenRun(
        "queue-cancelled",
        "Stopped while it waited in line.",
        Script().cancelled("owner"),
        queue=(2,),
        attaches=(-1, 0),
    ),
    GoldenRun(
        "refused",
        "The model declined: the error carries its own words.",
        Script().error("refused", "I can’t help with that.", retryable=False),
        thinking=((-1, 0),),
        attaches=(-1, 0),
    ),
    GoldenRun(
        "repetition",
        "The model repeated itself, and was stopped.",
        Script()
        .chunks("It is what it is. ", "It is what it is. ", "It is what it is.")
        .complete(finish_reason="repetition"),
    ),
    GoldenRun(
        "length-cut",
        "Text that ran into the limit of tokens ends as complete, with the reason.",
        Script().chunks("And so", " on and").complete(finish_reason="length"),
    ),
    GoldenRun(
        "single-chunk",
        "Streaming is off: the same events, all text in one chunk.",
        Script().chunks("The whole answer, at once.").complete(),
        attaches=(-1, 0),
    ),
    GoldenRun(
        "asked-with-a-request-id",
        "A start with a request_id names it.",
        Script().chunks("Hello").complete(),
        head=replace(HEAD, request_id="6f1c2d3e-4a5b-4c6d-8e7f-001122334455"),
    ),
    GoldenRun(
        "continued",
        "A stream that continues the text of another one: its own text is only the rest.",
        Script().chunks("ters", " the", " light.").complete(),
        head=replace(HEAD, continues="dGhlLW9uZS1iZWZvcmUtaQ"),
        attaches=(-1, 1),
    ),
    GoldenRun(
        "sample",
        "A sample answer is replayed: the start names it.",
        Script().chunks("Written by", " hand.").complete(),
        head=replace(HEAD, model="sample", sample="pendulum"),
    ),
    GoldenRun(
        "viewer-behind",
        "A long answer: who is more than 32 events behind gets neighbouring chunks as one.",
        Script()
        .chunks(*(f"w{n} " for n in range(40)))
        .add(events.reset, "retry")
        .chunks(*(f"v{n} " for n in range(60)))
        .complete(),
        attaches=(-1, 5, 39, 40, 41, 68, 69, 70, 99, 100),
    ),
    GoldenRun(
        "still-running",
        "No end yet. A cursor beyond what the stream has can't be honoured: a snapshot resets it.",
        tuple(Script().chunks("As far", " as it", " goes").events),
        attaches=(-1, 1, 2, 3, 99),
    ),
    GoldenRun(
        "row-alone",
        "An ended stream whose log expired: a snapshot of the row, then the terminal event.",
        Script(after=41).complete(),
        row=Row(seq=41, status="running", text="All of the text."),
        is_over=True,
        attaches=(0, 40, 41, 42, 43),
    ),
    GoldenRun(
        "lost-with-its-process",
        "The process was killed. A viewer that comes before the stream is closed gets a snapshot at"
        " the mark of seq and waits; the end is above all that was delivered.",
        Script(after=99_999).error("generator_lost", _LOST, retryable=True),
        row=Row(seq=99_999, status="running", text="What was saved"),
        attaches=(-1, 17, 99_999, 100_000),
    ),
)
