#!/usr/bin/env python3
"""Asks a collector with grpcio and reflection alone: no generated code, no .proto file.

What another language sees must be what `picket` sees. It lists the services by reflection, checks the health service,
lists hosts and incidents, gets one incident, and watches until one change arrives. Anything missing or different ends
it with status 1; each thing seen is printed as a line.

    pip install grpcio grpcio-reflection
    grpcio_check.py --addr 127.0.0.1:7600 --credentials DATA/operator [--timeout 60] [--no-watch]
"""

import argparse
import pathlib
import sys
import time

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

OPERATOR = "picket.v1.Operator"
HEALTH = "grpc.health.v1.Health"
METHODS = {
    "ListHosts", "ListServices", "ListIncidents", "GetIncident", "AcknowledgeIncident", "NoteIncident",
    "ResolveIncident", "WatchIncidents", "ListEvents", "CreateToken",
}


class Different(Exception):
    """What was seen is not what must be."""


def must(true, what):
    if not true:
        raise Different(what)


def show(label, text):
    print(f"{label:<12} {text}", flush=True)


class Client:
    """Calls methods by name; messages come from the server's own descriptors."""

    def __init__(self, channel, timeout):
        self.channel = channel
        self.timeout = timeout
        self.database = ProtoReflectionDescriptorDatabase(channel)
        self.pool = descriptor_pool.DescriptorPool(self.database)

    def method(self, service, name):
        return self.pool.FindServiceByName(service).FindMethodByName(name)

    def call(self, service, name, /, **fields):
        method = self.method(service, name)
        request = message_factory.GetMessageClass(method.input_type)(**fields)
        answer = message_factory.GetMessageClass(method.output_type)
        shape = self.channel.unary_stream if method.server_streaming else self.channel.unary_unary
        ask = shape(
            f"/{service}/{name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=answer.FromString,
        )
        return ask(request, timeout=self.timeout)


def services(client):
    listed = sorted(client.database.get_services())
    show("reflection", ", ".join(listed))
    must(OPERATOR in listed, f"reflection lists no {OPERATOR}")
    must(HEALTH in listed, f"reflection lists no {HEALTH}")
    methods = {method.name for method in client.pool.FindServiceByName(OPERATOR).methods}
    must(METHODS <= methods, f"methods are missing: {sorted(METHODS - methods)}")
    must(client.method(OPERATOR, "WatchIncidents").server_streaming, "WatchIncidents is no stream")


def health(client):
    for service in ("", OPERATOR):
        answer = client.call(HEALTH, "Check", service=service)
        status = answer.DESCRIPTOR.fields_by_name["status"].enum_type.values_by_number[answer.status].name
        show("health", f"{service or 'the server'}: {status}")
        must(status == "SERVING", f"{service or 'the server'} is {status}")


def name_of(message, field):
    """The name of an enum field's value."""
    return message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number[getattr(message, field)].name


def hosts(client):
    answer = client.call(OPERATOR, "ListHosts", page_size=500)
    must(len(answer.hosts) > 0, "no hosts")
    for host in answer.hosts:
        show("host", f"{host.host} {name_of(host, 'state')}, {host.checks} checks, {host.frames} frames")
        must(host.host, "a host without a name")
        must(name_of(host, "state") != "HOST_STATE_UNSPECIFIED", f"{host.host} has no state")


def incident(message):
    return (f"{message.id} {name_of(message, 'severity')} {name_of(message, 'state')} r{message.revision}: "
            f"{message.title}")


def incidents(client):
    first = client.call(OPERATOR, "ListIncidents", page_size=1)
    must(len(first.incidents) <= 1, "a page of one has more than one")
    answer = client.call(OPERATOR, "ListIncidents", page_size=500)
    for found in answer.incidents:
        show("incident", incident(found))
        must(found.id > 0 and found.revision > 0 and found.title, "an incident lacks id, revision or title")
    ids = [found.id for found in answer.incidents]
    must(ids == sorted(ids, reverse=True), "incidents are not newest first")
    return ids


def one(client, ids):
    if not ids:
        show("get", "skipped: there are no incidents yet")
        return
    answer = client.call(OPERATOR, "GetIncident", id=ids[0])
    must(answer.incident.id == ids[0], "another incident came back")
    must(len(answer.timeline) > 0, "an incident without a timeline")
    must(answer.finding.root, "an incident without a root")
    show("get", json_format.MessageToJson(answer.incident, indent=None))
    for entry in answer.timeline:
        show("timeline", f"{entry.at.ToJsonString()} {entry.code}: {entry.text}")


def unknown(client):
    try:
        client.call(OPERATOR, "GetIncident", id=2**63)
    except grpc.RpcError as refused:
        show("unknown id", f"{refused.code().name}: {refused.details()}")
        must(refused.code() == grpc.StatusCode.NOT_FOUND, "an unknown id is not NOT_FOUND")
        return
    raise Different("an unknown id was answered")


def watch(client):
    show("watching", f"until one change comes, at most {client.timeout:g} s")
    began = time.monotonic()
    stream = client.call(OPERATOR, "WatchIncidents")
    for change in stream:
        show("change", f"{change.code} after {time.monotonic() - began:.3f} s: {incident(change.incident)}")
        must(change.code and change.resume_token, "a change without code or resume token")
        stream.cancel()
        return
    raise Different("the stream ended without a change")


def connect(args):
    folder = pathlib.Path(args.credentials)
    credentials = grpc.ssl_channel_credentials(
        root_certificates=(folder / "ca.pem").read_bytes(),
        private_key=(folder / "key.pem").read_bytes(),
        certificate_chain=(folder / "cert.pem").read_bytes(),
    )
    options = [("grpc.ssl_target_name_override", args.server_name)] if args.server_name else []
    return grpc.secure_channel(args.addr, credentials, options)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--addr", required=True, help="HOST:PORT of the collector")
    parser.add_argument("--credentials", required=True, help="folder with cert.pem, key.pem, ca.pem of an operator")
    parser.add_argument("--server-name", help="the name in the collector's certificate, where HOST is another one")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds for each call and for the watch")
    parser.add_argument("--no-watch", action="store_true", help="end before the watch")
    args = parser.parse_args()
    try:
        with connect(args) as channel:
            client = Client(channel, args.timeout)
            services(client)
            health(client)
            hosts(client)
            one(client, incidents(client))
            unknown(client)
            if not args.no_watch:
                watch(client)
    except Different as difference:
        print(f"different: {difference}", file=sys.stderr)
        return 1
    except grpc.RpcError as failed:
        print(f"failed: {failed.code().name}: {failed.details()}", file=sys.stderr)
        return 1
    print("all as it must be", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
