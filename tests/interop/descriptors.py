"""Compares proto/hstream.proto with the published Python stubs.

Usage: descriptors.py [PROTO_FILE]

Both are written down as a set of facts, one line each. What only ours has must
be exactly what beyond-stubs.txt lists (lines with "+"), and what only theirs
has must be listed there with "-". Each line there ends with its reason.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import HStream.Server.HStreamApi_pb2 as pb
import grpc_tools
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet
from grpc_tools import protoc

HERE = Path(__file__).resolve().parent
EXPECTED = HERE / "beyond-stubs.txt"
DEFAULT_PROTO = HERE.parent.parent / "proto" / "hstream.proto"


def our_file(proto):
    include = Path(grpc_tools.__file__).parent / "_proto"
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "set"
        arguments = ["protoc", f"-I{proto.parent}", f"-I{include}", f"--descriptor_set_out={out}"]
        if protoc.main(arguments + [str(proto)]) != 0:
            sys.exit(f"{proto} does not compile")
        return FileDescriptorSet.FromString(out.read_bytes()).file[0]


def their_file():
    file = FileDescriptorProto()
    pb.DESCRIPTOR.CopyToProto(file)
    return file


def facts_of(file):
    facts = [f"syntax {file.syntax}", f"package {file.package}"]
    for service in file.service:
        facts += service_facts(service, file.package)
    for message in file.message_type:
        facts += message_facts(message, "", file.package)
    for enum in file.enum_type:
        facts += enum_facts(enum, "")
    assert len(facts) == len(set(facts))
    return set(facts)


def service_facts(service, package):
    yield f"service {service.name}"
    for rpc in service.method:
        request = ("stream " if rpc.client_streaming else "") + short(rpc.input_type, package)
        response = ("stream " if rpc.server_streaming else "") + short(rpc.output_type, package)
        yield f"rpc {service.name}.{rpc.name}({request}) returns ({response})"


def message_facts(message, outer, package):
    name = outer + message.name
    yield f"message {name}"
    if message.options.map_entry:
        yield f"message {name} is a map entry"
    for field in message.field:
        yield f"field {name}.{field.name} = {field.number}: {field_type(field, message, package)}"
    for nested in message.nested_type:
        yield from message_facts(nested, f"{name}.", package)
    for enum in message.enum_type:
        yield from enum_facts(enum, f"{name}.")


def field_type(field, message, package):
    kind = FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
    label = FieldDescriptorProto.Label.Name(field.label).removeprefix("LABEL_").lower()
    parts = [label, kind]
    if field.type_name:
        parts.append(short(field.type_name, package))
    if field.proto3_optional:
        parts.append("with presence")
    elif field.HasField("oneof_index"):
        parts.append(f"in oneof {message.oneof_decl[field.oneof_index].name}")
    return " ".join(parts)


def enum_facts(enum, outer):
    name = outer + enum.name
    yield f"enum {name}"
    for value in enum.value:
        yield f"value {name}.{value.name} = {value.number}"


def short(type_name, package):
    return type_name.removeprefix(f".{package}.").removeprefix(".")


def expected_differences():
    """Two sets: what only ours has, what only theirs has."""
    only_ours, only_theirs = set(), set()
    for line in EXPECTED.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        sign, rest = line.split(" ", 1)
        fact, _, reason = rest.partition("  # ")
        if sign not in "+-" or not reason:
            sys.exit(f"{EXPECTED.name}: not '+ FACT  # REASON' or '- FACT  # REASON': {line}")
        (only_ours if sign == "+" else only_theirs).add(fact)
    return only_ours, only_theirs


def report(title, facts):
    for fact in sorted(facts):
        print(f"{title}: {fact}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("proto", metavar="PROTO_FILE", nargs="?", type=Path, default=DEFAULT_PROTO)
    arguments = parser.parse_args()

    ours, theirs = facts_of(our_file(arguments.proto)), facts_of(their_file())
    expected_ours, expected_theirs = expected_differences()
    findings = [
        ("only in ours, not expected", ours - theirs - expected_ours),
        ("only in the stubs, not expected", theirs - ours - expected_theirs),
        ("expected only in ours, but is not", expected_ours - (ours - theirs)),
        ("expected only in the stubs, but is not", expected_theirs - (theirs - ours)),
    ]
    for title, facts in findings:
        report(title, facts)
    if any(facts for _, facts in findings):
        sys.exit(1)
    print(f"{len(ours & theirs)} facts agree, {len(ours ^ theirs)} differ as expected")


if __name__ == "__main__":
    main()
