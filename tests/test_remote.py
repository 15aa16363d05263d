"""Files somewhere else: few requests, few bytes, and servers that are not believed.  The servers run here."""

from __future__ import annotations

import io
import pickle
import random
import tarfile
import threading
import zipfile
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import safepickle
from safepickle.containers.source import BytesSource
from safepickle.remote import RemoteError, is_url, open_remote, stamp_of
from tests.assembler import asm
from tests.make_containers import in_tar

GOOD = pickle.dumps({"a": [1, 2.5, "x", (None, True)]}, 4)
EVIL = b"cos\nsystem\n(S'true'\ntR."
TENSOR = 300_000


class Server(ThreadingHTTPServer):
    """What it has by path, what it was asked for, and how it answers."""

    daemon_threads = True

    def __init__(self, data: bytes, lie=None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.data = data
        self.lie = lie
        self.etag = '"first"'
        self.requests: list[tuple[str, str | None]] = []
        self.sent = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/model.pt"

    def handle_error(self, request, client_address):
        """A client that has heard enough goes away."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self):
        server = self.server
        asked = self.headers.get("Range")
        server.requests.append((self.path, asked))
        size = len(server.data)
        start, stop = 0, size
        if asked is not None:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, stop = int(first), min(int(last) + 1, size)
        if start >= size:
            answer = {"status": 416, "body": b"", "Content-Range": f"bytes */{size}", "ETag": server.etag}
        else:
            answer = {
                "status": 206, "body": server.data[start:stop], "Content-Range": f"bytes {start}-{stop - 1}/{size}",
                "ETag": server.etag,
            }  # fmt: skip
        if server.lie is not None:
            server.lie(server, answer, start)
        body = answer.pop("body")
        self.send_response(answer.pop("status"))
        self.send_header("Content-Length", str(answer.pop("Content-Length", len(body))))
        for name, value in answer.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        server.sent += len(body)

    def log_message(self, *_):
        """The tests say what is of interest."""


@contextmanager
def served(data: bytes, lie=None):
    server = Server(data, lie)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def torch_file(pickled: bytes, tensors: int = 20, where: str = "archive") -> bytes:
    """A zip laid out as torch writes it, with noise for tensors."""
    noise = random.Random(7)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(f"{where}/data.pkl", pickled)
        archive.writestr(f"{where}/byteorder", "little")
        for number in range(tensors):
            archive.writestr(f"{where}/data/{number}", noise.randbytes(TENSOR))
        archive.writestr(f"{where}/version", "3\n")
    return file.getvalue()


@pytest.mark.parametrize(("pickled", "verdict"), [(GOOD, "pass"), (EVIL, "forbidden")])
def test_of_a_torch_file_the_pickles_are_read_with_a_few_requests(pickled, verdict):
    data = torch_file(pickled)
    with served(data) as server:
        report = safepickle.scan(server.url, policy="plain")
    assert (report.source, report.verdict, report.size) == (server.url, verdict, len(data))
    assert [member.name for member in report.members] == ["archive/data.pkl"]
    assert len(server.requests) <= 5
    assert server.sent < 300_000 < len(data) // 20
    assert report.claimed == (len(data) if verdict == "pass" else report.claimed)


def test_what_only_looks_like_a_tensor_is_read():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a/data.pkl", GOOD)
        archive.writestr("b/data/0", EVIL)  # beside no pickle
        archive.writestr("a/data/0x", EVIL)
        archive.writestr("a/data/1", EVIL, zipfile.ZIP_DEFLATED)
    with served(file.getvalue()) as server:
        report = safepickle.scan(server.url, policy="plain")
    assert {finding.member for finding in report.findings} == {"b/data/0", "a/data/0x", "a/data/1"}
    assert report.verdict == "forbidden"


@pytest.mark.parametrize(
    "data",
    [GOOD, EVIL, b"notes", GOOD * 3 + b"\xff", pickle.dumps([bytes(500_000), 1], 4), pickle.dumps(["x"] * 100_000, 4)],
    ids=["good", "evil", "notes", "row", "payload", "long"],
)
def test_a_file_is_judged_as_it_is_here(data):
    with served(data) as server:
        report = safepickle.scan(server.url, policy="plain")
    here = safepickle.scan(data, policy="plain")
    assert report._replace(source=None, hashed="") == here._replace(hashed="")
    assert report.sha256 == ""  # nobody has read all of it


def test_a_line_without_an_end_is_not_followed_through_the_file():
    """A container whose first bytes begin a line, as those of every zip do."""
    with served(in_tar(("V", b"x" * (8 << 20)), form=tarfile.USTAR_FORMAT)) as server:
        assert safepickle.scan(server.url, policy="plain").verdict == "incomplete"
    assert server.sent < 4 << 20


def test_an_empty_file_is_empty():
    with served(b"") as server:
        assert safepickle.scan(server.url, policy="plain").verdict == "malformed"


def test_any_part_is_read_as_it_is_there_and_each_block_once():
    data = random.Random(3).randbytes(1_000_000)
    here = BytesSource(data)
    with served(data) as server:
        there = open_remote(server.url)
        assert there.size == len(data)
        rng = random.Random(5)
        for _ in range(100):
            at, count = rng.randrange(1_000_100), rng.choice([1, 30, 512, 70_000, 300_000])
            assert there.read(at, count) == here.read(at, count)
    assert len(server.requests) <= 20
    assert server.sent <= len(data) + 1


# -- Servers that lie --------------------------------------------------------------------------------------------------


def ignoring(server, answer, start):
    answer.update({"status": 200, "body": server.data, "Content-Range": None})


def endless(server, answer, start):
    answer.update({"status": 200, "body": server.data, "Content-Range": None, "Content-Length": 1 << 60})


def short(server, answer, start):
    if start:
        answer["body"] = answer["body"][:-1]


def cut_off(server, answer, start):
    if start:
        answer["Content-Length"] = len(answer["body"])
        answer["body"] = answer["body"][:-1]


def long(server, answer, start):
    if start:
        answer["body"] += bytes(10_000_000)


def elsewhere(server, answer, start):
    if start:
        answer["Content-Range"] = f"bytes 0-{len(answer['body']) - 1}/{len(server.data)}"


def silent(server, answer, start):
    answer["Content-Range"] = None


def packed(server, answer, start):
    answer["Content-Encoding"] = "gzip"


def changing(server, answer, start):
    if start:
        answer["ETag"] = '"second"'


def growing(server, answer, start):
    if start:
        answer["Content-Range"] = answer["Content-Range"] + "0"


def failing(server, answer, start):
    if start:
        answer.update({"status": 500, "body": b"sorry"})


def changed_at_last(server, answer, start):
    if len(server.requests) > 1 and not start:
        answer["ETag"] = '"second"'


@pytest.mark.parametrize(
    "lie",
    [ignoring, endless, short, cut_off, long, elsewhere, silent, packed, changing, growing, failing, changed_at_last],
)
def test_a_server_that_lies_leaves_the_scan_incomplete(lie, tmp_path):
    from safepickle.many import scan_many

    with served(torch_file(GOOD), lie) as server:
        (report,) = scan_many([server.url], policy="plain")
    assert report.verdict == "incomplete"
    assert "unreadable" in {finding.rule for finding in report.findings}
    assert len(server.requests) <= 6


def test_what_was_found_before_the_server_failed_still_counts():
    with served(EVIL + bytes(2_000_000) + EVIL, failing) as server:
        report = safepickle.scan(server.url, policy="plain")
    assert report.verdict == "forbidden"
    assert {"not-granted", "unreadable"} <= {finding.rule for finding in report.findings}


def test_a_small_file_is_taken_whole_from_a_server_that_knows_no_parts():
    with served(EVIL, ignoring) as server:
        assert safepickle.scan(server.url, policy="plain").verdict == "forbidden"


def test_a_server_that_is_not_there_is_an_os_error():
    with served(b"") as server:
        url = server.url
    with pytest.raises(OSError, match="cannot be fetched"):
        safepickle.scan(url, policy="plain")


def test_a_redirection_to_a_file_of_this_machine_is_not_followed(tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(GOOD)

    def redirecting(server, answer, start):
        answer.update({"status": 302, "body": b"", "Location": secret.as_uri(), "Content-Range": None})

    with served(GOOD, redirecting) as server, pytest.raises(RemoteError):
        safepickle.scan(server.url, policy="plain")


def test_a_url_inside_of_a_source_is_never_asked_for():
    with served(EVIL) as server:
        data = asm(("PROTO", 4), ("BINUNICODE", server.url), ("PERSID", server.url), "STOP")
        safepickle.scan(data)
        safepickle.scan(pickle.dumps([server.url, {server.url: server.url.encode()}]))
    assert server.requests == []


# -- What it is named by -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["http://a/b", "s3://bucket/key", "HTTPS://a", "memory://x", "a+b.c-d://x"])
def test_a_text_with_a_scheme_is_a_url(source):
    assert is_url(source)


@pytest.mark.parametrize("source", ["a/b.pkl", "/a://b", "://b", "1a://b", "a b://c", b"http://a", None, "C:\\a"])
def test_anything_else_is_none(source):
    assert not is_url(source)


def test_a_stamp_changes_with_the_file_and_there_is_none_without_an_etag():
    def nameless(server, answer, start):
        answer["ETag"] = None

    with served(GOOD) as server:
        first = stamp_of(server.url)
        assert stamp_of(server.url) == first
        server.etag = '"second"'
        assert stamp_of(server.url) != first
    with served(GOOD, nameless) as server:
        assert stamp_of(server.url) is None


def test_a_run_goes_on_without_asking_for_what_it_has(tmp_path):
    from safepickle.many import scan_many

    with served(torch_file(GOOD)) as server:
        (first,) = scan_many([server.url], policy="plain", resume=tmp_path / "results.jsonl")
        asked = len(server.requests)
        (second,) = scan_many([server.url], policy="plain", resume=tmp_path / "results.jsonl")
        assert len(server.requests) == asked + 1
        server.etag = '"second"'
        list(scan_many([server.url], policy="plain", resume=tmp_path / "results.jsonl"))
        assert len(server.requests) > asked + 3
    assert second == first


# -- fsspec ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def memory():
    fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed")
    files = fsspec.filesystem("memory")
    files.store.clear()
    yield files
    files.store.clear()


def test_what_fsspec_knows_is_read_through_it(memory):
    data = torch_file(EVIL)
    memory.pipe("/models/model.pt", data)
    report = safepickle.scan("memory://models/model.pt", policy="plain")
    assert (report.verdict, report.size) == ("forbidden", len(data))


def test_what_is_not_there_or_no_file_is_an_os_error(memory):
    memory.pipe("/models/model.pt", GOOD)
    for url in ("memory://absent", "memory://models", "nosuchscheme://a", "zip://a::memory://models/model.pt"):
        with pytest.raises(RemoteError):
            safepickle.scan(url, policy="plain")


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"x", lambda data: b""])
def test_a_file_system_that_gives_other_bytes_than_asked_for_is_not_believed(memory, monkeypatch, change):
    memory.pipe("/model.pt", torch_file(GOOD))
    plain = type(memory).cat_file
    monkeypatch.setattr(type(memory), "cat_file", lambda *args, **options: change(plain(*args, **options)))
    assert safepickle.scan("memory://model.pt", policy="plain").verdict == "incomplete"


def test_without_fsspec_it_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(OSError, match=r"safepickle-codec\[remote\]"):
        safepickle.scan("s3://bucket/key", policy="plain")
