"""Pictures of pickles: what is built from what, bounded, escaped, each shared object once; nothing is run."""

from __future__ import annotations

import datetime as dt
import io
import pickle
import zipfile

import pytest
from hypothesis import given

from safepickle.pages import objects
from safepickle.pages.objects import Artist, Picture
from safepickle.scanner import watched
from tests import strategies

STEERING = "\x1b[31m\u202e</script><b>"


def pictures(data: bytes, room: int = 5000) -> tuple[Picture, ...]:
    artist = Artist(room)
    watched(data, watch=artist)
    return artist.pictures


def only(data: bytes) -> Picture:
    (found,) = pictures(data)
    return found


def test_a_literal_is_a_picture_without_nodes():
    found = only(pickle.dumps("hello", 4))
    assert (found.root, found.nodes, found.links, found.whole) == ("'hello'", (), (), True)


def test_containers_have_their_items_in_order():
    found = only(pickle.dumps({"a": [1, 2.5, None, True], "b": (b"x", {"y"}), 3: frozenset()}, 4))
    root = found.nodes[0]
    assert (root.kind, root.size, root.more) == ("dict", 3, 0)
    assert [label for label, _ in root.items] == ["'a'", "'b'", "3"]
    inside = {node.kind: node for node in found.nodes}
    assert [item for _, item in inside["list"].items] == ["1", "2.5", "None", "True"]
    assert inside["tuple"].items[0] == ("0", "b'x'")
    assert inside["frozenset"].size == 0
    assert found.whole


def test_what_a_key_is_made_of_is_shown_too():
    found = only(pickle.dumps({(1, 2): "x"}, 4))
    assert [label for label, _ in found.nodes[0].items] == ["key 0", "value 0"]
    assert found.nodes[1].items == (("0", "1"), ("1", "2"))


def test_objects_have_their_name_arguments_state_and_what_they_were_filled_with():
    found = only(b"\x80\x02cprices\nCurve\n)\x81}U\x01kK\x07sb.")
    root = found.nodes[0]
    assert (root.kind, root.name, [label for label, _ in root.items]) == ("new", "prices.Curve", ["state"])
    called = only(b"cprices\nCurve\n(I7\nVx\ntR(I1\nI2\ne.").nodes[0]
    assert called.kind == "call"
    assert called.items == (("argument 0", "7"), ("argument 1", "'x'"), ("filled 0", "1"), ("filled 1", "2"))


def test_a_shared_object_is_one_node_and_a_cycle_ends():
    shared: list[object] = ["x"]
    found = only(pickle.dumps([shared, shared, {"again": shared}], 4))
    assert sum(node.items == (("0", "'x'"),) for node in found.nodes) == 1
    loop: list[object] = []
    loop.append(loop)
    assert only(pickle.dumps(loop, 4)).nodes[0].items == (("0", 0),)


def test_links_say_which_name_is_made_from_which_through_containers():
    data = pickle.dumps([dt.datetime(2024, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=1)))] * 2, 4)
    found = only(data)
    names = {(-1 if a < 0 else found.names[a], found.names[b]): count for a, b, count in found.links}
    assert names == {
        (-1, "datetime.datetime"): 2,
        ("datetime.datetime", "datetime.timezone"): 1,
        ("datetime.timezone", "datetime.timedelta"): 1,
    }


def test_long_data_is_elided_and_counted():
    found = only(pickle.dumps([list(range(1000)), "x" * 1000, b"y" * 1000, 10**100, "z" * 90], 4))
    root = found.nodes[0]
    texts = [item for _, item in root.items if isinstance(item, str)]
    assert texts[:2] == ["str of 1,000 bytes", "bytes of 1,000 bytes"]
    assert texts[3].endswith("... (90 characters)")
    assert all(len(text) < 150 for text in texts)
    numbers = found.nodes[1]
    assert (len(numbers.items), numbers.more, numbers.size) == (objects.MOST_ITEMS, 1000 - objects.MOST_ITEMS, 1000)
    assert not found.whole


def test_what_is_kept_is_bounded_whatever_the_source_holds():
    many = b"".join(b"]" + b"]" * 50 + b"N" + b"0" * 51 for _ in range(10)) + b"N."
    assert only(many).nodes == ()
    wide = only(pickle.dumps([[[number] for number in range(30)] for _ in range(40)], 4))
    assert len(wide.nodes) == objects.MOST_NODES
    assert not wide.whole
    assert any(item == "list (not shown)" for node in wide.nodes for _, item in node.items)
    artist = Artist(room=100)
    watched(pickle.dumps([[1]] * 9, 4) * 200, watch=artist)
    assert artist.taken <= 100
    assert artist.left_out == 200 - len(artist.pictures)


def test_an_object_of_very_many_arguments_items_and_entries_is_elided():
    call = only(b"ca\nB\n(" + b"I1\n" * 1000 + b"tR(" + b"I1\n" * 1000 + b"e.").nodes[0]
    assert len(call.items) == 2 * objects.MOST_ITEMS
    assert call.more == 2 * (1000 - objects.MOST_ITEMS)
    entries = only(pickle.dumps(dict.fromkeys(range(1000)), 4)).nodes[0]
    assert (len(entries.items), entries.size, entries.more) == (objects.MOST_ITEMS, 1000, 1000 - objects.MOST_ITEMS)


def test_links_through_containers_that_many_share_are_looked_for_no_further_than_is_worth_it(monkeypatch):
    """Each of these objects holds all of the same containers: to look into them for each would be quadratic."""
    shared = b"(" + b"](I1\nI2\ne" * 39 + b"tq\x00"
    stream = b"\x80\x02]" + shared + b"a(" + b"".join(b"ca\nB%d\n(h\x00tR" % number for number in range(38)) + b"e."
    found = only(stream)
    assert found.whole
    assert len(found.names) == 38
    monkeypatch.setattr(objects, "_MOST_STEPS", 400)
    found = only(stream)
    assert len(found.names) > 1
    assert len(found.nodes) == 38 + 39 + 2
    assert not found.whole


def test_a_pickle_nested_as_deep_as_it_may_be_is_drawn_as_far_as_it_goes():
    deep = b"]" * 900 + b"a" * 899 + b"."
    assert len(only(deep).nodes) == objects.MOST_NODES


def test_every_text_of_a_picture_is_escaped():
    data = pickle.dumps({STEERING: [STEERING, STEERING.encode()]}, 4)[:-1] + b"0"
    data += b"\x80\x04\x8c\x03a\x1bb\x8c\x04x\xe2\x80\xae\x93)R."
    whole = [only(data), only(pickle.dumps({STEERING: [STEERING, STEERING.encode()]}, 4))]
    texts = [text for found in whole for text in [found.root, found.stream, *found.names]]
    texts += [node.name for found in whole for node in found.nodes]
    texts += [text for found in whole for node in found.nodes for item in node.items for text in map(str, item)]
    assert any("\\x1b" in text for text in texts)
    assert all(text.isprintable() for text in texts)


def test_pickles_in_containers_and_in_a_row_have_pictures_of_their_own():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a\x1b/data.pkl", pickle.dumps([1], 4))
        archive.writestr("b.pkl", pickle.dumps([2], 4) * 2)
    found = pictures(packed.getvalue())
    assert [(each.stream, each.start > 0) for each in found] == [
        ("a\\x1b/data.pkl", False),
        ("b.pkl", False),
        ("b.pkl", True),
    ]


def test_large_files_are_drawn_without_their_payloads(tmp_path):
    path = tmp_path / "big.pkl"
    path.write_bytes(pickle.dumps([b"x" * (3 << 20), "after", [7]], 5))
    artist = Artist()
    watched(path, watch=artist)
    (found,) = artist.pictures
    assert [item for _, item in found.nodes[0].items] == ["bytes of 3,145,728 bytes", "'after'", 1]
    assert found.nodes[1].items == (("0", "7"),)


def test_what_is_refused_is_drawn_too_and_nothing_of_it_runs(tmp_path):
    told = tmp_path / "told"
    found = only(b"cos\nmkdir\n(V" + str(told).encode() + b"\ntR.")
    assert found.nodes[0].name == "os.mkdir"
    assert not told.exists()


def test_what_breaks_off_has_no_picture():
    assert pictures(b"\x80\x04]\x8c") == ()


@given(strategies.programs(wild=3))
def test_whatever_a_program_makes_is_drawn(program):
    for found in pictures(program.data):
        assert len(found.nodes) <= objects.MOST_NODES
        for node in found.nodes:
            assert all(not isinstance(item, int) or 0 <= item < len(found.nodes) for _, item in node.items)


@pytest.mark.parametrize(
    "data", [b"Pid\n.", b"\x80\x05\x97.", b"\x80\x02\x82\x01.", b"I01\n.", b"L5L\n.", b"S'\\xff'\n."]
)
def test_every_kind_of_literal_is_said(data):
    found = pictures(data)
    assert all(each.root or each.nodes for each in found)


def test_literals_say_what_they_are():
    assert only(b"Pid\n.").root == "an object of the application"
    assert only(b"\x80\x05\x97.").root == "a buffer of the application"
    assert only(b"I01\n.").root == "True"
    assert only(b"S'\\xff'\n.").root == "'\xff'"
    assert only(pickle.dumps(bytearray(b"ab"), 5)).root == "b'ab'"
