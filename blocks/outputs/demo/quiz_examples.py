"""The worked examples of the demo model's quizzes.

The subjects are unlikely ones: a small model copies what it is shown, and a copy is void.
Each block of six lines is one question, in the form that the grammar of `quiz.py` allows.
"""

QUIZ_EXAMPLES: tuple[tuple[str, str], ...] = (
    (
        "Lighthouses",
        """\
Question 1: What does a lighthouse keeper clean every morning?
Right: The glass lens
Wrong: The fishing nets
Wrong: The harbour wall
Wrong: The anchor chain
Because: Salt and soot on the lens would weaken the light.
Question 2: Which ancient city had a lighthouse that counted among the seven wonders?
Right: Alexandria
Wrong: Carthage
Wrong: Syracuse
Wrong: Ephesus
Because: The tower on the island of Pharos stood for more than a thousand years.
Question 3: Why do lighthouses blink in different rhythms?
Right: To be recognised
Wrong: To save oil
Wrong: To scare gulls
Wrong: To dry the lamp
Because: Sailors compare the rhythm with their chart and know where they are.
""",
    ),
    (
        "The Sahara",
        """\
Question 1: Where does the Sahara lie?
Right: North Africa
Wrong: South America
Wrong: Central Asia
Wrong: West Australia
Because: It reaches from the Atlantic Ocean to the Red Sea.
Question 2: Which animal carries salt across the Sahara?
Right: Dromedary
Wrong: Reindeer
Wrong: Water buffalo
Wrong: Llama
Because: Dromedaries walk for a week without drinking.
Question 3: What do travellers find at an oasis?
Right: Date palms
Wrong: Pine forests
Wrong: Coral reefs
Wrong: Rice fields
Because: Water comes so near to the surface there that palms can reach it.
""",
    ),
    (
        "Bridges",
        """\
Question 1: What holds up the deck of a suspension bridge?
Right: Steel cables
Wrong: Glass pillars
Wrong: Rubber ropes
Wrong: Copper pipes
Because: The cables hang from towers and carry the weight to the banks.
Question 2: When was the Golden Gate Bridge opened?
Right: 1937
Wrong: 1789
Wrong: 1861
Wrong: 2004
Because: On the first day two hundred thousand people crossed it on foot.
Question 3: Who planned the Brooklyn Bridge?
Right: John Roebling
Wrong: Gustave Eiffel
Wrong: Robert Maillart
Wrong: Thomas Telford
Because: Roebling owned a wire rope factory and drew the first plans.
""",
    ),
)
