"""Very many sources: each gives one report, whatever becomes of workers, and a run goes on where it was cut off."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
import uuid
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pytest

import safepickle
from safepickle import many
from safepickle.many import processes, scan_many
from safepickle.policy import Policy
from safepickle.results import ResultsError

GOOD = pickle.dumps({"a": [1, 2.5, "x", (None, True)]}, 4)
EVIL = b"cos\nsystem\n(S'true'\ntR."
DEADLY, ONCE = "deadly", "once"


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Forty files, some of which are forbidden, no pickles or not there."""
    folder = tmp_path / "files"
    folder.mkdir()
    datas = {0: EVIL, 3: b"notes", 5: GOOD + GOOD, 7: pickle.dumps(uuid.UUID(int=7), 4)}
    paths = [folder / f"{number:03}.pkl" for number in range(40)]
    for number, path in enumerate(paths):
        if number != 12:
            path.write_bytes(datas.get(number % 10, GOOD))
    return [str(path) for path in paths]


def told(reports) -> list[tuple[object, ...]]:
    return [(report.source, report.verdict, report.findings, report.members, report.sha256) for report in reports]


def verdicts(reports) -> dict[str | None, str]:
    found = [(report.source, report.verdict) for report in reports]
    assert len({source for source, _ in found}) == len(found), "a source was counted twice"
    return dict(found)


# -- Workers -----------------------------------------------------------------------------------------------------------


def test_it_says_of_each_source_what_a_scan_says_in_the_same_order(files):
    there = [path for path in files if Path(path).exists()]
    alone = told(scan_many(there, policy="stdlib"))
    assert alone == told(safepickle.scan(path, policy="stdlib") for path in there)
    with ThreadPoolExecutor(2) as threads:
        assert told(scan_many(there, policy="stdlib", executor=threads, ordered=True)) == alone
    by_processes = told(scan_many(there, policy="stdlib", executor=processes(2), in_flight=7))
    assert sorted(by_processes, key=str) == sorted(alone, key=str)


@pytest.mark.parametrize("keep", ["resume", "cache"])
def test_names_of_which_nothing_is_known_are_called_so_where_no_policy_is_given_as_a_scan_does(tmp_path, keep):
    path = tmp_path / "unknown.pkl"
    path.write_bytes(b"cshop\nOrder\n(Va\ntR.")
    for policy, grade in ((None, "unknown"), (many.packaged(), None), (None, "unknown")):
        report = safepickle.scan(path, policy=policy)
        assert {finding.grade for finding in report.findings} == {grade}
        # A folder is for all policies, a file for one.
        asked = {keep: tmp_path / keep} if keep == "cache" or policy is None else {keep: tmp_path / "another"}
        for each in ({}, {"executor": processes(1)}, asked):
            assert told(scan_many([path], policy=policy, **each)) == told([report])
    if keep == "resume":
        with pytest.raises(ResultsError, match="under another policy"):
            list(scan_many([path], policy=many.packaged(), resume=tmp_path / keep))


def test_what_is_kept_is_read_back_with_kinds_of_arguments_and_grades(tmp_path):
    path = tmp_path / "evil.pkl"
    path.write_bytes(EVIL)
    (first,) = scan_many([path], resume=tmp_path / "results")
    (again,) = scan_many([path], resume=tmp_path / "results")
    assert again == first == safepickle.scan(path)
    assert first.capabilities[0].arguments
    assert first.findings[0].grade == "dangerous"


def test_it_is_part_of_the_interface():
    assert safepickle.scan_many is scan_many


def test_sources_are_bytes_files_pairs_and_reports_too(files):
    ready = safepickle.scan(b"N.", policy="plain")._replace(source="ready")
    with Path(files[0]).open("rb") as file:
        reports = list(scan_many([GOOD, bytearray(EVIL), file, ("named", GOOD), ready, Path(files[1])], policy="plain"))
    assert [(report.source, report.verdict) for report in reports] == [
        (None, "pass"), (None, "forbidden"), (None, "forbidden"), ("named", "pass"), ("ready", "pass"),
        (files[1], "pass"),
    ]  # fmt: skip


@pytest.mark.parametrize("source", [3, None, ("a", 3)])
def test_a_source_of_another_kind_is_a_type_error(source):
    with pytest.raises(TypeError):
        list(scan_many([source]))


def test_what_cannot_be_used_is_said_at_once_and_not_at_the_first_report():
    with pytest.raises(safepickle.PolicyError):
        scan_many([], policy="no_such_policy")
    with pytest.raises(ValueError, match="at least one"):
        scan_many([], in_flight=0)


def test_what_cannot_be_read_is_incomplete_and_ends_nothing(files, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    found = verdicts(scan_many([*files, str(tmp_path), str(tmp_path / "pipe"), "\0"], policy="plain"))
    assert [found[name] for name in (files[12], str(tmp_path), str(tmp_path / "pipe"), "\0")] == ["incomplete"] * 4
    assert len(found) == 43


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("in_flight", [1, 3, 50])
def test_sources_are_taken_as_there_is_room(files, ordered, in_flight):
    taken = 0

    def sources():
        nonlocal taken
        for path in files:
            taken += 1
            yield path

    with ThreadPoolExecutor(2) as threads:
        reports = scan_many(sources(), policy="plain", executor=threads, in_flight=in_flight, ordered=ordered)
        assert taken == 0
        for given, _ in enumerate(reports):
            assert taken - given <= in_flight
    assert taken == len(files)


def test_an_error_of_the_iterator_of_sources_is_its_own(files):
    def sources():
        yield files[0]
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        list(scan_many(sources(), policy="plain", executor=processes(1)))


def _fatal(marks: str, work, orders, items):
    """In a worker: end it where a source's name says so."""
    for item in items:
        name = Path(item.name).name
        if name.startswith(DEADLY):
            os._exit(1)
        if name.startswith(ONCE) and not Path(marks, name).exists():
            Path(marks, name).touch()
            os._exit(1)
    return work(orders, items)


class Fragile(ProcessPoolExecutor):
    """Processes that some sources end."""

    def __init__(self, marks: str) -> None:
        super().__init__(2, mp_context=get_context("forkserver"))
        self._marks = marks

    def submit(self, work, /, *arguments):
        return super().submit(_fatal, self._marks, work, *arguments)


@pytest.fixture
def hazards(files, tmp_path) -> list[str]:
    """The files, and some that end whoever scans them."""
    (tmp_path / "marks").mkdir()
    made = [tmp_path / "files" / name for name in (f"{DEADLY}1", f"{DEADLY}2", f"{ONCE}1", f"{ONCE}2")]
    for path in made:
        path.write_bytes(GOOD)
    return [*files[:10], str(made[0]), *files[10:20], str(made[2]), str(made[1]), *files[20:], str(made[3])]


def test_a_worker_that_dies_takes_no_source_with_it_but_what_it_dies_of_twice(hazards, tmp_path):
    marks = str(tmp_path / "marks")
    expected = verdicts(scan_many(hazards, policy="plain"))
    found = list(scan_many(hazards, policy="plain", executor=partial(Fragile, marks), in_flight=30))
    deadly = {report.source: report for report in found if Path(report.source).name.startswith(DEADLY)}
    assert {source: report.verdict for source, report in deadly.items()} == dict.fromkeys(deadly, "incomplete")
    assert all("2 times" in report.findings[0].message for report in deadly.values())
    assert verdicts(found) == {**expected, **dict.fromkeys(deadly, "incomplete")}
    assert len(deadly) == 2


def test_an_executor_that_breaks_for_good_leaves_every_source_with_a_report(hazards, tmp_path):
    with Fragile(str(tmp_path / "marks")) as executor:
        found = verdicts(scan_many(hazards, policy="plain", executor=executor, in_flight=20))
    assert found.keys() == set(hazards)
    assert found[hazards[-1]] == "incomplete"


class Broken(Executor):
    """Takes nothing."""

    def submit(self, work, /, *arguments):
        raise RuntimeError("closed")


def test_an_executor_that_takes_nothing_leaves_every_source_with_a_report(files):
    for executor in (Broken(), Broken):
        reports = list(scan_many(files, policy="plain", executor=executor))
        assert {report.verdict for report in reports} == {"incomplete"}
        assert len(verdicts(reports)) == len(files)
        assert "closed" in reports[0].findings[0].message


class Lying(Executor):
    """Answers with something else."""

    def __init__(self, change) -> None:
        self._change = change

    def submit(self, work, /, *arguments):
        future = Future()
        future.set_result(self._change(work(*arguments)))
        return future


@pytest.mark.parametrize(
    "change",
    [
        lambda outcomes: outcomes[:-1],
        lambda outcomes: [outcome._replace(report=outcome.report._replace(policy="other")) for outcome in outcomes],
    ],
    ids=["too few", "another policy"],
)
def test_a_worker_that_does_something_else_is_not_believed(files, change):
    reports = list(scan_many(files, policy="plain", executor=Lying(change)))
    assert {report.verdict for report in reports} == {"incomplete"}
    assert len(verdicts(reports)) == len(files)


def test_a_cancelled_task_is_tried_once_more(files):
    class Cancelling(ThreadPoolExecutor):
        cancelled = 0

        def submit(self, work, /, *arguments):
            future = super().submit(work, *arguments)
            if self.cancelled < 2:
                self.cancelled += 1
                future = Future()
                future.cancel()
                future.set_running_or_notify_cancel()
            return future

    with Cancelling(2) as executor:
        assert verdicts(scan_many(files, policy="plain", executor=executor)) == verdicts(
            scan_many(files, policy="plain")
        )


def test_an_error_while_one_is_judged_is_a_finding_of_that_one(files, monkeypatch):
    def scan(source, policy):
        if source == files[1]:
            raise MemoryError
        return safepickle.scan(source, policy=policy)

    monkeypatch.setattr(many, "scan", scan)
    found = verdicts(scan_many(files, policy="plain"))
    assert found[files[1]] == "incomplete"
    assert found[files[2]] == "pass"


# -- Going on where a run was cut off ----------------------------------------------------------------------------------


@pytest.fixture
def whole(files, tmp_path) -> bytes:
    """What one uninterrupted run writes."""
    results = tmp_path / "whole.jsonl"
    list(scan_many(files, policy="plain", resume=results))
    return results.read_bytes()


def test_a_result_a_line_is_what_the_report_says(files, whole):
    lines = [json.loads(line) for line in whole.splitlines()]
    assert [line["source"] for line in lines] == files
    reports = [report.to_dict() for report in scan_many(files, policy="plain", resume=None)]
    for line, report in zip(lines, reports, strict=True):
        line.pop("stamp"), line.pop("version")
        assert line == {**report, "sha256": line["sha256"]}


@pytest.mark.parametrize("cut", [0, 1, 300, 0.2, 0.5, 0.97, -1])
def test_a_run_that_was_cut_off_anywhere_is_finished_as_if_it_had_not_been(files, whole, tmp_path, cut):
    results = tmp_path / "results.jsonl"
    results.write_bytes(whole[: int(cut * len(whole)) if isinstance(cut, float) else cut])
    reports = list(scan_many(files, policy="plain", executor=ThreadPoolExecutor(2), resume=results))
    assert [report.source for report in reports] == files
    assert results.read_bytes() == whole
    assert list(tmp_path.glob("results*")) == [results]


def test_a_run_that_is_not_finished_keeps_what_it_has_given(files, whole, tmp_path):
    results = tmp_path / "results.jsonl"
    reports = scan_many(files, policy="plain", resume=results)
    for _ in range(7):
        next(reports)
    reports.close()
    assert results.read_bytes() == b"".join(whole.splitlines(keepends=True)[:7])


def test_what_is_in_the_file_is_not_scanned_again(files, whole, tmp_path, monkeypatch):
    results = tmp_path / "results.jsonl"
    results.write_bytes(whole)
    before = told(scan_many(files, policy="plain", resume=results))
    monkeypatch.setattr(many, "scan", lambda *_, **__: pytest.fail("it was scanned again"))
    files.remove(files[12])  # what could not be read is tried again each time
    after = told(scan_many(files, policy="plain", resume=results))
    assert after == [row for row in before if row[0] in files]
    assert len(results.read_bytes().splitlines()) == len(files)


def test_what_has_changed_or_come_is_scanned_and_what_has_gone_is_left_out(files, whole, tmp_path):
    results = tmp_path / "results.jsonl"
    results.write_bytes(whole)
    Path(files[4]).write_bytes(EVIL)
    fresh = tmp_path / "files" / "002.5.pkl"
    fresh.write_bytes(GOOD)
    now = [*files[:3], str(fresh), *files[3:20], *files[30:]]
    found = verdicts(scan_many(now, policy="plain", resume=results))
    assert found[files[4]] == "forbidden"
    anew = tmp_path / "anew.jsonl"
    list(scan_many(now, policy="plain", resume=anew))
    assert results.read_bytes() == anew.read_bytes()


def test_the_same_source_twice_is_two_results(files, tmp_path):
    results = tmp_path / "results.jsonl"
    twice = [files[0], files[1], files[0]]
    for _ in range(2):
        assert len(list(scan_many(twice, policy="plain", resume=results))) == 3
        assert [json.loads(line)["source"] for line in results.read_bytes().splitlines()] == twice


def test_a_file_of_another_policy_is_refused_and_left_alone(files, whole, tmp_path):
    results = tmp_path / "results.jsonl"
    results.write_bytes(whole)
    with pytest.raises(ResultsError, match="another policy"):
        scan_many(files, policy="stdlib", resume=results)
    assert results.read_bytes() == whole


@pytest.mark.parametrize(
    "data", [b"hello\n", b"hello", GOOD, b'{"source": 3}\n', b'{"source": "a", "verdict": "pass"}\nx', b"\n"]
)
def test_a_file_that_holds_something_else_is_refused_and_left_alone(files, tmp_path, data):
    results = tmp_path / "notes"
    results.write_bytes(data)
    with pytest.raises(ResultsError):
        scan_many(files, policy="plain", resume=results)
    assert results.read_bytes() == data


def test_what_another_version_found_is_scanned_again(files, whole, tmp_path):
    results = tmp_path / "results.jsonl"
    lines = [json.loads(line) for line in whole.splitlines()]
    other = [json.dumps({**line, "version": "0.0", "verdict": "pass"}) + "\n" for line in lines]
    results.write_text("".join(other), "ascii")
    list(scan_many(files, policy="plain", resume=results))
    assert results.read_bytes() == whole


def test_thousands_of_files_by_processes_interrupted_and_resumed_give_what_one_run_gives(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    paths = [str(folder / f"{number:04}") for number in range(2000)]
    for number, path in enumerate(paths):
        Path(path).write_bytes(pickle.dumps({"id": number}, 4) if number % 100 else EVIL)
    once, resumed = tmp_path / "once.jsonl", tmp_path / "resumed.jsonl"
    list(scan_many(paths, policy="plain", resume=once))
    interrupted = scan_many(paths, policy="plain", executor=processes(2), resume=resumed)
    for _ in range(700):
        next(interrupted)
    interrupted.close()
    list(scan_many(paths, policy="plain", executor=processes(2), resume=resumed))
    assert resumed.read_bytes() == once.read_bytes()
    assert len(once.read_bytes().splitlines()) == 2000


def test_a_report_under_another_policy_is_not_written_among_these(files, tmp_path):
    other = safepickle.scan(files[0], policy="stdlib")
    with pytest.raises(ResultsError):
        list(scan_many([files[1], other], policy="plain", resume=tmp_path / "results.jsonl"))
    assert len((tmp_path / "results.jsonl").read_bytes().splitlines()) == 1


@pytest.mark.parametrize("kept", [{"resume": "results.jsonl"}, {"cache": "cache"}], ids=["resume", "cache"])
def test_a_file_that_changes_while_it_is_scanned_is_scanned_again(files, tmp_path, monkeypatch, kept):
    (option, name), path = next(iter(kept.items())), Path(files[1])
    scans = []

    def scan(source, policy):
        scans.append(source)
        report = safepickle.scan(source, policy=policy)
        if len(scans) == 1:
            path.write_bytes(EVIL)
        return report

    monkeypatch.setattr(many, "scan", scan)
    found = [verdicts(scan_many([path], policy="plain", **{option: tmp_path / name})) for _ in range(3)]
    assert found == [{str(path): "pass"}, {str(path): "forbidden"}, {str(path): "forbidden"}]
    assert len(scans) == 2


def test_a_file_whose_times_were_set_back_is_scanned_again(files, tmp_path):
    results, path = tmp_path / "results.jsonl", Path(files[1])
    before = path.stat()
    path.write_bytes(b"]" * len(EVIL) + b".")
    list(scan_many([path], policy="plain", resume=results))
    with path.open("r+b") as file:
        file.write(EVIL + b".")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert verdicts(scan_many([path], policy="plain", resume=results)) == {str(path): "forbidden"}


# -- The cache ---------------------------------------------------------------------------------------------------------


def test_the_same_bytes_are_judged_once_wherever_they_lie(files, tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    before = told(scan_many([*files, GOOD], policy="plain", cache=cache))
    moved = tmp_path / "moved.pkl"
    moved.write_bytes(Path(files[0]).read_bytes())
    monkeypatch.setattr(many, "scan", lambda *_, **__: pytest.fail("it was scanned again"))
    there = [path for path in files if path != files[12]]
    after = told(scan_many([*there, GOOD], policy="plain", cache=cache))
    assert after == [row for row in before if row[0] != files[12]]
    (report,) = scan_many([moved], policy="plain", cache=cache)
    assert (report.source, report.verdict) == (str(moved), "forbidden")


def test_what_was_found_under_another_policy_does_not_count(files, tmp_path):
    cache = tmp_path / "cache"
    there = files[7:8]
    assert [report.verdict for report in scan_many(there, policy="plain", cache=cache)] == ["forbidden"]
    assert [report.verdict for report in scan_many(there, policy="stdlib", cache=cache)] == ["pass"]


def test_what_has_changed_is_judged_anew_in_spite_of_the_cache(files, tmp_path):
    cache = tmp_path / "cache"
    list(scan_many(files, policy="plain", cache=cache))
    Path(files[1]).write_bytes(EVIL)
    assert verdicts(scan_many(files, policy="plain", cache=cache))[files[1]] == "forbidden"


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:50], lambda data: b"[]", lambda data: b"\xff"])
def test_an_entry_that_is_damaged_counts_as_none(files, tmp_path, damage):
    cache = tmp_path / "cache"
    before = verdicts(scan_many(files, policy="plain", cache=cache))
    entries = [path for path in cache.rglob("*") if path.is_file()]
    assert entries
    for path in entries:
        path.write_bytes(damage(path.read_bytes()))
    assert verdicts(scan_many(files, policy="plain", cache=cache)) == before


def test_an_entry_of_other_content_does_not_count(files, tmp_path):
    cache = tmp_path / "cache"
    list(scan_many(files[:2], policy="plain", cache=cache))
    entries = sorted(path for path in cache.rglob("*") if path.is_file())
    good = next(path for path in entries if b'"verdict": "pass"' in path.read_bytes()).read_bytes()
    for path in entries:
        path.write_bytes(good)  # whatever is asked for
    assert verdicts(scan_many(files[:2], policy="plain", cache=cache)) == {files[0]: "forbidden", files[1]: "pass"}


def test_a_cache_that_cannot_be_written_changes_nothing(files, tmp_path):
    place = tmp_path / "cache"
    place.write_bytes(b"a file")
    assert verdicts(scan_many(files, policy="plain", cache=place)) == verdicts(scan_many(files, policy="plain"))


# -- A cluster ---------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("default")  # of the library's own
def test_a_cluster_of_which_a_worker_is_killed_loses_nothing_and_counts_nothing_twice(tmp_path):
    distributed = pytest.importorskip("distributed", reason="Dask's distributed is not installed")
    import signal

    folder = tmp_path / "files"
    folder.mkdir()
    paths = [str(folder / f"{number:03}") for number in range(600)]
    for number, path in enumerate(paths):
        Path(path).write_bytes(EVIL if number % 50 == 7 else GOOD * (1 + number % 30))
    expected = verdicts(scan_many(paths, policy="plain"))
    cluster = distributed.LocalCluster(
        n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    )
    with cluster, distributed.Client(cluster) as client:
        reports = scan_many(paths, policy="plain", executor=client.get_executor(), in_flight=120)
        found = [next(reports) for _ in range(150)]
        workers = list(client.run(os.getpid).values())
        assert len(workers) == 3
        os.kill(workers[0], signal.SIGKILL)
        found += reports
    assert verdicts(found) == expected


def test_a_policy_reaches_the_workers_whatever_it_was_made_from(files):
    learned = Policy.learn([pickle.dumps(uuid.UUID(int=7), 4)])
    found = verdicts(scan_many(files, policy=learned, executor=processes(1)))
    assert found == verdicts(scan_many(files, policy=learned))


def test_orders_are_read_under_a_policy_of_their_own():
    """A worker's orders come from whoever may give it any; still nothing but a policy is made of them."""
    limited = Policy.from_yaml("safepickle: 1\naccept: [buffers]\npersistent: [{str: 'a+'}]\nlimits: {depth: 9}\n")
    for policy in (many.packaged(), Policy.unrestricted(), limited):
        orders = many._Orders(policy.digest, many._pickled(policy), None, False)
        many._POLICIES.pop(policy.digest, None)
        assert many._policy(orders) == policy
    with pytest.raises(safepickle.Forbidden):
        many._policy(many._Orders("another", EVIL, None, False))


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="there are no groups of processes here")
def test_the_workers_of_what_was_killed_end_with_it():
    """Each holds an end of the other's pipes, so that none of them would see that nobody is left."""
    program = (
        "import itertools\nfrom safepickle.many import processes, scan_many\n"
        "if __name__ == '__main__':\n"
        "    endless = itertools.repeat(b'N.')\n"
        "    for report in scan_many(endless, policy='plain', executor=processes(2)): print(flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, start_new_session=True) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"\n"
        run.kill()
    for _ in range(100):
        try:
            os.killpg(run.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.killpg(run.pid, signal.SIGKILL)
    pytest.fail("some of them are still there")
