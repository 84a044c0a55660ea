"""A PostgreSQL server of the tests' own: one for each process of pytest, on a unix socket alone."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from aar_host.store import open_store

START_SECONDS = 60.0
SETTINGS = ("listen_addresses=", "max_connections=200")
# A test's data need not survive a power failure.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")


@dataclass(frozen=True)
class Server:
    """A running server; `folder` holds its data and its socket."""

    folder: Path

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://aar@/{database}?host={self.folder}"

    def say(self, statement: str) -> None:
        """Run a statement outside of any transaction."""
        engine = create_engine(self.url("postgres"), poolclass=NullPool)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(statement))

    @contextmanager
    def database(self, template: str = "migrated") -> Iterator[str]:
        """The URL of a database of one's own: migrated, or empty as `template0` is."""
        name = f"t_{secrets.token_hex(6)}"
        self.say(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.url(name)
        finally:
            self.say(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def serving(durable: bool = False) -> Iterator[Server]:
    """Start a server, end it and remove its data afterwards, whatever happens in between.

    Args:
        durable: whether it writes as a server of users does, which takes longer.
    """
    folder = Path(tempfile.mkdtemp(prefix="aar-pg-"))
    settings = SETTINGS if durable else SETTINGS + FAST
    try:
        if os.geteuid() == 0:
            user = _user()
            os.chown(folder, user.pw_uid, user.pw_gid)
        data = folder / "data"
        words = ["-D", str(data), "-U", "aar", "--auth=trust", "-E", "UTF8", "--no-sync"]
        made = subprocess.run(
            [*_prefix(), _binary("initdb"), *words, "--locale=C.UTF-8"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr
        options = [word for setting in settings for word in ("-c", setting)]
        command = [_binary("postgres"), "-D", str(data), "-k", str(folder), *options]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([*_prefix(), *command], cwd=folder, stdout=log, stderr=log)
        try:
            yield _ready(Server(folder), process)
        finally:
            process.send_signal(signal.SIGINT)  # ends sessions, then the server
            process.wait(30)
    finally:
        shutil.rmtree(folder)


def _ready(server: Server, process: subprocess.Popen[bytes]) -> Server:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            server.say("CREATE DATABASE migrated")
            break
        except OperationalError:
            alive = process.poll() is None and time.monotonic() < until
            assert alive, (server.folder / "log").read_text()
            time.sleep(0.05)
    open_store(server.url("migrated")).close()  # a template may have no connections
    return server


def _user() -> pwd.struct_passwd:
    """Whoever owns the server where the tests run as root, as whom PostgreSQL refuses to run."""
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _prefix() -> list[str]:
    """The server ends with this process, even if that is killed."""
    words = ["setpriv", "--pdeathsig", "INT"]
    if os.geteuid() == 0:
        user = _user()
        words += [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return words


def _binary(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=_version)
    place = str(found[-1]) if found else shutil.which(name)
    assert place is not None, (
        f"PostgreSQL's {name} is missing: the tests start a server of their own. "
        "Install it with 'apt-get install postgresql', or let 'make setup' do so."
    )
    return place


def _version(path: Path) -> tuple[int, ...]:
    digits = path.parts[-3].split(".")
    return tuple(int(part) for part in digits if part.isdecimal())
