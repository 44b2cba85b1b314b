"""Open a page in headless Chromium, and run a script in it."""

import base64
import hashlib
import json
import re
import subprocess
from pathlib import Path
from typing import Any

QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--enable-logging=stderr",
]


def dump(browser: str, folder: Path, page: Path, *options: str) -> tuple[str, str, str]:
    """DOM of the page after loading, messages of the browser, and its network log."""
    netlog = folder / "net.json"
    command = [browser, *QUIET, *options, f"--user-data-dir={folder / 'profile'}", f"--log-net-log={netlog}"]
    done = subprocess.run([*command, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stdout, done.stderr
    return done.stdout, done.stderr, netlog.read_text()


def console(log: str) -> list[str]:
    """Messages of the page in the log of the browser."""
    return [line for line in log.splitlines() if "CONSOLE" in line]


def run_script(browser: str, folder: Path, page: Path, script: str, *options: str) -> Any:
    """Run a script in a page under its content security policy, to which only the digest of this script is added.

    Parameters
    ----------
    browser
        Path of Chromium.
    folder
        Folder for a copy of the page.
    page
        The page.
    script
        Body of a function; it returns what JSON represents.
    *options
        Options of Chromium.

    Returns
    -------
    Any
        What the script returned. The page must not have written to the console.
    """
    body = (
        "{const result = (() => {" + script + "})();const output = document.createElement('pre');"
        "output.id = 'returned';output.textContent = JSON.stringify(result);document.body.append(output);}"
    )
    digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
    text = page.read_text(encoding="utf-8")
    text, n_policies = re.subn(r"script-src ('none')?", f"script-src 'sha256-{digest}' ", text, count=1)
    assert n_policies == 1
    copy = folder / "driven.html"
    copy.write_text(text.replace("</body>", f"<script>{body}</script></body>"), encoding="utf-8")
    dom, log, _ = dump(browser, folder, copy, *options)
    assert console(log) == []
    returned = re.search(r'<pre id="returned">(.*?)</pre>', dom, flags=re.DOTALL)
    assert returned, log
    return json.loads(returned[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
