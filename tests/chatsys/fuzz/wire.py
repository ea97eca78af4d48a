"""Requests as bytes, made from the descriptors of the contract: whole, damaged, and everything between.

Each field is missing, plausible, or hostile: oversized, negative, of an unknown enum, not UTF-8, repeated, of the
wrong wire type. What is plausible comes from a ``Dictionary`` by the name of the field, so that many requests get
far enough to do something.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from hypothesis import strategies as st

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MANY = 1_001

_NUMBERS = (0, 1, 2, 3, 4, 5, 7, 100, 1_000, 1_001, 70_000, 2**31 - 1, 2**31, 2**53, 2**62, 2**63 - 1)
_NEGATIVE = tuple(2**64 - each for each in (1, 2, 2**31, 2**31 + 1, 2**63))
_TEXTS = (
    b"",
    b" ",
    b"\0",
    b"\xff\xfe",
    b"caf\xe9",
    b"\xed\xa0\x80",  # a lone surrogate
    "Ünïcode ✓".encode(),
    "\u202e\u0000\r\n".encode(),
    b"'; DROP TABLE entry; --",
    b"../../etc/passwd",
    b"%s%n{0}${x}",
    b"x" * 64,
    b"x" * 65,
    b"x" * 128,
    b"x" * 129,
    b"A" * 20_000,
)
_CONTENTS = (b"", b"x", b"hello", b"\xff\xfe\x00", b"y" * 65_536, b"y" * 65_537)
_TEXT_FIELDS = (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES)


class Dictionary(NamedTuple):
    """What is there on the server, by the name of the field that may hold it."""

    words: Mapping[str, tuple[str, ...]]

    def of(self, name: str) -> tuple[bytes, ...]:
        """Plausible values of a text field."""
        return tuple(word.encode() for word in self.words.get(name, ()))


def varint(value: int) -> bytes:
    """Base-128, as many bytes as it takes."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number: int, kind: int, payload: bytes) -> bytes:
    """One field: its tag, its length where it has one, its payload."""
    tag = varint(number << 3 | kind)
    return tag + varint(len(payload)) + payload if kind == BYTES else tag + payload


def request(message: Descriptor, dictionary: Dictionary) -> st.SearchStrategy[bytes]:
    """Bytes that a caller may send where this message is due.

    Half of them are plausible all over, a quarter but for one field: what is hostile all over is refused for the
    first reason there is, and tries little.
    """
    whole = _message(message, dictionary, _plausible)
    return _weighted(
        (4, whole),
        (2, _but_for_one(message, dictionary)),
        (1, _message(message, dictionary, _hostile)),
        (1, st.one_of(_damaged(whole), st.binary(max_size=40))),
    )


def _weighted(*choices: tuple[int, st.SearchStrategy[bytes]]) -> st.SearchStrategy[bytes]:
    """One of these, the heavier the oftener; ``one_of`` would take each as often."""
    expanded = [strategy for weight, strategy in choices for _ in range(weight)]
    return st.integers(0, len(expanded) - 1).flatmap(expanded.__getitem__)


_Making = Callable[[FieldDescriptor, Dictionary], st.SearchStrategy[bytes]]


def _message(message: Descriptor, dictionary: Dictionary, make: _Making) -> st.SearchStrategy[bytes]:
    return st.tuples(*(make(each, dictionary) for each in message.fields)).map(b"".join)


def _but_for_one(message: Descriptor, dictionary: Dictionary) -> st.SearchStrategy[bytes]:
    if not message.fields:
        return st.binary(max_size=3)
    makings = [
        st.tuples(
            *((_hostile if each is bad else _plausible)(each, dictionary) for each in message.fields)
        ).map(b"".join)
        for bad in message.fields
    ]
    return st.one_of(makings)


def _plausible(each: FieldDescriptor, dictionary: Dictionary) -> st.SearchStrategy[bytes]:
    if each.message_type is not None:
        one = _message(each.message_type, dictionary, _plausible).map(
            lambda body: field(each.number, BYTES, body)
        )
    elif each.type in _TEXT_FIELDS:
        words = dictionary.of(each.name) or (b"", b"a word")
        one = st.sampled_from([field(each.number, BYTES, word) for word in words])
    else:
        one = st.sampled_from([field(each.number, VARINT, varint(number)) for number in (0, 0, 1, 1, 2, 3)])
    if each.is_repeated:
        return _weighted((2, st.just(b"")), (2, one), (1, st.tuples(one, one).map(b"".join)))
    return _weighted((9, one), (1, st.just(b"")))


def _hostile(each: FieldDescriptor, dictionary: Dictionary) -> st.SearchStrategy[bytes]:
    if each.message_type is not None:
        one = st.one_of(
            _but_for_one(each.message_type, dictionary), _message(each.message_type, dictionary, _hostile)
        ).map(lambda body: field(each.number, BYTES, body))
        many: tuple[bytes, ...] = (field(each.number, BYTES, b"") * MANY,)
    else:
        kind = BYTES if each.type in _TEXT_FIELDS else VARINT
        payloads = _payloads(each)
        one = st.one_of(
            st.sampled_from([field(each.number, kind, payload) for payload in payloads]), _anything(each)
        )
        many = (field(each.number, kind, payloads[-1][:100]) * MANY,)
    wrong = [field(each.number, FIXED32, b"abcd"), field(each.number, FIXED64, b"abcdefgh")]
    rare = st.sampled_from([*many, *wrong, field(each.number, BYTES, b"\x08\x01")])
    if each.is_repeated:
        return st.one_of(st.lists(one, max_size=3).map(b"".join), st.tuples(one, rare).map(b"".join))
    return _weighted((4, one), (1, st.just(b"")), (1, rare))


def _payloads(each: FieldDescriptor) -> list[bytes]:
    if each.type in _TEXT_FIELDS:
        return list(_CONTENTS if each.type == FieldDescriptor.TYPE_BYTES else _TEXTS)
    if each.type == FieldDescriptor.TYPE_BOOL:
        return [varint(0), varint(1), varint(2**64 - 1)]
    return [varint(number) for number in (*_NUMBERS, *_NEGATIVE)]


def _anything(each: FieldDescriptor) -> st.SearchStrategy[bytes]:
    if each.type == FieldDescriptor.TYPE_STRING:
        return st.text(max_size=20).map(lambda text: field(each.number, BYTES, _encoded(text)))
    if each.type == FieldDescriptor.TYPE_BYTES:
        return st.binary(max_size=40).map(lambda data: field(each.number, BYTES, data))
    return st.integers(0, 2**64 - 1).map(lambda number: field(each.number, VARINT, varint(number)))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _damaged(whole: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Cut off, or with something in it that the contract does not know."""
    strange = [
        field(15, BYTES, b"unknown"),
        field(536_870_911, VARINT, b"\x01"),
        field(0, VARINT, b"\x01"),  # there is no field 0
        varint(7 << 3 | 3),  # a group begins, and does not end
        varint(7 << 3 | 6) + b"\0",  # no such wire type
        b"\xff" * 11,  # no varint is that long
        varint(1 << 3 | BYTES) + varint(2**31) + b"short",
    ]
    return st.one_of(
        st.tuples(whole, st.integers(1, 40)).map(lambda pair: pair[0][: -pair[1]]),
        st.tuples(whole, st.sampled_from(strange)).map(lambda pair: pair[0] + pair[1]),
        st.tuples(st.sampled_from(strange), whole).map(lambda pair: pair[0] + pair[1]),
    )


def replaced(data: bytes, names: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The same bytes with some names for others, each as long as the one before."""
    for old, new in names:
        assert len(old) == len(new), "lengths are written beside the names"
        data = data.replace(old, new)
    return data
