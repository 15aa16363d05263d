"""The page: one file without a network, in which nothing of a stream is markup; sorted, searched and looked at."""

from __future__ import annotations

import hashlib
import html.parser
import json
import pickle
import re
import shutil
import struct
import subprocess
import zlib
from base64 import b64encode
from pathlib import Path

import pytest

from safepickle import pages
from safepickle.cli import main
from safepickle.formats import Manner, Outcome
from safepickle.pages import inert, write
from safepickle.report import Finding
from safepickle.scanner import scan
from tests import browser

DATA = Path(__file__).parent / "data"
GADGET = b"cos\nsystem\n(S'true'\ntR."
HOSTILE = [
    "<script>told()</script>", "</script><script>told()</script>", "</title><img src=x onerror=told()>", "\"'><b>",
    "' onmouseover='told()", "<!--<script>", "-->", "]]>", "{{7*7}}", "javascript:told()", "&lt;b&gt;", "\u202egnp",
    "\x1b[31mred\x9b", "\u2028\u2029", "a" * 5000, "\ud800", "\0", "<svg onload=told()>", "`${told()}`",
]  # fmt: skip

needs_a_browser = pytest.mark.skipif(browser.find() is None, reason="no headless browser is installed")


class Parsed(html.parser.HTMLParser):
    """The tags of a page with their attributes, and the text of its blocks."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.blocks: list[tuple[dict[str, str | None], str]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self.blocks.append((dict(attrs), ""))

    def handle_data(self, data):
        if self.cdata_elem in ("script", "style"):
            self.blocks[-1] = (self.blocks[-1][0], self.blocks[-1][1] + data)


def page(*outcomes: Outcome) -> str:
    lines: list[str] = []
    assert list(write(outcomes, Manner(), lines.append)) == list(outcomes)
    assert all("\n" not in line for line in lines)
    return "\n".join(lines) + "\n"


def hostile(name: str) -> bytes:
    """A pickle that uses a text wherever one can stand: as a name, an argument, a key, a persistent ID."""
    text = name.encode("utf-8", "surrogatepass")
    spelled = b"X" + struct.pack("<I", len(text)) + text
    return b"\x80\x04}%bs%b\x93%b\x85R\x86%b\x86." % (spelled * 2, spelled * 2, spelled, spelled)


def reports(text: str) -> list[dict]:
    return [json.loads(data) for attributes, data in Parsed(text).blocks if attributes.get("class") == "report"]


# The file itself.


def test_the_page_is_ascii_and_its_policy_admits_its_own_style_and_script_and_nothing_else():
    text = page(Outcome(scan(GADGET)._replace(source="x.pkl"), 1))
    assert text.isascii()
    parsed = Parsed(text)
    (policy,) = [tag["content"] for name, tag in parsed.tags if tag.get("http-equiv") == "Content-Security-Policy"]
    code = [data for attributes, data in parsed.blocks if attributes.get("type") is None]
    assert len(code) == 2  # the style and the script
    hashes = [f"'sha256-{b64encode(hashlib.sha256(data.encode()).digest()).decode()}'" for data in code]
    assert policy == (
        f"default-src 'none'; style-src {hashes[0]}; script-src {hashes[1]}; base-uri 'none'; form-action 'none'"
    )
    assert "unsafe" not in policy


def test_the_page_names_no_other_place_and_has_no_handlers():
    parsed = Parsed(page())
    assert not [tag for tag in parsed.tags if {"src", "href", "action", "style", "srcset"} & tag[1].keys()]
    assert not [name for _, tag in parsed.tags for name in tag if name.startswith("on")]
    code = (Path(pages.__file__).parent / "page.js").read_text("ascii")
    assert re.findall(r"https?://[^\"]+", code) == ["http://www.w3.org/2000/svg"]  # a name, not a place
    making = r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|Function\(|fetch|XMLHttp|import"
    assert not re.findall(making, code)
    assert "url(" not in (Path(pages.__file__).parent / "page.css").read_text("ascii")


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_of_a_stream_or_a_file_name_is_markup(name, tmp_path):
    path = tmp_path / "x.pkl"
    path.write_bytes(hostile(name))
    judged = scan(path)
    assert judged.findings
    assert judged.members
    found = Finding("not-granted", "error", name, 0, "GLOBAL", name, name, "refer", name, name, "dangerous", name)
    named = Outcome(judged._replace(source=name, findings=(found,)), 1)
    text = page(Outcome(judged, 1), named)
    skeleton = [(tag, attributes) for tag, attributes in Parsed(page()).tags if tag != "script"]
    assert [(tag, attributes) for tag, attributes in Parsed(text).tags if tag != "script"] == skeleton
    blocks = re.findall(r'<script type="application/json" class="report">(.*)</script>', text)
    assert len(blocks) == 2
    assert not {"<", ">", "&"} & set("".join(blocks))
    assert len(reports(text)) == 2


def test_what_html_reads_in_a_script_is_spelled_otherwise():
    assert json.loads(inert(json.dumps("</script><!--&"))) == "</script><!--&"
    assert not set("<>&") & set(inert(json.dumps("</script><!--&")))


def test_a_page_is_bounded_for_each_file_and_as_a_whole(tmp_path, monkeypatch):
    names = b"".join(b"cm\nn%d\n0" % number for number in range(3000)) + b"N."
    (tmp_path / "names.pkl").write_bytes(names)
    outcome = Outcome(scan(tmp_path / "names.pkl"), 1)
    (one,) = reports(page(outcome))
    assert len(one["findings"]) == pages.MOST_FINDINGS
    assert one["more_findings"] + sum(found["count"] for found in one["findings"]) == len(outcome.report.findings)
    assert (len(one["capabilities"]), one["names"]) == (pages.MOST_NAMES, 3000)
    (tmp_path / "good.pkl").write_bytes(pickle.dumps([[[1]]], 4))
    monkeypatch.setattr(pages, "MOST_OBJECTS", 4)
    good = Outcome(scan(tmp_path / "good.pkl"), 0)
    found = reports(page(good, good, good))
    assert [len(each["pictures"]) for each in found] == [1, 1, 0]
    assert "too many" in found[2]["no_pictures"]


def test_of_very_many_files_those_that_pass_are_left_out_first_and_all_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "MOST_FILES", 2)
    (tmp_path / "good.pkl").write_bytes(b"N.")
    (tmp_path / "evil.pkl").write_bytes(GADGET)
    good, evil = Outcome(scan(tmp_path / "good.pkl"), 0), Outcome(scan(tmp_path / "evil.pkl"), 1)
    text = page(good, good, good, evil, good, evil, evil)
    assert [each["verdict"] for each in reports(text)] == ["pass", "pass", "forbidden", "forbidden"]
    assert "not shown in this page, which has 4: 1 forbidden, 2 pass." in text
    assert 'id="left-out"' not in page(good, evil)


def test_the_commands_scan_each_file_once(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("x.pkl").write_bytes(pickle.dumps([1], 4) + GADGET)
    monkeypatch.setattr(pages, "watched", None)
    assert main(["report", "x.pkl", "-o", "page.html"]) == 1
    (one,) = reports(Path("page.html").read_text("ascii"))
    assert len(one["pictures"]) == 2
    written = Path("page.html").read_text("ascii")
    capsys.readouterr()
    assert main(["scan", "--format", "html", "x.pkl"]) == 1
    assert capsys.readouterr().out == written


def test_dangerous_names_are_the_ones_that_are_kept(tmp_path):
    names = b"".join(b"cm\nn%d\n0" % number for number in range(3000)) + GADGET
    (tmp_path / "x.pkl").write_bytes(names)
    (one,) = reports(page(Outcome(scan(tmp_path / "x.pkl"), 1)))
    assert one["capabilities"][0]["name"] == "os.system"
    assert one["findings"][0]["grade"] == "dangerous"


def test_what_spoils_a_name_says_nothing_of_the_name_and_helpers_are_granted(tmp_path):
    (tmp_path / "x.pkl").write_bytes(b"\x80\x02cuuid\nUUID\n}V__init__\nNsb.")
    (one,) = reports(page(Outcome(scan(tmp_path / "x.pkl"), 1)))
    assert [(each["name"], each["grade"]) for each in one["capabilities"]] == [("uuid.UUID", "refused")]
    (tmp_path / "y.pkl").write_bytes(b"\x80\x02ccopyreg\n_reconstructor\n(cuuid\nUUID\ncbuiltins\nobject\nNtR.")
    (one,) = reports(page(Outcome(scan(tmp_path / "y.pkl"), 0)))
    grades = {each["name"]: each["grade"] for each in one["capabilities"]}
    assert (grades["copyreg._reconstructor"], grades["uuid.UUID"]) == ("granted", "granted")


def test_a_file_that_has_changed_or_gone_since_is_said_to_have(tmp_path):
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps([1], 4))
    outcome = Outcome(scan(path), 0)
    path.write_bytes(pickle.dumps([1, 2], 4))
    assert "changed" in reports(page(outcome))[0]["no_pictures"]
    path.unlink()
    assert reports(page(outcome))[0]["no_pictures"].startswith("No objects: ")


def test_the_command_writes_the_page_or_leaves_the_old_one(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("store").mkdir()
    Path("store/x.pkl").write_bytes(GADGET)
    assert main(["report", "store", "-o", "page.html"]) == 1
    assert capsys.readouterr().out == "page.html: 1 file: 1 forbidden\n"
    written = Path("page.html").read_text("ascii")
    assert [each["source"] for each in reports(written)] == ["store/x.pkl"]
    assert not Path("page.html.part").exists()
    main(["scan", "--format", "html", "store"])
    assert capsys.readouterr().out == written
    for arguments in (["--policy", "no-such-policy"], ["--baseline", "missing"], ["--config", "missing"]):
        assert main(["report", *arguments, "store", "-o", "page.html"]) == 2
    assert Path("page.html").read_text("ascii") == written
    assert main(["report", "store", "-o", "no/such/folder.html"]) == 2
    Path("empty").mkdir()
    assert main(["report", "empty", "-o", "empty.html"]) == 3
    Path("store/x.pkl").write_bytes(b"N.")
    assert main(["report", "store", "-o", "page.html"]) == 0
    assert main(["report", "store", "-o", "store/page.html"]) == 0  # where it scans itself, unfinished
    assert [each["source"] for each in reports(Path("store/page.html").read_text("ascii"))] == ["store/x.pkl"]


# In a browser.


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    found = browser.Browser(tmp_path_factory.mktemp("browser"))
    yield found
    found.close()


@pytest.fixture
def store(tmp_path):
    (tmp_path / "store").mkdir()
    files = {
        "b-gadget.pkl": GADGET,
        "a-unknown.pkl": b"cprices.model\nCurve\n(I7\ncprices.model\nGrid\n)RtR.",
        "c-good.pkl": pickle.dumps({"price": [1, 2, 3], "name": "needle in it"}, 4),
        "d-broken.pkl": b"\x80\x04cuuid\nUUID\n(K\x01",
    }
    for name, data in files.items():
        (tmp_path / "store" / name).write_bytes(data)
    return tmp_path / "store"


def shown(window, store, name="page.html"):
    path = store.parent / name
    main(["report", str(store), "-o", str(path)])
    window.open(path)
    return path


FILES = "[...document.querySelectorAll('#files tbody tr')].map((row) => row.cells[1].textContent.split('/').pop())"
NAMES = "[...document.querySelectorAll('#capabilities tbody tr')].map((row) => row.cells[1].firstChild.textContent)"
SETTLED = "new Promise((done) => setTimeout(done, 300))"


def clicked(window, column: str, table: str = "files") -> None:
    window.run(
        f"[...document.querySelectorAll('#{table} th button')]"
        f".find((button) => button.textContent.startsWith({json.dumps(column)})).click()"
    )


def typed(window, words: str) -> None:
    window.run(
        f"(() => {{ const field = document.getElementById('search'); field.value = {json.dumps(words)}; "
        "field.dispatchEvent(new Event('input')); })()"
    )
    window.run(SETTLED)


@needs_a_browser
def test_the_page_runs_and_asks_for_nothing(window, store, capsys):
    path = shown(window, store)
    assert window.said("Log.entryAdded") == []
    assert window.said("Runtime.exceptionThrown") == []
    assert {each["request"]["url"] for each in window.said("Network.requestWillBeSent")} <= {path.as_uri()}


@needs_a_browser
def test_files_are_sorted_by_clicking_on_a_head(window, store, capsys):
    shown(window, store)
    assert window.run(FILES)[-1] == "c-good.pkl", "what passes comes last"
    clicked(window, "File")
    assert window.run(FILES) == ["a-unknown.pkl", "b-gadget.pkl", "c-good.pkl", "d-broken.pkl"]
    clicked(window, "File")
    assert window.run(FILES) == ["d-broken.pkl", "c-good.pkl", "b-gadget.pkl", "a-unknown.pkl"]
    clicked(window, "Dangerous")
    assert window.run(FILES)[0] == "b-gadget.pkl"
    clicked(window, "Bytes")
    cells = "[...document.querySelectorAll('#files tbody tr')].map((row) => Number(row.cells[5].textContent))"
    sizes = window.run(cells)
    assert sizes == sorted(sizes, reverse=True)
    sorted_by = "[...document.querySelectorAll('#files th')].map((head) => head.getAttribute('aria-sort'))"
    assert window.run(sorted_by).count("descending") == 1


@needs_a_browser
def test_capabilities_are_a_table_of_all_files_that_is_sorted_too(window, store, capsys):
    shown(window, store)
    assert window.run(NAMES)[0] == "os.system"
    clicked(window, "Name", "capabilities")
    assert window.run(NAMES) == sorted(window.run(NAMES))
    clicked(window, "Uses", "capabilities")
    uses = "[...document.querySelectorAll('#capabilities tbody tr')].map((row) => row.cells[2].textContent)"
    assert window.run(uses)[0] in ("refer 1\u00d7, call 1\u00d7", "refer 2\u00d7, call 2\u00d7")


@needs_a_browser
def test_a_search_narrows_files_and_names_and_marks_objects(window, store, capsys):
    shown(window, store)
    typed(window, "CURVE")
    assert window.run(FILES) == ["a-unknown.pkl"]
    assert window.run(NAMES) == ["prices.model.Curve"]
    window.run("document.querySelector('#files tbody tr').click()")
    hits = "[...document.querySelectorAll('#file .hit')].map((each) => each.textContent)"
    assert "prices.model.Curve" in " ".join(window.run(hits))
    typed(window, "needle in it")
    assert window.run(FILES) == ["c-good.pkl"], "what is in the objects is found too"
    typed(window, "nothing has this in it")
    assert window.run(FILES) == []
    assert "Nothing here." in window.run("document.getElementById('files').textContent")
    typed(window, "")
    assert len(window.run(FILES)) == 4


@needs_a_browser
def test_verdicts_choose_files(window, store, capsys):
    shown(window, store)
    button = "[...document.querySelectorAll('#verdicts button')].find((each) => each.textContent.startsWith('pass'))"
    window.run(f"{button}.click()")
    assert window.run(FILES) == ["c-good.pkl"]
    window.run(f"{button}.click()")
    assert len(window.run(FILES)) == 4


@needs_a_browser
def test_a_file_that_is_chosen_shows_its_findings_its_graph_and_its_objects(window, store, capsys):
    shown(window, store)
    first = window.run("document.querySelector('#file h2').textContent")
    assert "b-gadget.pkl" in first, "the worst one, to begin with"
    assert "starts programs" in window.run("document.getElementById('file').textContent")
    typed(window, "a-unknown")
    window.run("document.querySelector('#files tbody tr').dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter'}))")
    boxes = "[...document.querySelectorAll('#file svg g')].map((each) => each.querySelector('text').textContent)"
    assert window.run(boxes) == ["prices.model.Curve", "prices.model.Grid"]
    lines = "[...document.querySelectorAll('#file svg path')].map((each) => each.textContent)"
    assert window.run(lines) == ["prices.model.Curve has 1\u00d7 prices.model.Grid"]
    assert window.run("document.querySelector('#file svg g').getAttribute('class')") == "unknown"
    tree = window.run("document.querySelector('#file .tree').textContent")
    assert tree == "prices.model.Curveargument 0: 7argument 1: prices.model.Grid"


@needs_a_browser
def test_a_shared_object_is_named_once_and_referred_to(window, store, capsys):
    shared = ["shared"]
    (store / "e-shared.pkl").write_bytes(pickle.dumps([shared, shared, {"k": shared}], 4))
    shown(window, store)
    typed(window, "e-shared")
    window.run("document.querySelector('#files tbody tr').click()")
    tree = window.run("document.querySelector('#file .tree').textContent")
    assert tree.count("'shared'") == 1
    assert tree.count("see #1 list") == 2


@needs_a_browser
def test_hostile_names_are_inert(window, tmp_path, capsys):
    store = tmp_path / "store"
    store.mkdir()
    for number, name in enumerate(HOSTILE):
        (store / f"{number}.pkl").write_bytes(hostile(name))
    files = ("<img src=x onerror=told()>", "</title><b>", "\u202e\x1b[31m'\"&", "<script>told()")
    for number, name in enumerate(files):
        (store / f"n{number}{name.replace('/', chr(0x2215))}.pkl").write_bytes(GADGET)
    window.call("Page.addScriptToEvaluateOnNewDocument", source="window.told = () => { window.wasTold = true; };")
    shown(window, store)
    count = window.run("document.querySelectorAll('#files tbody tr').length")
    assert count == len(HOSTILE) + 4
    for row in range(count):
        window.run(f"document.querySelectorAll('#files tbody tr')[{row}].click()")
    assert window.run("window.wasTold") is None
    assert window.run("document.title") == "safepickle report"
    assert window.run("document.querySelectorAll('img, iframe, b, object, embed, form, base').length") == 0
    assert window.run("[...document.querySelectorAll('script')].filter((each) => !each.type).length") == 1
    text = window.run("document.body.innerText")
    assert "<script>told()</script>" in text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", text)
    wide = window.run("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, "a very long name does not widen the page"
    assert window.said("Runtime.exceptionThrown") == []


@needs_a_browser
def test_what_would_run_in_the_page_is_refused_by_its_policy(window, store, capsys):
    """Not that anything gets there: if it did."""
    shown(window, store)
    window.run(
        "(() => { const each = document.createElement('script'); each.textContent = 'window.wasTold = true'; "
        "document.body.append(each); document.body.insertAdjacentHTML('beforeend', "
        "'<img src=\"https://example.com/x.png\" onerror=\"window.wasTold = true\">'); })()"
    )
    window.run(SETTLED)
    assert window.run("window.wasTold") is None
    blocked = " ".join(each["entry"]["text"] for each in window.said("Log.entryAdded"))
    assert "Content Security Policy" in blocked
    assert not [each for each in window.said("Network.responseReceived") if "example.com" in each["response"]["url"]]


@needs_a_browser
def test_the_page_is_light_or_dark_as_is_preferred_or_switched(window, store, capsys):
    shown(window, store)
    seen = {}
    for scheme in ("light", "dark"):
        window.prefer(scheme)
        seen[scheme] = brightness(window.picture(0.1))
    assert seen["light"] > 200
    assert seen["dark"] < 70
    window.run("document.getElementById('theme').click()")
    assert brightness(window.picture(0.1)) > 200, "switched to light in a browser that prefers dark"
    window.run("document.getElementById('theme').click()")
    assert brightness(window.picture(0.1)) < 70
    window.prefer("light")
    assert brightness(window.picture(0.1)) < 70, "what was switched stays"
    colours = "['color', 'backgroundColor'].map((name) => getComputedStyle(document.body)[name])"
    text, back = (sum(map(int, re.findall(r"\d+", colour)[:3])) / 3 for colour in window.run(colours))
    assert text - back > 150


@needs_a_browser
def test_thousands_of_files_do_not_hold_the_page_up(window, tmp_path, capsys):
    judged = scan(GADGET)
    path = tmp_path / "many.html"
    with path.open("w", encoding="ascii") as file:
        outcomes = (Outcome(judged._replace(source=f"store/{number:05}.pkl"), 1) for number in range(5000))
        for _ in write(outcomes, Manner(), lambda line: file.write(line + "\n")):
            pass
    window.open(path)
    assert window.run("document.querySelectorAll('#files tbody tr').length") == 200
    assert window.run("document.querySelectorAll('*').length") < 5000 + 5000  # 5000 blocks of data, and what is shown
    typed(window, "04321")
    assert window.run(FILES) == ["04321.pkl"]
    typed(window, "")
    window.run("document.querySelector('#files .more button').click()")
    assert window.run("document.querySelectorAll('#files tbody tr').length") == 400


def brightness(png: bytes) -> float:
    """The mean of what a picture's pixels have of each colour, from 0 to 255."""
    width, height, depth, kind = struct.unpack(">IIBB", png[16:26])
    assert depth == 8
    channels = {2: 3, 6: 4}[kind]
    data, at = b"", 8
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        data += png[at + 8 : at + 8 + size] if png[at + 4 : at + 8] == b"IDAT" else b""
        at += 12 + size
    rows, before, total, row = zlib.decompress(data), bytes(width * channels), 0, width * channels
    for line in range(height):
        kind, raw = rows[line * (row + 1)], bytearray(rows[line * (row + 1) + 1 : (line + 1) * (row + 1)])
        for index in range(row if kind else 0):
            left = raw[index - channels] if index >= channels else 0
            up, corner = before[index], before[index - channels] if index >= channels else 0
            guess = (0, left, up, (left + up) // 2, paeth(left, up, corner))[kind]
            raw[index] = (raw[index] + guess) & 255
        total += sum(sum(raw[channel::channels]) for channel in range(3))
        before = bytes(raw)
    return total / (width * height * 3)


def paeth(left: int, up: int, corner: int) -> int:
    """What PNG's fourth filter guesses: https://www.w3.org/TR/png/#9Filter-type-4-Paeth."""
    near = left + up - corner
    return min((left, up, corner), key=lambda each: abs(near - each))


def test_the_script_is_one_that_a_checker_reads():
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    script = str(Path(pages.__file__).parent / "page.js")
    done = subprocess.run([node, "--check", script], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
