"""A name server on loopback whose every answer is as it was told, and how a program is made to ask it."""
import os
import socket
import struct
import threading

NXDOMAIN, SERVFAIL = 3, 2


class Names:
    """answers: name -> an address, or a response code, or a list of those: one for each time the name is looked up.

    Port 53, because resolv.conf(5) knows no other: PermissionError where that is not allowed. An address of this process's
    own, so that others may do the same. Silent about names it was not told."""

    def __init__(self, directory):
        address = f"127.77.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"
        self.answers, self.asked = {}, []  # asked: (name, type) of each question
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 53))
        self.file = directory / "resolv.conf"
        self.file.write_text(f"nameserver {address}\noptions timeout:1 attempts:1\n")
        self.closing = False
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def wrap(self):
        """The words before a command that then asks here; it needs the right to mount."""
        return ("unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"', str(self.file))

    def count(self, name):
        """How often an IPv4 address of the name was asked for."""
        return self.asked.count((name, 1))

    def serve(self):
        while True:
            question, sender = self.socket.recvfrom(512)
            if self.closing:
                return
            name, end = read_name(question)
            kind = struct.unpack("!H", question[end:end + 2])[0]
            self.asked.append((name, kind))
            if name in self.answers:
                self.socket.sendto(self.answer(name, kind, question[:end + 4]), sender)

    def answer(self, name, kind, question):
        said = self.answers[name]
        if isinstance(said, list):
            said = said[min(max(0, self.count(name) - 1), len(said) - 1)]
        code, record = (said, b"") if isinstance(said, int) else (0, b"")
        if not isinstance(said, int) and kind == 1:
            record = struct.pack("!HHHIH", 0xC00C, 1, 1, 0, 4) + socket.inet_aton(said)
        return question[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, 1 if record else 0, 0, 0) + question[12:] + record

    def close(self):
        self.closing = True
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.sendto(b"", self.socket.getsockname())  # closing alone wakes no recvfrom
        self.thread.join(5)
        self.socket.close()


def read_name(question):
    """(the name asked for, where it ends)."""
    labels, at = [], 12
    while question[at]:
        labels.append(question[at + 1:at + 1 + question[at]].decode().lower())
        at += 1 + question[at]
    return ".".join(labels), at + 1
