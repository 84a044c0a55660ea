"""The command `aar`. Commands are loaded when they are called, so that help is quick."""

from __future__ import annotations

import json
import pkgutil
import shlex
import sys
from collections.abc import Callable

import click

from aar_lab.errors import BadInput

USAGE, INTERRUPTED = 2, 130

COMMANDS = {
    "run": ("aar_host.cli.run:run", "Run a campaign: researchers, sealed final, report."),
    "serve": ("aar_host.cli.serve:serve", "Serve a campaign for researchers from outside."),
    "token": ("aar_host.cli.token:token", "Let somebody act in a campaign, or no longer."),
    "sit": ("aar_host.cli.sit:sit", "Take a seat in a running campaign, as a person."),
    "final": ("aar_host.cli.serve:final", "Freeze a campaign and open its finalists."),
    "reseal": ("aar_host.cli.reseal:reseal", "Open finalists once more, on new sealed data."),
    "report": ("aar_host.cli.run:report", "Write the report of a finished campaign again."),
    "study": ("aar_host.cli.study:study", "Compare two ways to run a fleet, in pairs."),
    "watch": ("aar_host.cli.watch:watch", "Follow a campaign that runs, from outside."),
    "costs": ("aar_host.cli.costs:costs", "Tell what a campaign has cost."),
    "estimate": ("aar_host.cli.estimate:estimate", "Estimate what a campaign would cost."),
    "jobs": ("aar_host.cli.jobs:jobs", "List a campaign's jobs; put lost ones back."),
    "fsck": ("aar_host.cli.keep:fsck", "Prove that a campaign is as it was written."),
    "backup": ("aar_host.cli.keep:backup", "Write a campaign to one archive."),
    "restore": ("aar_host.cli.keep:restore", "Bring a campaign back from an archive."),
    "honeylabels": (
        "aar_host.cli.honey:honeylabels",
        "Show the honeylabels of a campaign and who matches them.",
    ),
    "families": ("aar_host.cli.families:families", "Tell what a campaign's methods are."),
    "lineage": ("aar_host.cli.lineage:lineage", "Tell or draw which submission builds on which."),
    "anchors": ("aar_host.cli.data:anchors", "Train and show weak supervisor, baselines, ceiling."),
    "baselines": ("aar_host.cli.compare:baselines", "Compare the registered methods on a problem."),
    "transfer": ("aar_host.cli.compare:transfer", "Does a gain hold elsewhere: does it transfer?"),
    "prepare": ("aar_host.cli.data:prepare", "Draw a problem's training data and split them."),
    "pretrain": ("aar_host.cli.data:pretrain", "Pretrain a base model that the package ships."),
    "check-problem": (
        "aar_host.cli.check:check_problem_command",
        "Check that a problem of one's own keeps the rules.",
    ),
    "pgr": ("aar_host.cli.pgr:pgr", "Tell PGR and its interval from accuracies in a file."),
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
def group() -> None:
    """A laboratory for automated alignment researchers whose results can be believed.

    Example: aar run --researchers 3 --minutes 3
    """


def main() -> None:
    """The console script: wrong usage and interrupts are JSON as well where JSON was asked for."""
    try:
        group.main(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(USAGE)
    except click.UsageError as error:
        fault = BadInput(shlex.join(sys.argv[1:]), error.format_message(), "See `aar --help`.")
        _tell(fault, error.show)
        sys.exit(USAGE)
    except click.Abort:
        fault = BadInput("Ctrl-C", "interrupted before there was a result", "Run it again.")
        _tell(fault, lambda: click.echo("Interrupted.", err=True))
        sys.exit(INTERRUPTED)


def _tell(error: BadInput, show: Callable[[], None]) -> None:
    if "--json" in sys.argv:
        click.echo(json.dumps({"error": error.as_dict()}))
    else:
        show()
