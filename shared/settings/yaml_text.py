"""What people write in YAML, read so that every mistake is one kind of error."""

import yaml


def parse_yaml(text: str) -> object:
    """Return what `text` says. Raises YAMLError, also for a date that never was or nesting without end."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        raise
    except Exception as error:
        raise yaml.YAMLError(f"{type(error).__name__}: {error}"[:200]) from error
