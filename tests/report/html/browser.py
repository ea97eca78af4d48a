"""One headless Chromium for many pages, spoken to over two pipes in the words of its DevTools."""

from __future__ import annotations

import base64
import json
import os
import select
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Self

#: How long one answer may take on a busy machine.
DEADLINE_S = 60.0


class Browser:
    """Chromium with one page; close it, or use it in a `with`."""

    def __init__(self, profile: Path) -> None:
        ours, theirs = os.pipe(), os.pipe()
        # Chromium reads commands from descriptor 3 and writes answers to descriptor 4.
        command = (
            'exec 3<&"$1" 4>&"$2"; shift 2; exec chromium --headless --no-sandbox --disable-gpu --no-first-run '
            '--disable-dev-shm-usage --remote-debugging-pipe --hide-scrollbars "$@" about:blank'
        )
        self._process = subprocess.Popen(
            ["bash", "-c", command, "bash", str(ours[0]), str(theirs[1]), f"--user-data-dir={profile}"],
            pass_fds=(ours[0], theirs[1]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(ours[0])
        os.close(theirs[1])
        self._out, self._in = ours[1], theirs[0]
        self._rest = b""
        self._number = 0
        self._session = ""
        self.events: list[dict[str, Any]] = []
        page = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End Chromium and all its processes."""
        os.close(self._out)
        os.close(self._in)
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Ask for something and return the answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next(method)
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.events.append(answer)

    def wait_for(self, event: str) -> None:
        """Wait until something has happened since the last `open`."""
        while not any(seen.get("method") == event for seen in self.events):
            self.events.append(self._next(event))

    def _next(self, what: str) -> dict[str, Any]:
        end = time.monotonic() + DEADLINE_S
        while b"\0" not in self._rest:
            left = end - time.monotonic()
            assert left > 0, f"waited {DEADLINE_S} s for Chromium to answer {what}"
            if select.select([self._in], [], [], left)[0]:
                data = os.read(self._in, 1 << 20)
                assert data, f"Chromium ended before it answered {what}"
                self._rest += data
        line, _, self._rest = self._rest.partition(b"\0")
        return json.loads(line)

    def open(
        self, path: Path, *, width: int = 1280, height: int = 900, dark: bool = False, link: str = ""
    ) -> None:
        """Show a file at a width, and wait until it is loaded."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media="", features=[scheme])
        # By way of nothing: from a page to a place in itself nothing would be loaded.
        for url in ("about:blank", path.as_uri() + link):
            self.events.clear()
            self.call("Page.navigate", url=url)
            self.wait_for("Page.loadEventFired")

    def eval(self, expression: str) -> Any:
        """Return the value of a JavaScript expression in the page."""
        done = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def press(self, key: str) -> None:
        """Press a key and let it go."""
        more = {"text": key} if len(key) == 1 else {"windowsVirtualKeyCode": 9} if key == "Tab" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **more)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def complaints(self) -> list[str]:
        """Return errors, warnings and messages of the page since it was opened, and what it asked of a network."""
        self.eval("0")  # what was said before is heard before
        found = []
        for event in self.events:
            params = event.get("params", {})
            match event.get("method"):
                case "Runtime.exceptionThrown":
                    details = params["exceptionDetails"]
                    found.append(str(details.get("exception", {}).get("description") or details["text"]))
                case "Log.entryAdded":
                    found.append(params["entry"]["text"])
                case "Runtime.consoleAPICalled":
                    found.append(f"console: {params['args']}")
                case "Network.requestWillBeSent" if params["type"] != "Document":
                    found.append(f"asked for {params['request']['url']}")
                case "Page.javascriptDialogOpening":
                    found.append(f"dialog: {params['message']}")
                case _:
                    pass
        return found

    def picture(self, path: Path, *, whole: bool = True) -> None:
        """Write a PNG of the page."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))
