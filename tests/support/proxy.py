"""A TCP proxy between programs and one service that makes the network as bad as a test wants it, and counts what it did.

Directions are "up" (client to service), "down" (service to client) and "both".
"""
import collections
import socket
import struct
import threading
import time

CHUNK = 64 << 10
DIRECTIONS = {"up": ("up",), "down": ("down",), "both": ("up", "down")}


class Proxy:
    """Listens on a loopback port until closed. Every method may be called at any time; faults last until heal()."""

    def __init__(self, host, port):
        self.target = (host, port)
        self.fired = collections.Counter()  # how often each fault acted, by the name of the method that made it
        self.passed = collections.Counter()  # bytes by direction
        self.seen = collections.Counter()  # pieces of data by what they held, of what watch() was asked for
        self.changed = threading.Condition()
        self.links = set()
        self.accepted = 0
        self.heal()
        self.server = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    # --- faults ---

    def heal(self):
        """Passes everything on again, also what was held back."""
        with self.changed:
            self.held, self.delays, self.refusing, self.cuts = set(), {}, False, []
            self.changed.notify_all()

    def blackhole(self, direction="both"):
        """Nothing passes any more, no connection ends: what a broken cable looks like."""
        with self.changed:
            self.held = set(DIRECTIONS[direction])

    def latency(self, seconds, direction="both"):
        """Every piece of data comes so much later."""
        with self.changed:
            self.delays = dict.fromkeys(DIRECTIONS[direction], seconds)

    def refuse(self):
        """New connections are reset; those that are open go on."""
        with self.changed:
            self.refusing = True

    def reset(self):
        """Resets every open connection at both ends, once. Returns how many."""
        with self.changed:
            links = list(self.links)
        for link in links:
            link.reset()
        self.fired["reset"] += len(links)
        return len(links)

    def half_close(self, direction):
        """Ends one direction of every open connection, once: its receiver sees the end of the stream, the other direction
        goes on."""
        with self.changed:
            links = list(self.links)
        for link in links:
            link.half_close(direction)
        self.fired["half_close"] += len(links)

    def cut(self, direction, *, match=b"", after=0, forward=True, times=1):
        """Resets a connection at the next piece of data in that direction that contains all of `match` (bytes, or several),
        once `after` bytes of that direction have passed on it. forward: whether that piece still reaches its receiver (at
        `after` > 0: as far as that byte), whose answer is lost. Acts `times` times."""
        match = [match] if isinstance(match, bytes) else list(match)
        with self.changed:
            self.cuts.append({"direction": direction, "match": match, "after": after, "forward": forward, "left": times})

    def watch(self, match):
        """From now on counts in `seen` the pieces of data, of either direction, that hold those bytes."""
        self.seen[match] = 0

    # --- the inside ---

    def accept(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            self.accepted += 1
            if self.refusing:
                self.fired["refuse"] += 1
                abort(client)
                continue
            try:
                upstream = socket.create_connection(self.target, timeout=5)
                upstream.settimeout(None)
            except OSError:  # the service is down: so are we, as far as the client can tell
                abort(client)
                continue
            self.link(client, upstream).start()

    def link(self, client, upstream):
        return Link(self, client, upstream)

    def find_cut(self, direction, data, total):
        """The cut that this piece of data meets, if any; it is used up by that."""
        with self.changed:
            for cut in self.cuts:
                if (cut["left"] and cut["direction"] == direction and total + len(data) >= cut["after"] and
                        all(part in data for part in cut["match"])):
                    cut["left"] -= 1
                    self.fired["cut"] += 1
                    return cut
        return None

    def look(self, data):
        for match in list(self.seen):
            if match in data:
                self.seen[match] += 1

    def wait_turn(self, direction, link):
        """Waits out latency and blackholes. False if the connection ended meanwhile."""
        delay = self.delays.get(direction)
        if delay:
            self.fired["latency"] += 1
            time.sleep(delay)
        with self.changed:
            if direction in self.held:
                self.fired["blackhole"] += 1
            while direction in self.held and link.open:
                self.changed.wait(0.5)
        return link.open

    def close(self):
        self.server.close()
        self.heal()
        self.reset()


class Link:
    """One connection and its other half."""

    def __init__(self, proxy, client, upstream):
        self.proxy, self.open, self.ending = proxy, True, False
        self.done = set()  # directions that have ended
        self.ends = {"up": (client, upstream), "down": (upstream, client)}  # (from, to)
        self.totals = {"up": 0, "down": 0}
        for end in (client, upstream):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def start(self):
        with self.proxy.changed:
            self.proxy.links.add(self)
        for direction in self.directions():
            threading.Thread(target=self.pump, args=(direction,), daemon=True).start()

    def directions(self):
        """One thread each."""
        return list(self.ends)

    def pump(self, direction):
        source, target = self.ends[direction]
        try:
            while data := source.recv(CHUNK):
                if not self.proxy.wait_turn(direction, self):
                    return
                self.proxy.look(data)
                cut = self.proxy.find_cut(direction, data, self.totals[direction])
                if self.ending:  # the answer to what a cut has let through
                    return
                if cut:
                    self.carry_out(cut, direction, data, target)
                    return
                target.sendall(data)
                self.totals[direction] += len(data)
                self.proxy.passed[direction] += len(data)
            if self.proxy.wait_turn(direction, self):
                target.shutdown(socket.SHUT_WR)
        except OSError:
            self.reset()
        finally:
            self.ended(direction)

    def carry_out(self, cut, direction, data, target):
        self.ending = True
        if cut["forward"]:
            target.sendall(data[:max(0, cut["after"] - self.totals[direction])] if cut["after"] else data)
            time.sleep(0.05)  # so that it arrives before the reset overtakes it
        self.reset()

    def half_close(self, direction):
        try:
            self.ends[direction][1].shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def reset(self):
        self.open = False
        for end, _ in self.ends.values():
            abort(end)
        self.forget()

    def ended(self, direction):
        self.done.add(direction)
        if len(self.done) == 2:
            self.open = False
            for end, _ in self.ends.values():
                end.close()
            self.forget()

    def forget(self):
        with self.proxy.changed:
            self.proxy.links.discard(self)


def abort(connection):
    """Closes with a reset. The threads that wait on it wake up."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RD)  # wakes a recv() without a FIN
    except OSError:
        pass
    connection.close()
