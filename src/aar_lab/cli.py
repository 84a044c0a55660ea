"""`lab`: a researcher's verbs as commands, generated from `aar_lab.tools`."""

from __future__ import annotations

import json
import multiprocessing
import os
import pkgutil
import shlex
import signal
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import click
import yaml

from aar_lab.client import Client
from aar_lab.errors import BadInput, JobFailed, LabError
from aar_lab.tools import VERBS
from aar_lab.verbs import Connect, Parameter, TextFile, Verb, read_source

FAILED, USAGE = 1, 2
MAX_STRAY = 2000


def main() -> None:
    """The console script."""
    if "--json" in sys.argv:
        sys.excepthook = _uncaught
    sys.exit(run(sys.argv[1:]))


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Tell what a method raised as one JSON document; its traceback is the fault."""
    told = "".join(traceback.format_exception(kind, error, trace))[-MAX_STRAY:]
    fault = JobFailed(kind.__name__, told, "Correct the method; nothing was submitted.")
    _print_json({"error": fault.as_dict()})


def run(arguments: Sequence[str], connect: Connect = Client.from_environment) -> int:
    """Run one command line and return its exit code: 0, 1 for an error, 2 for wrong usage.

    With `--json` exactly one JSON document goes to stdout, also when it fails; without, an error
    goes to stderr as text.
    """
    as_json = "--json" in arguments
    try:
        group(connect).main(list(arguments), prog_name="lab", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return USAGE
    except click.UsageError as error:
        if as_json:
            fault = BadInput(shlex.join(arguments), error.format_message(), "See `lab --help`.")
            _print_json({"error": fault.as_dict()})
        else:
            error.show()
        return USAGE
    except LabError as error:
        if as_json:
            _print_json({"error": error.as_dict()})
        else:
            click.echo(str(error), err=True)
        return FAILED
    return 0


def group(connect: Connect) -> click.Group:
    """All commands. `connect` is called when a verb first needs the host."""
    commands: list[click.Command] = [_command(verb, connect) for verb in VERBS]
    commands.append(
        click.Command(
            "shell",
            callback=lambda: shell(_stdin(), sys.stdout, connect),
            help="Read one command per line from stdin; print one JSON line for each.\n\n"
            "Example: echo brief | lab shell",
            short_help="Read commands from stdin, answer each with one JSON line.",
        )
    )
    commands.append(
        click.Command(
            "mcp",
            callback=lambda: pkgutil.resolve_name("aar_lab.mcp:serve")(connect),
            help="Serve the same verbs as tools over stdin and stdout, in the Model Context"
            " Protocol.\n\nExample: lab mcp",
            short_help="Serve the verbs as MCP tools over stdin and stdout.",
        )
    )
    return click.Group("lab", commands=commands, help="What a researcher can do in a campaign.")


def _stdin() -> IO[str]:
    return open(sys.stdin.fileno(), encoding="utf-8", errors="replace", closefd=False)


def shell(commands: IO[str], answers: IO[str], connect: Connect) -> None:
    """Answer each line of `commands` with one JSON line {"command", "exit", "output"}.

    Each runs in a forked child, so that imports are paid once and a crash hurts nobody else.
    """
    for verb in VERBS:
        verb.load()
    for line in commands:
        if line.strip():
            code, output = _answer(line.strip(), connect)
            answer = {"command": line.strip(), "exit": code, "output": output}
            answers.write(json.dumps(answer) + "\n")
            answers.flush()


def _answer(line: str, connect: Connect) -> tuple[int, Any]:
    try:
        arguments = shlex.split(line)
    except ValueError as error:
        fault = BadInput(line[:MAX_STRAY], str(error), "Quote it as for a shell.")
        return USAGE, {"error": fault.as_dict()}
    if arguments[:1] == ["lab"]:
        arguments = arguments[1:]
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        child = multiprocessing.get_context("fork").Process(
            target=_child, args=(arguments, output, connect)
        )
        child.start()
        child.join()
        output.seek(0)
        return child.exitcode or 0, _parsed(line, output.read(), child.exitcode or 0)


def _child(arguments: Sequence[str], output: IO[str], connect: Connect) -> None:
    os.dup2(output.fileno(), 1)
    sys.stdout = output
    code = FAILED
    try:
        code = run([*arguments[:1], "--json", *arguments[1:]], connect)
    finally:
        # An exception of a method's code ends here as JSON, not as a traceback in the host's log.
        kind, error, trace = sys.exc_info()
        if kind is not None and error is not None:
            _uncaught(kind, error, trace)
        output.flush()
        os._exit(code)


def _parsed(line: str, text: str, code: int) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit {code}"
        fault = f"{how} and no JSON; it printed {text[-MAX_STRAY:]!r}"
        return {"error": JobFailed(line, fault, "See stderr.").as_dict()}


def _command(verb: Verb, connect: Connect) -> click.Command:
    def callback(as_json: bool, **values: Any) -> None:
        given = {p.name: _given(p, values[p.name]) for p in verb.parameters}
        named = {name: value for name, value in given.items() if value is not None}
        result = verb.load()(connect, **named)
        if as_json:
            _print_json(result)
        elif "text" in result:
            click.echo(result["text"])
        else:
            click.echo(yaml.safe_dump(result, sort_keys=False, allow_unicode=True), nl=False)

    json_option = click.Option(
        ["--json", "as_json"], is_flag=True, help="print one JSON document on stdout"
    )
    arguments = [p for p in verb.parameters if p.place == "argument"]
    described = "".join(f"\n\n{p.name.upper()}: {_help(p)}." for p in arguments)
    return click.Command(
        verb.name,
        params=[*map(_parameter, verb.parameters), json_option],
        callback=callback,
        help=f"{verb.summary}{described}\n\nExample: {verb.example}",
        short_help=verb.summary,
    )


def _help(parameter: Parameter) -> str:
    return f"a file: {parameter.help}" if parameter.kind is TextFile else parameter.help


def _given(parameter: Parameter, value: Any) -> Any:
    if parameter.kind is not TextFile or value is None:
        return value
    return read_source(Path(value), parameter.limit)


def _parameter(parameter: Parameter) -> click.Parameter:
    kind: Any = click.Choice(parameter.choices) if parameter.choices else parameter.kind
    kind = str if kind is TextFile else kind
    if parameter.place == "argument":
        return click.Argument(
            [parameter.name],
            type=kind,
            required=not parameter.optional,
            nargs=-1 if parameter.many else 1,
        )
    return click.Option(
        [f"--{parameter.name.replace('_', '-')}"],
        type=kind,
        default=parameter.default,
        multiple=parameter.many,
        help=_help(parameter),
        show_default=parameter.default is not None,
    )


def _print_json(document: Any) -> None:
    click.echo(json.dumps(document))


if __name__ == "__main__":
    main()
