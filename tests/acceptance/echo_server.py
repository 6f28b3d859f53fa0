# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A web server that says what it was asked: echo_server.py ADDRESS PORT. It runs on a host of the demo."""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import sys


class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.headers.get("Upgrade") == "websocket":
            self.upgrade()
            return
        names = {name.lower() for name in self.headers}
        body = json.dumps({name: ", ".join(self.headers.get_all(name)) for name in names}).encode()
        self.send_response(200)
        self.send_header("X-Served-By", "echo")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def upgrade(self) -> None:
        """Give back every byte from now on. Rule: RFC 6455, section 4.2.2."""
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accepted = base64.b64encode(hashlib.sha1(key.encode(), usedforsecurity=False).digest()).decode()
        self.send_response_only(101)
        self.send_header("Sec-WebSocket-Accept", accepted)
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", "websocket")
        self.end_headers()
        self.wfile.flush()
        while part := self.connection.recv(1024):
            self.connection.sendall(part)
        self.close_connection = True


if __name__ == "__main__":
    http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Echo).serve_forever()
