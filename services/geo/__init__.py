"""Puts every report on the map: its areas, its safety zones, and the desk that decides about it."""
