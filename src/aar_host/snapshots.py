"""Snapshots of methods: their files under the digest of their content, in a folder or on S3.

A snapshot is one object, <digest>.json, whose bytes are the canonical JSON {name: text} and hash to
the digest. So it is there whole or not at all, the same content is stored once, and a reader needs
to trust nobody who could write to the place.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from aar_host.settings import setting
from aar_lab.digest import canonical, digest_bytes
from aar_lab.errors import BadInput, BadSettings, Corrupt, Unavailable, UnknownName

try:
    from botocore.exceptions import BotoCoreError
except ImportError:  # S3 was not installed, so that nothing raises this

    class BotoCoreError(Exception):  # type: ignore[no-redef]
        """Stands for what S3 raises."""


FILES = ("method.py", "card.json", "builds_on.json")
MAX_BYTES = 512 * 1024
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"([0-9a-f]{64})\.json")


class Snapshots:
    """A store of snapshots.

    Args:
        url: a local folder, or s3://bucket/prefix; credentials and the end point of S3 come from
            the usual variables of the environment (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, …).

    Raises:
        BadSettings: the URL is of a kind that is not supported or not installed.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        try:
            self._files, self._root = fsspec.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise BadSettings(
                url, f"no place for snapshots ({error})", "Give a folder or s3://bucket/prefix."
            ) from error
        self._local = isinstance(self._files, LocalFileSystem)

    def put(self, files: Mapping[str, bytes]) -> str:
        """Store UTF-8 texts under names of `FILES`; the same content replaces itself.

        Returns:
            The digest of the snapshot.

        Raises:
            BadInput: another name, no UTF-8, or more than `MAX_BYTES` in all.
            Unavailable: the place cannot be written.
        """
        content = pack(files)
        digest = digest_bytes(content)
        with self._reaching():
            self._write(self._place(digest), content)
        return digest

    def get(self, digest: str) -> Mapping[str, bytes]:
        """The files of a snapshot.

        Raises:
            BadInput: not a digest.
            UnknownName: there is no such snapshot.
            Corrupt: its content does not match its digest.
            Unavailable: the place cannot be read.
        """
        place = self._place(digest)
        with self._reaching():
            try:
                content: bytes = self._files.cat_file(place, start=0, end=MAX_BYTES + 1)
            except FileNotFoundError as error:
                raise UnknownName(digest, "no such snapshot", "Start its campaign.") from error
        if digest_bytes(content) != digest:
            raise Corrupt(
                f"snapshot {digest}", "it was changed after it was written", "Store it anew."
            )
        return {name: text.encode() for name, text in json.loads(content).items()}

    def digests(self) -> set[str]:
        """The digests of all snapshots, whose content is not looked at."""
        with self._reaching():
            try:
                paths = self._files.ls(self._root, detail=False, refresh=True)
            except FileNotFoundError:
                return set()
        names = (_NAME.fullmatch(path.rsplit("/", 1)[-1]) for path in paths)
        return {name[1] for name in names if name}

    def _place(self, digest: str) -> str:
        if not _DIGEST.fullmatch(digest):
            raise BadInput(f"{digest!r:.80}", "not a digest", "Give 64 hexadecimal digits.")
        return f"{self._root}/{digest}.json"

    def _write(self, place: str, content: bytes) -> None:
        if not self._local:
            self._files.pipe_file(place, content)  # an object of S3 appears whole
            return
        self._files.makedirs(self._root, exist_ok=True)
        draft = f"{self._root}/.{secrets.token_hex(8)}"
        self._files.pipe_file(draft, content)
        self._files.mv(draft, place)

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except (OSError, BotoCoreError) as error:
            raise Unavailable(
                f"snapshots at {self._url}", str(error), "See AAR_SNAPSHOTS_URL and its rights."
            ) from error


def open_snapshots(directory: Path) -> Snapshots:
    """The snapshots of a campaign's directory, or of the place that a setting names instead."""
    return Snapshots(setting("snapshots_url") or str(directory.absolute() / "snapshots"))


def method_files(
    source: str, card: Mapping[str, Any], builds_on: Sequence[str]
) -> dict[str, bytes]:
    """A submission of a method as the files of a snapshot."""
    return {
        "method.py": source.encode(),
        "card.json": canonical(dict(card)).encode(),
        "builds_on.json": canonical(list(builds_on)).encode(),
    }


def pack(files: Mapping[str, bytes]) -> bytes:
    """The one form of a snapshot as bytes; their SHA-256 is its digest. Errors as of `put`."""
    for name in files:
        if name not in FILES:
            raise BadInput(f"{name!r:.80}", "no file of a snapshot", f"One of {', '.join(FILES)}.")
    try:
        content = canonical({name: text.decode() for name, text in files.items()}).encode()
    except UnicodeDecodeError as error:
        raise BadInput(f"byte {error.start}", "not UTF-8", "Save it as UTF-8.") from error
    if len(content) > MAX_BYTES:
        raise BadInput(f"{len(content)} bytes", f"more than {MAX_BYTES}", "Shorten the files.")
    return content
