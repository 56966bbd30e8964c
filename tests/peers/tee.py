"""A listener that passes bytes to a server and keeps a copy: what cutd asked, and what was answered, as it was on the wire."""

import http.client
import io
import json
import socket
import threading
from dataclasses import dataclass


@dataclass
class Exchange:
    path: str
    headers: dict
    request: dict
    status: int
    reply: dict


class Tee:
    def __init__(self, port):
        self.port = port
        self.copies = []
        self.threads = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.acceptor = threading.Thread(target=self.accept, daemon=True)
        self.acceptor.start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:  # closed
                return
            server = socket.create_connection(("127.0.0.1", self.port))
            copy = (bytearray(), bytearray())
            self.copies.append(copy)
            for source, target, kept in ((client, server, copy[0]), (server, client, copy[1])):
                self.threads.append(threading.Thread(target=self.pump, args=(source, target, kept), daemon=True))
                self.threads[-1].start()

    @staticmethod
    def pump(source, target, kept):
        try:
            while data := source.recv(65536):
                kept += data
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:  # the other side hung up: its copy ends there as well
            pass

    def exchanges(self):
        """One per connection: cutd uses none twice."""
        for thread in self.threads:
            thread.join(timeout=30)
        return [read_exchange(bytes(asked), bytes(answered)) for asked, answered in self.copies]

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.acceptor.join(timeout=10)


def read_exchange(asked, answered):
    head, _, body = asked.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    reply = http.client.HTTPResponse(Recorded(answered))
    reply.begin()
    text = reply.read()
    return Exchange(lines[0].split(" ")[1], headers, json.loads(body), reply.status, json.loads(text) if text else {})


class Recorded:
    """What http.client takes for a socket."""

    def __init__(self, data):
        self.data = data

    def makefile(self, *_):
        return io.BytesIO(self.data)
