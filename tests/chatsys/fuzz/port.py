"""What may arrive on a port: noise, other protocols, HTTP/2 that stops or lies. Bytes only; nothing is expected back.

The frames are put together by hand, because a library would not send what is wrong.
"""

from collections.abc import Sequence

from hypothesis import strategies as st

from tests.chatsys.fuzz.wire import varint

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RESET, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, END_HEADERS, PADDED = 1, 4, 8

_HELLO = bytes.fromhex("160301007c0100007803036162636465666768") + b"i" * 110  # how TLS begins
_ONES = (
    b"",
    b"\0",
    b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
    b"POST /chatsys.v1.ChatService/Poll HTTP/1.1\r\nContent-Length: 5\r\n\r\n\0\0\0\0\0",
    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 3_000,
    b"GET / HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"\x05\x01\0",
    _HELLO,
    PREFACE * 3,
)


def frame(kind: int, flags: int, stream: int, payload: bytes, length: int | None = None) -> bytes:
    """One frame; ``length`` lies about the payload."""
    size = len(payload) if length is None else length
    return size.to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def headers(fields: Sequence[tuple[bytes, bytes]]) -> bytes:
    """A header block: literals that are never indexed, not compressed."""
    return b"".join(b"\x10" + _text(name) + _text(value) for name, value in fields)


def _text(value: bytes) -> bytes:
    if len(value) < 127:
        return bytes([len(value)]) + value
    return b"\x7f" + varint(len(value) - 127) + value


def call(path: bytes, extra: Sequence[tuple[bytes, bytes]], body: bytes, stream: int = 1) -> bytes:
    """A whole gRPC call, with whatever metadata and body."""
    fields = [
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", path),
        (b":authority", b"x"),
        (b"te", b"trailers"),
        (b"content-type", b"application/grpc"),
        *extra,
    ]
    return frame(HEADERS, END_HEADERS, stream, headers(fields)) + frame(DATA, END_STREAM, stream, body)


_POLL = b"/chatsys.v1.ChatService/Poll"
OPEN = PREFACE + frame(SETTINGS, 0, 0, b"")
_EXTRA = (
    (b"chatsys-user", b"alice"),
    (b"chatsys-user", b"\xff\xfe\x00"),
    (b"chatsys-user", b"al\r\nice"),
    (b"chatsys-user", b"u" * 30_000),
    (b"chatsys-display-name-bin", b"!!! no base64 !!!"),
    (b"authorization", b"Bearer \xff\xff.\xff\xff.\xff\xff"),
    (b"grpc-timeout", b"-1S"),
    (b"grpc-timeout", b"99999999999999S"),
    (b"grpc-timeout", b"0n"),
    (b"grpc-encoding", b"gzip"),
    (b"grpc-encoding", b"no-such"),
    (b"content-length", b"-5"),
    (b"Upper-Case", b"x"),
    (b"", b"no name"),
    (b"connection", b"close"),
    (b":path", b"/twice"),
    (b"grpc-status", b"0"),
    (b"traceparent", b"\x01\x02\x03"),
)
_BODIES = (
    b"\0\0\0\0\0",
    b"\0\0\0\0\x05abc",  # says five, has three
    b"\0\xff\xff\xff\xff",  # says four gigabytes
    b"\x01\0\0\0\x03abc",  # says compressed
    b"\x07\0\0\0\0",  # no such flag
    b"\0\0\0\0\x02\xff\xff",
    b"\0\0\0\0\0" * 3,  # three messages where one is due
    b"",
    b"\0",
)
_PATHS = (
    _POLL,
    b"/chatsys.v1.ChatService/Subscribe",
    b"/chatsys.v1.ChatService/SendMessages",
    b"/grpc.health.v1.Health/Check",
    b"/grpc.health.v1.Health/Watch",
    b"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    b"/chatsys.v1.ChatService/NoSuchMethod",
    b"/../../etc/passwd",
    "/chätsys".encode(),
    b"",
    b"Poll",
    b"/" + b"p" * 20_000,
)


def bytes_on_the_port() -> st.SearchStrategy[bytes]:
    """All of it."""
    calls = st.builds(
        call,
        st.sampled_from(_PATHS),
        st.lists(st.sampled_from(_EXTRA), max_size=3),
        st.one_of(st.sampled_from(_BODIES), st.binary(max_size=30)),
    )
    kinds, ids = st.integers(0, 12), st.sampled_from((0, 1, 1, 2, 3, 2**31 - 1, 2**32 - 1))
    frames = st.builds(frame, kinds, st.integers(0, 255), ids, st.binary(max_size=60))
    lies = st.builds(
        frame, kinds, st.just(END_HEADERS), ids, st.binary(max_size=20), st.integers(0, 2**24 - 1)
    )
    conversations = st.lists(st.one_of(calls, calls, frames, frames, lies), min_size=1, max_size=4)
    whole = conversations.map(lambda parts: OPEN + b"".join(parts))
    cut = st.tuples(whole, st.integers(0, 200)).map(lambda pair: pair[0][: pair[1]])
    return st.one_of(whole, whole, cut, st.sampled_from([*_ONES, *_floods()]), st.binary(max_size=200))


def _floods() -> list[bytes]:
    """Much of one thing."""
    small = frame(HEADERS, 0, 1, headers([(b":method", b"POST")]))
    odd = range(1, 401, 2)
    return [
        OPEN + small + frame(CONTINUATION, 0, 1, headers([(b"a", b"b" * 100)])) * 200,
        OPEN + b"".join(call(_POLL, (), b"", n) + frame(RESET, 0, n, b"\0\0\0\x08") for n in odd),
        OPEN + b"".join(call(_POLL, [_EXTRA[0]], b"\0\0\0\0\0", n) for n in odd),
        OPEN + frame(PING, 0, 0, b"12345678") * 500,
        OPEN + frame(SETTINGS, 0, 0, b"\0\x04\xff\xff\xff\xff") * 100,
        OPEN + frame(WINDOW, 0, 0, b"\x7f\xff\xff\xff") * 10,
        OPEN + frame(PRIORITY, 0, 1, b"\0\0\0\x01\xff") * 500,
        OPEN + frame(DATA, PADDED, 1, b"\xff" + b"x" * 10),
        OPEN + frame(HEADERS, END_HEADERS, 1, b"\xff" * 100),  # no header block
        OPEN + frame(HEADERS, END_HEADERS, 1, b"\x3f" + b"\xff" * 9),  # a table of any size
    ]
