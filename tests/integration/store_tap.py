"""A proxy before the store that notes which process sends which command: round trips as the server sees them."""
import socket
import struct
import threading

import bson

OP_QUERY, OP_MSG = 2004, 2013


class Command:
    """One request of a worker: its process ("host.kind.pid.start"), the command's name, its collection, its body."""

    def __init__(self, who, body, documents):
        self.who, self.body, self.documents = who, body, documents
        self.name = next(iter(body))
        self.collection = body[self.name]

    @property
    def kind(self):
        return self.who.rsplit(".", 3)[1] if self.who.count(".") >= 3 else self.who

    def updates(self):
        """What an update command sets, as the names of its fields and operators."""
        found = []
        for one in self.documents:
            found.append({name for part in one["u"].values() if isinstance(part, dict) for name in part})
        return found

    def __repr__(self):
        return f"{self.who} {self.name} {self.collection} {len(self.documents)}"


class Tap:
    def __init__(self, host, port):
        self.target = (host, port)
        self.commands = []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            upstream = socket.create_connection(self.target)
            threading.Thread(target=self.listen, args=(client, upstream), daemon=True).start()
            threading.Thread(target=pump, args=(upstream, client), daemon=True).start()

    def listen(self, client, upstream):
        """Messages one by one; the first names the process (client.application.name)."""
        reader = client.makefile("rb")
        who = "?"
        try:
            while head := reader.read(16):
                length, _, _, code = struct.unpack("<iiii", head)
                message = head + reader.read(length - 16)
                command = decode(code, message)
                if command:
                    body, documents = command
                    who = body.get("client", {}).get("application", {}).get("name", who)
                    self.commands.append(Command(who, body, documents))
                upstream.sendall(message)
        except OSError:
            pass
        finally:
            close(upstream)
            close(client)

    def close(self):
        self.server.close()

    def of(self, kind, start=0):
        """The commands of that kind of worker, without what is not about records."""
        quiet = {"ismaster", "isMaster", "hello", "ping", "endSessions"}
        return [one for one in self.commands[start:] if one.kind == kind and one.name not in quiet]


def close(connection):
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    connection.close()


def pump(source, target):
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
    except OSError:
        pass
    close(target)


def decode(code, message):
    """(body, documents of its sections) of a command, None of what is none."""
    if code == OP_QUERY:  # the handshake
        at = message.index(b"\0", 20) + 1 + 8
        return bson.decode(message[at:at + struct.unpack_from("<i", message, at)[0]]), []
    if code != OP_MSG:
        return None
    at, body, documents = 20, None, []
    while at < len(message):
        kind, at = message[at], at + 1
        length = struct.unpack_from("<i", message, at)[0]
        if kind == 0:
            body = bson.decode(message[at:at + length])
        else:
            inner = message.index(b"\0", at + 4) + 1
            while inner < at + length:
                size = struct.unpack_from("<i", message, inner)[0]
                documents.append(bson.decode(message[inner:inner + size]))
                inner += size
        at += length
    for name in ("updates", "documents", "deletes"):
        documents += body.get(name, [])
    return body, documents
