#!/usr/bin/env python3
# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open the status page of stacks of several sizes in Chromium, check it, and take docs/status.png.

Nothing may be on the console, nothing be requested, no text be outside its box, over another one or outside the page.
With a folder as argument it leaves all pictures there.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / ".ansible" / "collections"))

from ansible_collections.webinfra.stack.plugins.plugin_utils.status.page import page_of
from ansible_collections.webinfra.stack.tests.status_samples import LONG, Sample

WIDTHS = {"desk": 1280, "hand": 390}
PALETTES = ("light", "dark")
SHOWN = ("drained", "desk", "light")
"""The picture of the README."""
PICTURE = ROOT / "docs" / "status.png"
ABOVE_CARDS = "document.querySelector('.tiers').getBoundingClientRect().top + 20"

CHECK = """
(() => {
  const found = [], seen = [];
  const visible = node => node.getClientRects().length > 0;
  const inside = (inner, outer) => inner.left >= outer.left - 1 && inner.right <= outer.right + 1
    && inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1;
  const over = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
  if (document.documentElement.scrollWidth > innerWidth) found.push('the page is wider than the screen');
  for (const text of document.querySelectorAll('svg.picture text')) {
    if (!visible(text)) continue;
    const place = text.getBoundingClientRect(), box = text.parentNode.querySelector(':scope > rect');
    const around = (box || text.ownerSVGElement).getBoundingClientRect();
    if (!inside(place, around)) found.push('outside its box: ' + text.textContent);
    if (place.height < 9) found.push('too small to read: ' + text.textContent);
    for (const other of seen) if (over(place, other.place)) found.push(text.textContent + ' is over ' + other.words);
    for (const rect of document.querySelectorAll('svg.picture rect'))
      if (rect !== box && visible(rect) && over(place, rect.getBoundingClientRect()))
        found.push(text.textContent + ' is over a box');
    seen.push({place, words: text.textContent});
  }
  for (const node of document.querySelectorAll('h1,h2,h3,p,span,dt,dd,li'))
    if (visible(node) && node.scrollWidth > node.clientWidth + 1 && getComputedStyle(node).display !== 'inline')
      found.push('too wide: ' + node.textContent.slice(0, 60));
  if (!seen.length) found.push('there is no picture');
  return found;
})()
"""


def samples() -> dict[str, Sample]:
    return {
        "one": Sample(servers=1, databases=1),
        "three": Sample(servers=3, databases=2, certificate_days=64),
        "twelve": Sample(balancers=2, servers=12, databases=3, shared=True, certificate_days=64, name=LONG),
        "drained": Sample(balancers=2, servers=3, databases=3, shared=True, certificate_days=9).drain("web3"),
        "no_primary": Sample(balancers=2, servers=3, databases=3, shared=True).stop("db1", "web2"),
        "no_balancer": Sample(servers=3).stop("lb1"),
        "hostile": Sample(servers=3, name="<script>alert(1)</script>{}").drain("<script>alert(1)</script>web2"),
    }


class Browser:
    """Chromium, spoken to over two pipes by its own protocol: no port, and no library."""

    def __init__(self, program: str, profile: str) -> None:
        for_browser, self._commands = os.pipe()
        self._answers, from_browser = os.pipe()
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"]
        command = [program, *options, "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"]
        # It reads from descriptor 3 and writes to 4; the shell puts them there.
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{for_browser} 4>&{from_browser}', "bash", *command],
            pass_fds=(for_browser, from_browser),
            stderr=subprocess.DEVNULL,
        )
        os.close(for_browser)
        os.close(from_browser)
        self._numbers = itertools.count(1)
        self._unread = b""
        self._session: str | None = None
        self.events: list[dict[str, t.Any]] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **params: t.Any) -> dict[str, t.Any]:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == number:
                if "error" in answer:
                    raise SystemExit(f"{method}: {answer['error']}")
                return dict(answer["result"])
            self.events.append(answer)

    def open(self, address: str) -> None:
        self.events.clear()
        self.ask("Page.navigate", url=address)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._read())

    def picture(self, height: str = "document.documentElement.scrollHeight") -> bytes:
        """Return the page as far down as an expression says."""
        size = f"[document.documentElement.clientWidth, {height}]"
        width, bottom = self.ask("Runtime.evaluate", expression=size, returnByValue=True)["result"]["value"]
        clip = {"x": 0, "y": 0, "width": width, "height": bottom, "scale": 1}
        shot = self.ask("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        return base64.b64decode(shot["data"])

    def complaints(self, address: str) -> list[str]:
        """Return what stood on the console and what was requested besides the page."""
        found = []
        for event in self.events:
            method, params = event.get("method"), event.get("params", {})
            if method in {"Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"}:
                found.append(f"on the console: {json.dumps(params)[:300]}")
            if method == "Network.requestWillBeSent" and params["request"]["url"] != address:
                found.append(f"requested: {params['request']['url']}")
        return found

    def end(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=10)

    def _read(self) -> dict[str, t.Any]:
        while b"\0" not in self._unread:
            part = os.read(self._answers, 1 << 16)
            if not part:
                raise SystemExit("Chromium has ended; run it by hand to see why: chromium --headless --no-sandbox")
            self._unread += part
        message, _, self._unread = self._unread.partition(b"\0")
        return dict(json.loads(message))


def look(browser: Browser, page: Path, width: int, palette: str) -> tuple[list[str], bytes]:
    """Return what is wrong with a page at a width, and a picture of all of it."""
    browser.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    feature = {"name": "prefers-color-scheme", "value": palette}
    browser.ask("Emulation.setEmulatedMedia", features=[feature])
    browser.open(page.as_uri())
    found = browser.ask("Runtime.evaluate", expression=CHECK, returnByValue=True)["result"]["value"]
    return [*browser.complaints(page.as_uri()), *found], browser.picture()


def main() -> None:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise SystemExit("There is no Chromium. On Debian: apt-get install chromium fonts-dejavu-core")
    wrong = 0
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        browser = Browser(program, str(folder / "profile"))
        stack.callback(browser.end)
        kept = Path(sys.argv[1]) if len(sys.argv) > 1 else None
        for name, sample in samples().items():
            page = folder / f"{name}.html"
            page.write_text(page_of(sample.stack()), encoding="utf-8")
            for (screen, width), palette in itertools.product(WIDTHS.items(), PALETTES):
                found, picture = look(browser, page, width, palette)
                wrong += len(found)
                print(f"{name:12} {screen} {palette:5} {'; '.join(found) or 'is well'}")
                if kept:
                    kept.mkdir(parents=True, exist_ok=True)
                    (kept / f"{name}-{screen}-{palette}.png").write_bytes(picture)
                if (name, screen, palette) == SHOWN:
                    PICTURE.write_bytes(browser.picture(ABOVE_CARDS))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
