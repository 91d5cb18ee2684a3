"""Tells every partner exactly what its agreement allows, and proves afterwards who was told what."""
