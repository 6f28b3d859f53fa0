# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes what Alertmanager sends, and writes a line for each alert. Runs on the monitoring host."""

from __future__ import annotations

import http.server
import json
import sys


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with open(sys.argv[2], "a", encoding="utf-8") as file:
            for alert in body["alerts"]:
                said = {
                    "alert": alert["labels"]["alertname"],
                    "status": alert["status"],
                    "token": self.headers["Authorization"],
                    "annotations": alert["annotations"],
                }
                file.write(json.dumps(said) + "\n")
        self.send_response(200)
        self.end_headers()


if __name__ == "__main__":
    http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
