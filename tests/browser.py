"""A headless browser that the tests drive: the DevTools protocol over a pair of pipes, and nothing else.

https://chromedevtools.github.io/devtools-protocol/: with `--remote-debugging-pipe` the browser reads commands on file
descriptor 3 and writes answers and events on 4, each a JSON object that ends with a zero byte.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATIENCE = 60  # seconds until a browser that does not answer is ended


def find() -> str | None:
    """The path of a browser, if there is any; `SAFEPICKLE_BROWSER` names another."""
    return os.environ.get("SAFEPICKLE_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One page of one browser, which has no network."""

    def __init__(self, folder: Path) -> None:
        (here, theirs), (answers, back) = os.pipe(), os.pipe()
        options = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-extensions", "--host-resolver-rules=MAP * ~NOTFOUND",
            "--remote-debugging-pipe", f"--user-data-dir={folder / 'profile'}", "--window-size=1280,900", "about:blank",
        ]  # fmt: skip
        command = f'exec 3<&{here} 4>&{back}; exec "$0" "$@"'
        self._process = subprocess.Popen(
            ["bash", "-c", command, find() or "", *options],
            pass_fds=(here, back), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(here)
        os.close(back)
        self._to = os.fdopen(theirs, "wb", buffering=0)
        self._from = os.fdopen(answers, "rb")
        self._rest = b""
        self._last = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        self._end = threading.Timer(0, lambda: None)
        target = next(each for each in self.call("Target.getTargets")["targetInfos"] if each["type"] == "page")
        found = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = found["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """The answer to a command; events that come before it are kept in `events`."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._end.cancel()
        self._end = threading.Timer(PATIENCE, self._process.kill)
        self._end.daemon = True
        self._end.start()
        self._to.write(json.dumps(message).encode() + b"\0")
        while True:
            found = self._next()
            if found.get("id") == self._last:
                assert "error" not in found, found
                return found["result"]
            self.events.append(found)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            chunk = os.read(self._from.fileno(), 1 << 16)
            assert chunk, "the browser has gone, or did not answer in time"
            self._rest += chunk
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def run(self, script: str) -> Any:
        """What a script gives; of a promise, what it comes to."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def open(self, page: Path) -> None:
        """Load a page, until its own script has run."""
        self.events.clear()
        self.call("Page.navigate", url=page.as_uri())
        here = json.dumps(page.as_uri())
        asked = f"location.href === {here} && document.documentElement?.dataset.ready === 'yes'"
        while self.call("Runtime.evaluate", expression=asked, returnByValue=True)["result"].get("value") is not True:
            time.sleep(0.02)

    def prefer(self, scheme: str) -> None:
        """Be a browser of somebody who likes it light, or dark."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, scale: float | None = None) -> bytes:
        """What it looks like, as PNG: what the window shows, or the beginning of the page on a smaller scale."""
        clip = {"x": 0, "y": 0, "width": 1200, "height": 700, "scale": scale}
        asked = {} if scale is None else {"clip": clip}
        return base64.b64decode(self.call("Page.captureScreenshot", format="png", **asked)["data"])

    def said(self, method: str) -> list[dict[str, Any]]:
        """The events of a kind since the page was opened."""
        self.run("new Promise((done) => setTimeout(done, 50))")
        return [event["params"] for event in self.events if event.get("method") == method]

    def close(self) -> None:
        """End it."""
        self._end.cancel()
        self._to.close()
        self._process.kill()
        self._process.wait()
        self._from.close()
