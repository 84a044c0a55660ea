"""A method whose run for one seed leaves a secret, in every way known, to its run for the next.

It is run as a submission, in boxes and (only what harms nobody) outside: not a test by itself. The
secret is 11, the lowest weak label in percent; each channel tries to take it from an earlier run.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import re
import resource
import signal
import socket
import stat
import sys
import time
from pathlib import Path

from aar_lab.types import Student

ROOT = os.environ["AAR_BOX_ROOT"]
IN_BOX = ROOT == "/"
SECRET = 11
SCRATCH = [os.path.join(ROOT, name) for name in ("workspace", "tmp", "dev/shm")]
WORKSPACE, TMP, SHM = SCRATCH
# How the labels of two seeds begin, as text and as numbers; written so that no search finds itself.
FIRST = re.compile(rb"0\.1120481[1]304|\x65\x2f\xaf\xbc\x3f")
SECOND = re.compile(rb"0\.130211[3]8013|\x39\xc4\xaa\xc0\x3f")
LIBC = ctypes.CDLL(None, use_errno=True)
QUEUES = resource.RLIMIT_MSGQUEUE
RUNTIME = ("/proc/", "/usr/", "/opt/", sys.base_prefix)


def daemonise(work):
    """Run `work` for some seconds in a process that has no parent and heeds no signal."""
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    for number in set(range(1, 65)) - {signal.SIGKILL, signal.SIGSTOP, 32, 33}:
        signal.signal(number, signal.SIG_IGN)
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            work()
        time.sleep(0.01)
    os._exit(0)


class Survivor:
    """A process that outlives the seed and writes to the next one's folder."""

    place = os.path.join(WORKSPACE, "survivor")

    def leave(self):
        daemonise(self.write)

    def write(self):
        # In one step: who reads between the opening and the writing of a file finds it empty.
        Path(f"{self.place}.new").write_text(str(SECRET))
        os.replace(f"{self.place}.new", self.place)

    def take(self):
        time.sleep(0.3)
        return int(Path(self.place).read_text())


class Abstract:
    """A process that outlives the seed, behind a socket without a file."""

    def leave(self):
        server = socket.create_server("\0left", family=socket.AF_UNIX)
        daemonise(lambda: server.accept()[0].send(bytes([SECRET])))

    def take(self):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect("\0left")
            return client.recv(1)[0]


class Files:
    """Names that are hard to remove, in every folder that can be written."""

    def leave(self):
        for folder in SCRATCH:
            os.mkfifo(f"{folder}/fifo")
            os.link(f"{folder}/fifo", f"{folder}/hard")
            os.symlink("/usr", f"{folder}/link")
            open(os.fsencode(folder) + b"/\xff\n odd", "w").close()
            socket.socket(socket.AF_UNIX).bind(f"{folder}/socket")
            os.mkdir(f"{folder}/many")
            for number in range(2000):
                open(f"{folder}/many/{number}", "w").close()
            if folder != WORKSPACE:  # a workspace that its host cannot look into counts as full
                os.makedirs(f"{folder}/closed/inner", 0)
                os.chmod(f"{folder}/closed", 0)
            self.dig(folder, 50 if folder == WORKSPACE else 2000)
        os.chmod(TMP, 0)

    def dig(self, folder, depth):
        os.chdir(folder)
        for _ in range(depth):
            os.mkdir("d" * 100)
            os.chdir("d" * 100)
        os.chdir(WORKSPACE)

    def take(self):
        os.chmod(TMP, 0o700)
        left = {name for folder in SCRATCH for name in os.listdir(folder)}
        return SECRET if {"fifo", "closed", "many"} & left else None


class Everywhere:
    """A file in any folder of the whole box."""

    def folders(self):
        return (folder for folder, _, _ in os.walk("/") if not folder.startswith("/proc/"))

    def leave(self):
        for folder in self.folders():
            with contextlib.suppress(OSError):
                open(os.path.join(folder, "left"), "w").close()

    def take(self):
        return SECRET if any(os.path.exists(f"{f}/left") for f in self.folders()) else None


class Marks:
    """The time stamp of anything in the box that can be touched."""

    def paths(self):
        for folder, inner, names in os.walk("/"):
            if folder.startswith(RUNTIME):
                inner.clear()
            yield from [folder, *(os.path.join(folder, name) for name in names)]

    def leave(self):
        for path in self.paths():
            with contextlib.suppress(OSError):
                os.utime(path, (SECRET, SECRET), follow_symlinks=False)

    def take(self):
        found = (os.lstat(path).st_mtime for path in self.paths() if os.path.lexists(path))
        return SECRET if SECRET in found else None


class Modes:
    """The permissions of a folder itself."""

    def leave(self):
        os.chmod(SHM, 0o700 + SECRET)

    def take(self):
        return stat.S_IMODE(os.stat(SHM).st_mode) - 0o700


class Attributes:
    """An extended attribute of the workspace itself."""

    def leave(self):
        os.setxattr(WORKSPACE, "user.left", bytes([SECRET]))

    def take(self):
        return os.getxattr(WORKSPACE, "user.left")[0]


class Limit:
    """A resource limit of the supervisor, which its children inherit."""

    def leave(self):
        hard = resource.getrlimit(QUEUES)[1]
        resource.prlimit(os.getppid(), QUEUES, (1000 + SECRET, hard))

    def take(self):
        return resource.getrlimit(QUEUES)[0] - 1000


class Priority:
    """The priority of the supervisor, which its children inherit."""

    def leave(self):
        os.setpriority(os.PRIO_PROCESS, os.getppid(), SECRET)

    def take(self):
        return os.getpriority(os.PRIO_PROCESS, 0)


class Connection:
    """The port of a connection that is closed, which the kernel remembers for a minute."""

    def leave(self):
        with socket.create_server(("127.0.0.1", 23000 + SECRET)) as server:
            with socket.create_connection(server.getsockname()):
                server.accept()[0].close()

    def take(self):
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        ports = {int(row[1].split(":")[1], 16) for row in rows if row[3] == "06"}
        return SECRET if 23000 + SECRET in ports else None


class SharedMemory:
    """A System V segment."""

    key = 0x61617230 + SECRET

    def leave(self):
        LIBC.shmget(self.key, 4096, 0o1600)

    def take(self):
        segment = LIBC.shmget(self.key, 0, 0)
        return SECRET if segment >= 0 and LIBC.shmctl(segment, 0, None) == 0 else None


class MessageQueue:
    """A POSIX message queue."""

    def leave(self):
        LIBC.mq_open(b"/left", os.O_CREAT | os.O_RDWR, 0o600, None)

    def take(self):
        return SECRET if LIBC.mq_unlink(b"/left") == 0 else None


class LogFlags:
    """A flag of the one open file that all seeds share."""

    def leave(self):
        fcntl.fcntl(2, fcntl.F_SETFL, os.O_NONBLOCK)

    def take(self):
        return SECRET if fcntl.fcntl(2, fcntl.F_GETFL) & os.O_NONBLOCK else None


class Memory:
    """The memory of the supervisor."""

    def leave(self): ...

    def take(self):
        with open(f"/proc/{os.getppid()}/mem", "rb") as memory:
            maps = Path(f"/proc/{os.getppid()}/maps").read_text()
            memory.seek(int(maps.split("-")[0], 16))
            return SECRET if memory.read(4) == b"\x7fELF" else None


class Pipes(Memory):
    """The pipe through which the host sends labels, and the one through which it is answered."""

    def take(self):
        for number, flags in ((0, os.O_RDONLY), (1, os.O_WRONLY)):
            os.close(os.open(f"/proc/{os.getppid()}/fd/{number}", flags | os.O_NONBLOCK))
        return SECRET


class Environment(Memory):
    """The environment of the supervisor."""

    def take(self):
        return SECRET if Path(f"/proc/{os.getppid()}/environ").read_bytes() else None


class Inheritance(Memory):
    """Earlier labels in the memory that a child inherits; the control finds its own."""

    def take(self):
        return SECRET if self.finds(FIRST) else None

    def finds(self, pattern):
        with open("/proc/self/mem", "rb") as memory:
            maps = Path("/proc/self/maps").read_text().splitlines()
            for area in (line.split()[0] for line in maps if " rw" in line):
                start, end = (int(part, 16) for part in area.split("-"))
                memory.seek(start)
                if pattern.search(memory.read(end - start)):
                    return True
        return False


# In the order in which they leave and take: a closed folder hides files, a new file sets a time.
BOX_ONLY = [Everywhere, Files, Survivor, Abstract, Modes, LogFlags, Marks]
ANYWHERE = [Attributes, Limit, Priority, Connection, SharedMemory, MessageQueue]
ANYWHERE += [Memory, Pipes, Environment, Inheritance]


def attempt(act):
    """What it returns; None if the box does not let it."""
    with contextlib.suppress(OSError, ValueError):
        return act()


def train(task, rng):
    channels = [kind() for kind in (BOX_ONLY if IN_BOX else []) + ANYWHERE]
    secret = round(100 * float(task.weak.probs.min()))
    if secret == SECRET:
        for channel in channels:
            attempt(channel.leave)
    else:
        taken = [type(c).__name__ for c in channels if attempt(c.take) == SECRET]
        sys.stderr.write(json.dumps({"taken": taken, "own": Inheritance().finds(SECOND)}) + "\n")
    return Student((task.student().save(),))
