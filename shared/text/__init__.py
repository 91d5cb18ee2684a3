"""What people type, in the one spelling and without the numbers that name a person."""

from shared.text.mask import MASK, mask
from shared.text.normalise import ERA, normalise

__all__ = ["ERA", "MASK", "mask", "normalise", "public"]


def public(text: str) -> str:
    """Return `text` as many may read it: normalised, then masked."""
    return mask(normalise(text))
