"""The worked examples of the demo model's diagrams: a numbered line for each part.

The subjects are unlikely ones, and the labels belong to them alone: a copied label is void.
"""

DIAGRAM_EXAMPLES: tuple[tuple[str, str], ...] = (
    (
        "Painting a fence",
        "1. Scrape off old paint\n2. Sand the boards\n3. Brush on primer\n4. Paint two coats\n",
    ),
    (
        "The life of a butterfly",
        "1. Egg on a leaf\n2. Hungry caterpillar\n3. Silky chrysalis\n4. Winged butterfly\n",
    ),
    (
        "How a candle burns",
        "1. Match lights wick\n2. Wax melts\n3. Wick soaks up wax\n4. Wax turns to gas\n"
        "5. Candle flame glows\n",
    ),
    (
        "Borrowing a library book",
        "1. Search the catalogue\n2. Find the shelf\n3. Show library card\n4. Stamp the due date\n"
        "5. Read at home\n6. Return the book\n",
    ),
    (
        "How honey is made",
        "1. Bee visits flower\n2. Nectar in honey stomach\n3. Nectar enters comb\n"
        "4. Wings fan it dry\n5. Wax seals the cell\n",
    ),
    (
        "The human ear",
        "1. Outer ear\n2. Ear canal\n3. Eardrum\n4. Three tiny bones\n5. Cochlea\n"
        "6. Auditory nerve\n",
    ),
)
