"""What an operator gave and nobody can work with: the one kind of error that ends a process with code 78."""


class ConfigurationError(ValueError):
    """Settings, or a file they name, that cannot be used; the message says what is wrong and where."""
