"""`ruamjai`: one thin front for operators; what it can do is brought by `shared` and by each service.

A package adds its own with an entry point in the group `ruamjai.commands`, loaded only when it is asked for.
"""

from importlib.metadata import EntryPoint, entry_points

import click

from shared.bus.admin import topics
from shared.bus.dlq import dlq
from shared.bus.strimzi import strimzi
from shared.load.cli import load
from shared.pack.cli import pack

COMMANDS = "ruamjai.commands"
topics.add_command(strimzi)


class Front(click.Group):
    """The commands added here, and those that installed packages bring."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return every name, sorted."""
        return sorted({*super().list_commands(ctx), *_brought()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, loading it if need be."""
        own = super().get_command(ctx, cmd_name)
        if own is None and cmd_name in _brought():
            loaded = _brought()[cmd_name].load()
            assert isinstance(loaded, click.Command), f"{cmd_name} is no click command"
            return loaded
        return own


def _brought() -> dict[str, EntryPoint]:
    return {found.name: found for found in entry_points(group=COMMANDS)}


@click.group(
    cls=Front, commands=[topics, dlq, pack, load], context_settings={"help_option_names": ["-h", "--help"]}
)
def main() -> None:
    """Operate a Ruamjai installation. Every command reads the same settings as the services."""
