"""What callers say of an incident: the city publishes no words, so each caller gets some of their own.

What is seen belongs to the incident and is drawn once; how it is said, and what is left out, belongs to the
caller. Everything is drawn from a seeded generator.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

PEOPLE = (
    ("an old man", "an elderly gentleman", "my grandfather", "a man of about eighty"),
    ("an old woman", "an elderly lady", "my grandmother", "a woman in her eighties"),
    ("a man", "a guy in his forties", "my husband", "some man"),
    ("a woman", "a lady in her thirties", "my wife", "some woman"),
    ("a teenager", "a boy of sixteen", "a young kid", "a student"),
    ("a homeless man", "a man in a sleeping bag", "a guy who lives on the street", "a man in a tent"),
    ("a child", "a little girl", "my daughter", "a kid"),
    ("a cyclist", "somebody with a bike", "a bike rider", "a person next to a bicycle"),
)
SEEN = {
    "medical_emergency": (
        ("has chest pain", "is clutching the chest", "pain in the chest, sweating", "maybe a heart attack"),
        ("cannot breathe", "is short of breath", "has trouble breathing", "gasping for air"),
        ("fainted", "passed out", "collapsed just now", "is lying there and does not wake up"),
        ("fell down the stairs", "had a bad fall", "slipped and cannot get up", "fell, hip hurts"),
        ("is having a seizure", "is shaking all over", "convulsions", "an epileptic fit"),
        ("took too many pills", "overdosed", "an overdose, blue lips", "took something, barely awake"),
        (
            "is bleeding from the head",
            "has a deep cut, lots of blood",
            "blood everywhere",
            "a bleeding wound",
        ),
        (
            "has a fever and coughs",
            "is coughing, maybe covid",
            "very sick, high temperature",
            "flu, very weak",
        ),
        (
            "vomits and has belly pain",
            "stomach cramps",
            "throwing up for hours",
            "terrible pain in the belly",
        ),
        (
            "is confused and talks slurred",
            "face is drooping, a stroke?",
            "cannot lift one arm",
            "speech is gone",
        ),
        ("was beaten up", "got hit in the face", "is hurt after a fight", "was attacked, nose is broken"),
        ("has low blood sugar", "is diabetic and sweating", "a diabetic, not making sense", "sugar is at 40"),
        ("wants to hurt himself", "threatens to jump", "says life is over", "is suicidal"),
        (
            "is drunk and does not get up",
            "heavily intoxicated",
            "had too much to drink",
            "drunk on the ground",
        ),
        (
            "has an allergic reaction",
            "face is swelling up",
            "stung by a bee, hives",
            "ate nuts, throat closes",
        ),
        ("hurt the back", "back pain, cannot move", "cannot stand, the spine", "threw out the back lifting"),
    ),
    "alarm": (
        (
            "a fire alarm is ringing",
            "the alarm of the building goes off",
            "sirens in the whole house",
            "bells",
        ),
        (
            "a smoke detector is beeping",
            "detector on the third floor",
            "a smoke alarm, nobody home",
            "beeping",
        ),
        (
            "a pull station was pulled",
            "somebody pulled the alarm",
            "the red handle in the hall",
            "manual alarm",
        ),
        ("the sprinkler alarm", "water flow alarm in the garage", "sprinklers are on", "water alarm rings"),
    ),
    "fire": (
        ("flames from a window", "fire on the second floor", "a window is burning", "an apartment on fire"),
        ("the kitchen burns", "a pan caught fire", "fire at the stove", "kitchen fire, lots of smoke"),
        ("smoke from the roof", "the roof is smoking", "thick black smoke on top", "attic fire"),
        ("a trash can is burning", "garbage on fire", "burning rubbish", "a dumpster in flames"),
        ("a tent is on fire", "a camp burns under the bridge", "a fire in the encampment", "burning tents"),
        (
            "a car is on fire",
            "flames under the hood",
            "a burning vehicle",
            "an engine burns, the driver is out",
        ),
        ("grass is burning", "brush fire on the hill", "bushes on fire", "a fire in the park, dry grass"),
    ),
    "road_accident": (
        (
            "two cars crashed",
            "a car accident",
            "cars collided, glass all over",
            "a bad crash of two vehicles",
        ),
        ("a car hit a pedestrian", "somebody was run over", "a person under a car", "pedestrian struck"),
        (
            "a motorcycle went down",
            "a biker fell",
            "a motorbike and a van",
            "a rider thrown off the motorcycle",
        ),
        ("a car rolled over", "an SUV on its roof", "overturned vehicle", "a jeep upside down"),
        ("a car drove into a pole", "hit a lamp post", "a vehicle against a tree", "crashed into a wall"),
    ),
    "gas_leak": (
        (
            "it smells of gas",
            "a strong smell of gas",
            "gas odor in the hallway",
            "rotten eggs in the basement",
        ),
        (
            "workers hit a gas pipe",
            "a broken gas line, hissing",
            "a gas main is open",
            "digging broke the gas",
        ),
    ),
    "other": (
        (
            "water comes through the ceiling",
            "a pipe burst",
            "the flat is flooding",
            "water leak from upstairs",
        ),
        ("wires are down and spark", "a power line on the street", "sparks from a pole", "hanging cables"),
        (
            "people are stuck in an elevator",
            "the lift stopped with us in it",
            "elevator stuck",
            "trapped in a lift",
        ),
        ("a strange smell", "something chemical in the air", "an odd odor outside", "it stinks of plastic"),
        (
            "locked out with the stove on",
            "cannot get in, child inside",
            "a baby behind a locked door",
            "locked",
        ),
        (
            "somebody fell from the bed, not hurt",
            "needs help back into the wheelchair",
            "lift assist",
            "get him up",
        ),
        (
            "somebody is in the water",
            "a swimmer in trouble",
            "a person drifts off the beach",
            "a surfer is gone",
        ),
        ("police want an engine", "officers ask for the fire department", "standby for the police", "assist"),
        ("a tree fell on a car", "a big branch on the road", "a tree is down", "branches block the street"),
    ),
}
"""By category, what can be seen: each a few ways to say it."""
CATEGORY = {
    "Medical Incident": "medical_emergency",
    "Alarms": "alarm",
    "Structure Fire": "fire",
    "Outside Fire": "fire",
    "Vehicle Fire": "fire",
    "Smoke Investigation (Outside)": "fire",
    "Traffic Collision": "road_accident",
    "Gas Leak (Natural and LP Gases)": "gas_leak",
}
ABOUT_PEOPLE = {"medical_emergency", "road_accident"}
OPENINGS = ("", "hello, ", "please come quickly, ", "help, ", "I want to report this: ", "send somebody, ")


@dataclass(frozen=True)
class Scene:
    """What there is to see at an incident."""

    category: str
    who: Sequence[str]
    what: Sequence[str]
    where: Sequence[str]


def scene_of(category: str, address: str, random: Random) -> Scene:
    """Draw what there is to see at an incident of a category."""
    who = random.choice(PEOPLE) if category in ABOUT_PEOPLE else ()
    return Scene(category, who, random.choice(SEEN[category]), places(address))


def told(scene: Scene, random: Random) -> str:
    """Return one caller's words."""
    parts = [random.choice(scene.what)]
    if scene.who:
        parts.insert(random.choice((0, 0, 1)), random.choice(scene.who))
    body = " ".join(parts)
    where = random.choice(scene.where)
    order = f"{body}, {where}" if random.random() < 0.7 else f"{where}: {body}"
    return random.choice(OPENINGS) + order


def places(address: str) -> tuple[str, ...]:
    """Return ways to say an address, which the city gives as a block or as a crossing."""
    if "/" in address:
        one, other = (street.strip().title() for street in address.split("/")[:2])
        return f"{one} and {other}", f"corner of {other} and {one}", f"on {one}, at {other}", f"near {other}"
    block, _, street = address.partition(" Block of ")
    name = street.title() or address.title()
    return f"{block} block of {name}", f"on {name}, number {block} or so", f"{name} {block}", f"in {name}"
