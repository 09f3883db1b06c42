"""What `structured` asks: subjects that no worked example and no example of the pages has."""


def _split(text: str) -> list[str]:
    return text.strip().replace("\n", "|").split("|")


QUIZ_TOPICS = _split("""
The Silk Road|Glaciers|The Industrial Revolution|Whales|How a camera works|The Vikings
The human skeleton|Chocolate|Tennis|Satellites|Spiders|Opera|The Ottoman Empire|How ships float
Solar energy|Vitamins|Card games|Pottery|The Eiffel Tower|Bicycles|Fossils|Elections
The Wright brothers|Deserts|Painting|Banks|Rainforests|Mozart|Antibiotics|Tornadoes|The lungs
Robots|The Alps|The Winter Olympics|Tea|Coral reefs|Comets|Penguins|Railways|The printing press""")

DIAGRAM_TOPICS = _split("""
How rain forms|How glass is made|The life of a salmon|How a car engine works|Growing tomatoes
How paper is recycled|The rock cycle|Organising a party|How chocolate is made
The nitrogen cycle|How a book is published|Making pasta|The human eye
How electricity reaches a home|Moving house|How a seed becomes a tree|Baking a cake
The digestion of food|How a film is made|Sailing a boat|How a search engine works|The carbon cycle
Building a house|How a court case works|The life of a star|Repairing a flat tyre
How a computer starts|The branches of government|Writing an essay|A day at school
How wine is made|The parts of a plant|Catching a plane|How a phone call works|Washing clothes
The layers of the Earth|How a river reaches the sea|Learning a language|How steel is made
Posting a parcel""")

QUESTIONS = _split("""
Why is the sea salty?|What is gravity?|Who was Cleopatra?|How do magnets work?
What is a fossil?|Why do leaves change colour?|How does a fridge stay cold?
What is electricity?|Why do we sleep?|What is an island?|How do birds fly?|What is a virus?
Why do cats meow?|Who invented the telephone?|What is inflation?|How do plants drink?
Why is ice slippery?|What is a desert?|How do bees find flowers?|What is the Moon made of?""")
