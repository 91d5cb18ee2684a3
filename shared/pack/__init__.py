"""Jurisdiction packs: desks, units, zones and responses, the same for every service that needs them."""

from shared.pack.load import DEMO, PackError, load_pack
from shared.pack.model import DeskSpec, Names, Pack, Response, UnitSpec, ZoneSpec

__all__ = ["DEMO", "DeskSpec", "Names", "Pack", "PackError", "Response", "UnitSpec", "ZoneSpec", "load_pack"]
