"""The command `aar`. Commands are loaded when they are called, so that help is quick."""

from __future__ import annotations

import pkgutil

import click

COMMANDS = {
    "run": ("aar_host.cli.run:run", "Run a campaign: researchers, sealed final, report."),
    "report": ("aar_host.cli.run:report", "Write the report of a finished campaign again."),
    "anchors": ("aar_host.cli.data:anchors", "Train and show weak supervisor, baselines, ceiling."),
    "prepare": ("aar_host.cli.data:prepare", "Draw a problem's training data and split them."),
    "pretrain": ("aar_host.cli.data:pretrain", "Pretrain a base model that the package ships."),
    "problems": ("aar_host.cli.lists:problems", "List the problems."),
    "methods": ("aar_host.cli.lists:methods", "List the registered methods."),
    "doctor": ("aar_host.cli.doctor:doctor", "Tell what is missing here, and how to mend it."),
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        found = pkgutil.resolve_name(COMMANDS[cmd_name][0])
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(cls=_Lazy)
@click.version_option(package_name="automated-alignment-researchers")
def main() -> None:
    """A laboratory for automated alignment researchers whose results can be believed.

    Example: aar run --researchers 3 --minutes 3
    """
