"""Dispatch: desks that open incidents, give tasks to units, and escalate until somebody takes them on."""
