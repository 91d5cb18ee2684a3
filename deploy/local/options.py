"""Options of `make servers`: which servers to start, how, and where."""

import argparse
from collections.abc import Sequence
from pathlib import Path


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options by name; ends the program with an explanation of a mistake."""
    parser = argparse.ArgumentParser(prog="make servers", description=__doc__)
    add = parser.add_argument
    add("--embedded", action="store_true", help="librdkafka's broker in this process and no MongoDB")
    add("--brokers", type=int, choices=(1, 3), default=1, help="3: replicated, one may die")
    add(
        "--secure",
        action="store_true",
        help="TLS, and a user with its own rights for each of us",
    )
    add("--agreements", type=Path, metavar="DIR", help="the agencies are those with an agreement there")
    add("--user", type=_user, action="append", dest="users", metavar="NAME:PASSWORD", default=[])
    add("--data", type=Path, metavar="DIR", help="keep the data there; without it a temporary directory")
    add("--kafka-port", type=int, metavar="PORT", help="of the first broker; without it any free one")
    add("--mongo-port", type=int, metavar="PORT")
    add("--no-kafka", action="store_false", dest="kafka")
    add("--no-mongo", action="store_false", dest="mongo")
    options = parser.parse_args(arguments)
    options.users = dict(options.users)
    if (options.users or options.agreements) and not options.secure:
        parser.error("--user and --agreements go with --secure")
    if options.embedded and (options.secure or options.brokers > 1):
        parser.error("--embedded is one broker without security")
    return options


def _user(text: str) -> tuple[str, str]:
    name, _, password = text.partition(":")
    if not name or not password:
        raise argparse.ArgumentTypeError("expected NAME:PASSWORD")
    return name, password
