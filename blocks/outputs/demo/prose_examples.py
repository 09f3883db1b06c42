"""The worked examples of the demo model's texts, one pair for each block that is shipped."""

ASK_EXAMPLES: tuple[tuple[str, str], ...] = (
    (
        "Why do cats purr?",
        "Cats purr mostly when they feel safe and content. Small muscles in the throat move very"
        " fast, and the air makes a humming sound. A cat may also purr to calm itself.",
    ),
    (
        "What is a sundial?",
        "A sundial is a clock that uses the Sun. A rod throws a shadow on a plate with numbers,"
        " and the shadow moves as the day goes on. It only works in sunshine.",
    ),
)

EXPLAIN_EXAMPLES: tuple[tuple[str, str], ...] = (
    (
        "Why do we yawn?",
        "When you are tired, your body becomes slow and your head gets a little too warm. A yawn"
        " is like opening a window in a stuffy room. Fresh air rushes in, your face stretches and"
        " you feel more awake. That is why we yawn in the evening.",
    ),
    (
        "Zips",
        "A zip has two rows of tiny teeth. The slider pushes the rows together, like two hands"
        " that fold their fingers into each other. When you pull it back, a small wedge parts the"
        " teeth again. So one piece of metal can both close and open your jacket.",
    ),
)
