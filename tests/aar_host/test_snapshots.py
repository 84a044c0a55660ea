"""Snapshots in a folder and on S3: one interface, content that proves itself."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.server import ThreadedMotoServer

from aar_host.snapshots import FILES, MAX_BYTES, Snapshots, method_files, open_snapshots, pack
from aar_lab.digest import digest_bytes
from aar_lab.errors import BadInput, BadSettings, Corrupt, Unavailable, UnknownName

METHOD = method_files("def train(task, rng): ...\n", {"title": "Ü", "idea": "i"}, ["0" * 12])


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """A bucket of a server on loopback, which the environment names as a user would."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    names = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in names.items():
            patch.setenv(name, value)
        fsspec.filesystem("s3").mkdir("lab")
        yield "s3://lab/snapshots"
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return str(tmp_path / "snapshots")
    return f"{request.getfixturevalue('s3')}/{tmp_path.name}"


def test_what_is_put_comes_back_by_its_digest(url):
    place = Snapshots(url)
    assert place.digests() == set()
    digest = place.put(METHOD)
    assert digest == digest_bytes(pack(METHOD))
    assert place.get(digest) == METHOD
    assert place.digests() == {digest}


def test_the_same_content_is_stored_once(url):
    place = Snapshots(url)
    with ThreadPoolExecutor(4) as pool:
        digests = set(pool.map(place.put, [METHOD] * 8))
    assert place.digests() == digests
    assert len(digests) == 1
    other = Snapshots(url).put(METHOD | {"method.py": b"other"})
    assert Snapshots(url).digests() == digests | {other}


def test_what_was_changed_afterwards_is_corrupt_until_it_is_put_again(url):
    place = Snapshots(url)
    digest = place.put(METHOD)
    files, root = fsspec.url_to_fs(url)
    files.pipe_file(f"{root}/{digest}.json", pack(METHOD | {"method.py": b"evil"}))
    with pytest.raises(Corrupt, match="changed"):
        place.get(digest)
    files.pipe_file(f"{root}/{digest}.json", b"x" * (MAX_BYTES + 10))
    with pytest.raises(Corrupt, match="changed"):
        place.get(digest)
    place.put(METHOD)
    assert place.get(digest) == METHOD


def test_what_is_not_there_has_no_name(url):
    place = Snapshots(url)
    with pytest.raises(UnknownName):
        place.get("0" * 64)
    place.put(METHOD)
    with pytest.raises(UnknownName):
        place.get("0" * 64)


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "0" * 63, "A" * 64, "0" * 64 + "\n"])
def test_only_a_digest_names_a_snapshot(tmp_path, digest):
    with pytest.raises(BadInput, match="not a digest"):
        Snapshots(str(tmp_path)).get(digest)


@pytest.mark.parametrize("name", ["", "../x", "evil.py", "method.py/x", "/etc/passwd"])
def test_names_are_fixed(tmp_path, name):
    with pytest.raises(BadInput, match="no file of a snapshot"):
        Snapshots(str(tmp_path)).put({name: b"x"})


def test_sizes_and_bytes_are_bounded(tmp_path):
    place = Snapshots(str(tmp_path))
    with pytest.raises(BadInput, match="more than"):
        place.put({"method.py": b"x" * MAX_BYTES})
    with pytest.raises(BadInput, match="UTF-8"):
        place.put({"method.py": b"\xff"})
    assert place.digests() == set()


def test_the_longest_method_fits_however_it_is_escaped(tmp_path):
    place = Snapshots(str(tmp_path))
    files = METHOD | {"method.py": b"\x01" * 65_536}
    assert place.get(place.put(files)) == files


@given(files=st.dictionaries(st.sampled_from(FILES), st.text().map(str.encode)))
def test_any_texts_survive(tmp_path_factory, files):
    place = Snapshots(str(tmp_path_factory.getbasetemp() / "any"))
    assert place.get(place.put(files)) == files


def test_a_place_that_cannot_be_used_is_a_typed_error(tmp_path, s3):
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable):
        Snapshots(str(tmp_path / "file" / "inside")).put(METHOD)
    with pytest.raises(Unavailable):
        Snapshots("s3://no-such-bucket/snapshots").put(METHOD)
    with pytest.raises(BadSettings, match="no place"):
        Snapshots("gopher://somewhere")


def test_a_setting_names_another_place(tmp_path, monkeypatch):
    monkeypatch.delenv("AAR_SNAPSHOTS_URL", raising=False)
    digest = open_snapshots(tmp_path).put(METHOD)
    assert (tmp_path / "snapshots" / f"{digest}.json").is_file()
    monkeypatch.setenv("AAR_SNAPSHOTS_URL", str(tmp_path / "elsewhere"))
    assert open_snapshots(tmp_path).digests() == set()
