"""A client as anybody would write it, from the specification alone: REQ, HMAC, JSON."""

import hashlib
import hmac
import json
import resource
import sys
import uuid

import zmq

with open(sys.argv[1], encoding="utf-8") as file:
    connection = json.load(file)
key = connection["key"].encode()
context = zmq.Context()
context.set(zmq.MAX_SOCKETS, 2000)


def open_socket(kind):
    socket = context.socket(kind)
    socket.linger = 0
    socket.rcvtimeo = 60_000
    socket.connect(connection["endpoint"])
    return socket


def sign(document):
    return hmac.new(key, document, hashlib.sha256).hexdigest().encode()


def document_of(request_type, params, request_id):
    return json.dumps({
        "id": request_id,
        "version": "1.0.0",
        "timestamp": "2026-01-20T10:30:00Z",
        "payload": {"type": "Request", "data": {"request_type": request_type, "params": params}},
    }).encode()


def ask(socket, request_type, params):
    request_id = str(uuid.uuid4())
    document = document_of(request_type, params, request_id)
    socket.send_multipart([sign(document), document])
    return receive(socket, request_id)


def receive(socket, request_id):
    signature, document = socket.recv_multipart()
    assert hmac.compare_digest(signature, sign(document)), "the answer is not signed"
    answer = json.loads(document)
    assert answer["id"] == request_id, answer
    return answer["payload"]["data"]


def expect_error(socket, frames, code):
    socket.send_multipart(frames)
    data = json.loads(socket.recv_multipart()[-1])["payload"]["data"]
    assert (data["response_type"], data["data"]["code"]) == ("Error", code), data


# Ping and Evaluate, lock-step.
req = open_socket(zmq.REQ)
pong = ask(req, "Ping", {"message": "hello"})
assert (pong["response_type"], pong["data"]["message"]) == ("Ping", "hello"), pong
for code, result in [("3 + 4", "7"), ("'日本語 🎉 €' size", "7"), ("(1 to: 5) collect: [ :x | x squared ]", "#(1 4 9 16 25)")]:
    answer = ask(req, "Evaluate", {"code": code})
    assert answer["data"]["result"] == result, answer
error = ask(req, "Evaluate", {"code": "1/0"})
assert error["data"]["has_error"] and error["data"]["error"]["class_name"] == "ZeroDivide", error

# What is bad gets an error, and the connection goes on.
expect_error(req, [b"garbage"], "PermissionDenied")
expect_error(req, [b""], "InvalidRequest")
expect_error(req, [sign(b"garbage"), b"garbage"], "InvalidRequest")
large = b'"' + b"x" * (11 * 1024 * 1024) + b'"'
expect_error(req, [sign(large), large], "InvalidRequest")
ping = document_of("Ping", {}, str(uuid.uuid4()))
expect_error(req, [b"0" * 64, ping], "PermissionDenied")
expect_error(req, [ping], "PermissionDenied")
assert ask(req, "Ping", {})["data"]["status"] == "ok"

# A DEALER without the delimiter.
dealer = open_socket(zmq.DEALER)
assert ask(dealer, "Evaluate", {"code": "6 * 7"})["data"]["result"] == "42"

# A request sent twice under one id runs once.
session = ask(req, "CreateSession", {"client_id": "python"})["data"]["session_id"]
ask(req, "Evaluate", {"code": "count := 0", "session_id": session})
request_id = str(uuid.uuid4())
twice = document_of("Evaluate", {"code": "count := count + 1", "session_id": session}, request_id)
for _ in range(2):
    dealer.send_multipart([sign(twice), twice])
    assert receive(dealer, request_id)["data"]["result"] == "1"
assert ask(req, "Evaluate", {"code": "count", "session_id": session})["data"]["result"] == "1"

# Five hundred clients at once.
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
crowd = [open_socket(zmq.REQ) for _ in range(500)]
ids = []
for number, socket in enumerate(crowd):
    request_id = str(uuid.uuid4())
    document = document_of("Evaluate", {"code": f"{number} * 2"}, request_id)
    socket.send_multipart([sign(document), document])
    ids.append(request_id)
for number, (socket, request_id) in enumerate(zip(crowd, ids)):
    assert receive(socket, request_id)["data"]["result"] == str(number * 2)
for socket in crowd:
    socket.close()
assert ask(req, "Ping", {})["data"]["status"] == "ok"
