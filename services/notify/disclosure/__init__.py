"""Hands a sealed block to a partner whose agreement grants it: per request, recorded, never after erasure."""
