"""DIMSE command sets: what we write pynetdicom reads, what peers send is read or refused."""

from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st
from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.dsutils import decode, encode

from pacs_gateway.associations.commands import (
    COMMAND_SET_MAXIMUM,
    ProtocolViolation,
    encode_response,
    parse_command,
)
from pacs_gateway.associations.status import Answer, Status, error_comment


def _request(uid: str = "1.2.3") -> bytes:
    primitive = C_STORE()
    primitive.MessageID = 7
    primitive.AffectedSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    primitive.AffectedSOPInstanceUID = uid
    primitive.DataSet = BytesIO(b"\x08\x00\x05\x00\x00\x00\x00\x00")
    message = C_STORE_RQ()
    message.primitive_to_message(primitive)
    encoded = encode(message.command_set, is_implicit_vr=True, is_little_endian=True)
    assert encoded is not None
    return encoded


def test_a_request_is_read() -> None:
    command = parse_command(_request())
    assert command.field == 0x0001
    assert command.message_id == 7
    assert command.has_dataset
    assert command.is_request
    assert command.sop_class_uid == "1.2.840.10008.5.1.4.1.1.2"
    assert command.sop_instance_uid == "1.2.3"


def test_a_response_is_what_pynetdicom_understands() -> None:
    answer = Answer(Status.CANNOT_UNDERSTAND_INVALID_UID, "wrong", offending_tag=0x00080018)
    encoded = encode_response(parse_command(_request()), answer)
    found = decode(BytesIO(encoded), is_implicit_vr=True, is_little_endian=True)
    assert found.CommandField == 0x8001
    assert found.MessageIDBeingRespondedTo == 7
    assert found.CommandDataSetType == 0x0101
    assert found.Status == 0xC102
    assert found.ErrorComment == "wrong"
    assert found.OffendingElement == 0x00080018
    assert found.AffectedSOPInstanceUID == "1.2.3"
    assert found.CommandGroupLength == len(encoded) - 12


def test_an_uid_that_is_none_is_echoed_as_it_came() -> None:
    request = _request().replace(b"1.2.3\0", b"../etc")
    command = parse_command(request)
    assert command.sop_instance_uid == "../etc"
    assert b"../etc" in encode_response(command, Answer(Status.SUCCESS))


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(encoded: bytes) -> None:
    try:
        parse_command(encoded)
    except ProtocolViolation:
        return


@given(st.data())
def test_a_damaged_request_is_read_or_refused(data: st.DataObject) -> None:
    request = bytearray(_request())
    at = data.draw(st.integers(0, len(request) - 1))
    request[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(request)))
    try:
        command = parse_command(bytes(request[:cut]))
    except ProtocolViolation:
        return
    encode_response(command, Answer(Status.SUCCESS))


@given(st.text(max_size=200))
def test_an_error_comment_is_a_legal_long_string(text: str) -> None:
    comment = error_comment(text)
    assert len(comment) <= 64
    assert comment.isascii()
    assert "\\" not in comment


def test_the_limit_of_a_command_set_is_generous() -> None:
    assert len(_request()) * 100 < COMMAND_SET_MAXIMUM
