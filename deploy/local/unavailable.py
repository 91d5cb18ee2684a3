"""The one error that makes the choice of servers go on to the next source."""


class Unavailable(Exception):  # noqa: N818 - a condition of the machine, not a fault of the program
    """This machine cannot run that server; the message says what is missing."""
