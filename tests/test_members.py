"""Members in a few bytes each are the members that were put in."""

from __future__ import annotations

import pickle
import sys
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safepickle.members import Member, MemberLog, Members, Places, note

numbers = st.integers(0, 300) | st.integers(2**32 - 2, 2**32 + 2) | st.integers(0, 2**63)
members = st.builds(Member, numbers, numbers, numbers, st.sampled_from(["pass", "forbidden"]), st.text(max_size=3))
lists = st.lists(members, max_size=8)


@settings(max_examples=50)
@given(lists, st.integers(-13, 13), st.integers(-13, 13), st.sampled_from([None, 1, 2, -1]))
def test_they_are_a_sequence_as_a_tuple_is(found, start, stop, step):
    kept = Members(found)
    assert (len(kept), tuple(kept), list(reversed(kept))) == (len(found), tuple(found), found[::-1])
    assert kept[start:stop:step] == tuple(found[start:stop:step])
    assert [kept[index] for index in range(-len(found), len(found))] == found * 2
    with pytest.raises(IndexError):
        kept[len(found)]


@given(lists, lists)
def test_they_are_equal_to_a_tuple_and_to_each_other_where_the_members_are(one, other):
    assert Members(one) == tuple(one) == Members(iter(one))
    assert (Members(one) == Members(other)) == (one == other)
    assert hash(Members(one)) == hash(tuple(one))
    assert Members(one) != one  # a list may change
    assert pickle.loads(pickle.dumps(Members(one))) == Members(one)


@given(lists, lists, st.integers(0, 12))
def test_a_log_takes_members_and_forgets_the_last_ones(one, other, length):
    log = MemberLog(one)
    for member in other:
        log.append(member)
    expected = one + other
    assert log.closed() == tuple(expected)
    log.cut(length)
    log.extend(other)
    for most in (7, 2**40):
        numbers, word = log.noting("pass", "here", most)
        note(numbers, 1, 2, most, word)
    assert list(log.starts(len(log) - 2)) == [1, 1]
    last = [Member(1, 2, most, "pass", "here") for most in (7, 2**40)]
    assert log.closed() == (*expected[:length], *other, *last)


def test_a_member_takes_sixteen_bytes():
    many = Members(Member(2 * number, 2 * number + 2, 2, "pass") for number in range(10_000))
    assert sum(map(sys.getsizeof, (many._numbers, many._words))) < 10_000 * 20
    assert repr(many) == "<10,000 members>"


@given(st.lists(st.integers(0, 50)), st.sets(st.integers(0, 50)), st.integers(0, 50))
def test_places_are_a_set_whatever_the_order(places, more, asked):
    kept = Places()
    for place in places:
        kept.add(place)
    kept.follow(array("Q", sorted(more)))
    kept.follow(array("I"))
    places = {*places, *more}
    assert (asked in kept) == (asked in places)
    assert all(place in kept for place in places)
