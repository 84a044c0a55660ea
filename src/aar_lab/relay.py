"""Runs a program beside a way from the box's own loopback to the model: the host's unix socket.

`python -m aar_lab.relay PORT SOCKET PROGRAM …` listens at 127.0.0.1:PORT, carries every connection
to SOCKET, and ends as the program ends. Agents of others know URLs, but no unix sockets. The
standard library only: it stays in memory as long as the agent.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

LOOPBACK = "127.0.0.1"
CHUNK = 65536
USAGE, NO_PORT, NOT_FOUND = 2, 125, 127


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Until the source ends; the sink is then told so, and its answer may still come."""
    with suppress(OSError):
        while chunk := await source.read(CHUNK):
            sink.write(chunk)
            await sink.drain()
        if sink.can_write_eof():
            sink.write_eof()


async def _pipe(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, unix_socket: str
) -> None:
    """Both directions of one connection; who cannot reach the host is hung up on."""
    with suppress(OSError):
        host_reader, host_writer = await asyncio.open_unix_connection(unix_socket)
        try:
            there = asyncio.create_task(_carry(reader, host_writer))
            await _carry(host_reader, writer)
            there.cancel()
        finally:
            host_writer.close()
    writer.close()


async def relay(port: int, unix_socket: str, command: Sequence[str]) -> int:
    """Run the command; its exit code, 128 + signal for a signal."""
    try:
        server = await asyncio.start_server(
            lambda reader, writer: _pipe(reader, writer, unix_socket), LOOPBACK, port
        )
    except OSError as error:
        sys.stderr.write(f"relay: {error}\n")
        return NO_PORT
    async with server:
        try:
            child = await asyncio.create_subprocess_exec(*command)
        except OSError as error:
            sys.stderr.write(f"{command[0]}: {error.strerror}\n")
            return NOT_FOUND
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, child.send_signal, number)
        code = await child.wait()
    return code if code >= 0 else 128 - code


def main(words: Sequence[str]) -> int:
    """The command line of the module."""
    if len(words) < 3 or not words[0].isdecimal():
        sys.stderr.write("usage: relay PORT SOCKET PROGRAM …\n")
        return USAGE
    return asyncio.run(relay(int(words[0]), words[1], words[2:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
