"""How the city's words become the platform's: category and priority of a call."""

from shared.contracts.values import Priority
from tests.city.calls import Incident
from tests.city.words import CATEGORY

LIFE = ("Potentially Life-Threatening", "Fire")
LIGHTS = "3"


def category_of(call: Incident) -> str:
    """Return the category of a call's type."""
    return CATEGORY.get(call.kind, "other")


def priority_of(call: Incident) -> Priority:
    """Return P1 for a danger to life, P2 for what else is answered with lights and siren, P3 for the rest."""
    if call.group in LIFE:
        return Priority.P1
    return Priority.P2 if call.priority == LIGHTS else Priority.P3
