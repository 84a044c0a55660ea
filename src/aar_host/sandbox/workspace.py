"""The directory that a box writes: made, filled and read by the host without trusting its content.

As root, each workspace belongs to a uid of its own, which is also the uid of its boxes; the host's
other boxes cannot touch it even if one got out. The uids in use are files of a registry that all
campaigns of this machine share; a workspace that is gone frees its uid, so there is no daemon.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from aar_host.settings import setting
from aar_lab.errors import BadInput, Conflict, Unavailable

FIRST_UID = 200_000
UIDS = 10_000
MAX_DEPTH = 64
_REGISTRY = Path("/run/lock/aar-uids")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def box_dir() -> Path:
    """Where workspaces lie, mode 0711; `Unavailable` if another user owns that place."""
    default = Path(tempfile.gettempdir()) / f"aar-{os.getuid()}"
    place = Path(setting("box_dir") or default).absolute()
    place.mkdir(parents=True, exist_ok=True, mode=0o711)
    status = place.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise Unavailable(
            place, "not a directory of this user", "Remove it, or set AAR_BOX_DIR to another one."
        )
    place.chmod(0o711)
    return place


@contextmanager
def _locked(registry: Path) -> Iterator[None]:
    registry.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(registry / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _give(workspace: Path, uid: int) -> None:
    try:
        os.chown(workspace, uid, uid)
    except OSError as error:
        workspace.rmdir()
        raise Unavailable(
            f"uid {uid}",
            f"this machine does not let root use it ({error.strerror})",
            "Run as a plain user instead of root.",
        ) from error


def claim_uid(workspace: Path, registry: Path = _REGISTRY) -> int:
    """Create `workspace` for the lowest uid that no living workspace of this machine has."""
    with _locked(registry):
        for uid in range(FIRST_UID, FIRST_UID + UIDS):
            entry = registry / str(uid)
            holder = Path(os.readlink(entry)) if entry.is_symlink() else None
            if holder is not None and holder.exists() and holder.lstat().st_uid == uid:
                continue
            workspace.mkdir(mode=0o700)
            # Entered before it is given: a host that is killed in between leaves no uid unlisted.
            entry.unlink(missing_ok=True)
            entry.symlink_to(workspace)
            _give(workspace, uid)
            return uid
    raise Unavailable(registry, f"all {UIDS} uids are in use", "Remove workspaces that are done.")


def new_workspace(name: str) -> Path:
    """Make an empty workspace below `box_dir`; `Conflict` if there is one of that name."""
    if not _NAME.fullmatch(name):
        raise BadInput(
            repr(name)[:80], "not a workspace name", "Use up to 80 letters, digits and . _ -."
        )
    workspace = box_dir() / name
    try:
        if os.getuid() == 0:
            claim_uid(workspace)
        else:
            workspace.mkdir(mode=0o700)
    except FileExistsError as error:
        raise Conflict(name, "there is a workspace of that name", "Use another name.") from error
    return workspace


def remove_workspace(workspace: Path) -> None:
    """Remove a workspace whose boxes have ended, whatever they left in it; none is no error."""
    # The box chooses depth and modes; rm copes with any depth, where Python's own would recurse.
    if workspace.is_symlink() or not workspace.exists():
        return
    command = [shutil.which("rm") or "rm", "-rf", "--", str(workspace)]
    for pause in (0.0, 0.02, 0.1, 0.5):
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return
        # Closed folders, or a box that still writes: after its host it dies a moment later.
        time.sleep(pause)
        subprocess.run(
            ["chmod", "-R", "u+rwx", "--", str(workspace)], capture_output=True, check=False
        )
    subprocess.run(command, capture_output=True, check=True)


def _parts(relative: str) -> tuple[str, ...]:
    path = PurePosixPath(relative)
    if path.is_absolute() or not path.parts or ".." in path.parts or "\0" in relative:
        raise BadInput(
            repr(relative)[:200], "not a path inside the workspace", "Name a file relative to it."
        )
    return path.parts


def _open_folder(workspace: Path, parts: tuple[str, ...], create: bool) -> int:
    """A descriptor of the folder, reached without following a link; new ones as the workspace's."""
    here = os.open(workspace, _FOLDER)
    owner = os.fstat(here)
    for part in parts:
        try:
            if create:
                with suppress(FileExistsError):
                    os.mkdir(part, 0o755, dir_fd=here)
                    os.chown(part, owner.st_uid, owner.st_gid, dir_fd=here, follow_symlinks=False)
            inner = os.open(part, _FOLDER, dir_fd=here)
        finally:
            os.close(here)
        here = inner
    return here


def read_workspace_file(workspace: Path, relative: str, max_bytes: int) -> bytes:
    """The content of a regular file that a box left.

    Raises:
        BadInput: absent, larger than `max_bytes`, no regular file, or reached through a link.
    """
    *folders, name = _parts(relative)
    try:
        folder = _open_folder(workspace, tuple(folders), create=False)
        try:
            # NONBLOCK: the box may have left a pipe, at which open would wait.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(name, flags, dir_fd=folder)
        finally:
            os.close(folder)
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise BadInput(repr(relative)[:200], "no regular file", "Write a plain file.")
            content = file.read(max_bytes + 1)
    except OSError as error:
        raise BadInput(
            repr(relative)[:200],
            f"cannot be read as a plain file of the workspace ({error.strerror})",
            "Write a plain file there, reached through no link.",
        ) from error
    if len(content) > max_bytes:
        raise BadInput(
            repr(relative)[:200], f"larger than {max_bytes} bytes", "Write a smaller file."
        )
    return content


def put_file(workspace: Path, relative: str, content: bytes) -> None:
    """Put a file into a workspace, readable by its box; folders are made, no link is followed.

    Replaces a file or link of that name in one step; `BadInput` if the place cannot be written.
    """
    *folders, name = _parts(relative)
    new = f".{secrets.token_hex(8)}"
    try:
        folder = _open_folder(workspace, tuple(folders), create=True)
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with open(os.open(new, flags, 0o644, dir_fd=folder), "wb") as file:
                file.write(content)
                owner = os.stat(workspace)
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            os.rename(new, name, src_dir_fd=folder, dst_dir_fd=folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise BadInput(
            repr(relative)[:200],
            f"cannot be written in the workspace ({error.strerror})",
            "Remove what stands there.",
        ) from error


def disk_use(folder: Path | str, limit: int) -> int:
    """Bytes allocated below a folder, each entry at least 1 KiB; stops counting above `limit`.

    What cannot be counted (deeper than MAX_DEPTH, or closed to the host) counts as above it.
    """
    try:
        return _use(os.open(folder, _FOLDER), limit, MAX_DEPTH)
    except FileNotFoundError:
        return 0


def _use(folder: int, limit: int, depth: int) -> int:
    total = 0
    try:
        if depth == 0:
            return limit + 1
        with os.scandir(folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError, NotADirectoryError):
                    status = entry.stat(follow_symlinks=False)
                    total += max(status.st_blocks * 512, 1024)
                    if stat.S_ISDIR(status.st_mode):
                        inner = os.open(entry.name, _FOLDER, dir_fd=folder)
                        total += _use(inner, limit - total, depth - 1)
                if total > limit:
                    break
    except OSError:
        return limit + 1
    finally:
        os.close(folder)
    return total
