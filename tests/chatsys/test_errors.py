from pathlib import Path

import pytest

from chatsys.errors import TABLE, Reason, Refusal, Violation, page, wire


def test_every_reason_has_one_row():
    assert list(TABLE) == list(Reason)
    assert all(str(reason) == reason.name for reason in Reason)


def test_the_page_is_made_from_the_table():
    page_file = Path(page.__file__).parents[2] / "docs" / "errors.md"
    assert page_file.read_text(encoding="utf-8") == page.render(), (
        "docs/errors.md is stale: python -m chatsys.errors.page > docs/errors.md"
    )


@pytest.mark.parametrize("reason", list(Reason))
def test_a_refusal_survives_the_wire(reason: Reason):
    sent = Refusal(
        reason,
        "why",
        metadata={"a": "1"},
        violations=[Violation("x", "is bad")],
        resource=("room", "r"),
        retry_after=0.25,
    )
    read = wire.from_status_bytes(wire.to_status_bytes(sent))
    assert read is not None
    assert vars(read) == vars(sent)
    assert read.message == str(read) == "why"


def test_bytes_of_somebody_else_are_no_refusal():
    assert wire.from_status_bytes(b"\xff\xff") is None
    assert wire.from_status_bytes(b"") is None


def test_an_answer_fits_into_the_trailers_of_any_client():
    worst = "\U0001f600" * 10_000
    refusal = Refusal(Reason.FIELD_INVALID, worst, violations=[Violation("field", worst)])
    assert refusal.message.endswith("…")
    percent_encoded = 3 * len(refusal.message.encode())
    assert percent_encoded + len(wire.to_status_bytes(refusal)) * 4 / 3 < 8 * 1024 - 512
