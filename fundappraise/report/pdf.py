"""report.html → report.pdf through the browser that is on the machine: Edge, Chrome or Chromium.

No browser of our own and no library: a browser prints the paper's page numbers and breaks as it shows them. Where none
is found, or it fails, the caller gets one sentence on how to print by hand.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

NAMES = (
    "msedge", "microsoft-edge", "microsoft-edge-stable", "google-chrome", "google-chrome-stable", "chrome", "chromium",
    "chromium-browser",
)  # fmt: skip
"""Commands sought on the path."""

MAC_PLACES = (
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)

WINDOWS_PLACES = (
    r"Microsoft\Edge\Application\msedge.exe",
    r"Google\Chrome\Application\chrome.exe",
    r"Chromium\Application\chrome.exe",
)
"""Below Program Files and the user's own programs; Windows does not put browsers on the path."""

TIMEOUT = 90.0
"""Seconds after which a browser that hangs is stopped."""


def print_pdf(html_path: Path, pdf_path: Path, *, browser: str | None = None, timeout: float = TIMEOUT) -> str | None:
    """Print the paper.

    Parameters
    ----------
    html_path, pdf_path
        The paper, and the file to write. Nothing is left behind when printing fails.
    browser
        The browser to use; by default the first one found.
    timeout
        Seconds it may take.

    Returns
    -------
    str or None
        None when the PDF is there, otherwise one sentence that says how to print by hand.
    """
    program = browser or find_browser()
    if program is None:
        return f"No Edge, Chrome or Chromium was found: open {html_path.name} in a browser and print it to PDF."
    with tempfile.TemporaryDirectory(prefix="fundappraise-", ignore_cleanup_errors=True) as scratch:
        made = Path(scratch) / "paper.pdf"  # moved when finished: no half-written file under the final name
        failure = _run(_command(program, html_path, made, Path(scratch) / "profile"), timeout)
        if failure is None and made.is_file() and made.read_bytes()[:5] == b"%PDF-":
            try:
                shutil.move(made, pdf_path)
            except OSError as error:
                return f"{pdf_path.name} could not be written ({error.strerror}): close it, and print {html_path.name}."
            return None
    why = failure or "it gave no file"
    return f"{Path(program).name} did not print the paper ({why}): open {html_path.name} in a browser and print it to PDF."


def find_browser(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> str | None:
    """The first browser found: on the path, else where Windows and macOS keep them."""
    for name in NAMES:
        found = shutil.which(name, path=environment.get("PATH"))
        if found:
            return found
    return next((str(place) for place in _places(environment, platform) if place.is_file()), None)


def _places(environment: Mapping[str, str], platform: str) -> Iterator[Path]:
    if platform == "darwin":
        yield from (Path(place) for place in MAC_PLACES)
    if platform == "win32":
        for variable in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"):
            if environment.get(variable):
                yield from (Path(environment[variable], *place.split("\\")) for place in WINDOWS_PLACES)


def _command(program: str, html_path: Path, pdf_path: Path, profile: Path) -> list[str]:
    options = [
        "--headless", "--disable-gpu", "--no-first-run", "--no-default-browser-check", "--disable-extensions",
        "--disable-background-networking", "--disable-sync", "--no-pdf-header-footer",
        f"--user-data-dir={profile}", f"--print-to-pdf={pdf_path}",
    ]  # fmt: skip
    if _is_root_on_linux():
        options.append("--no-sandbox")  # Chromium refuses to start as root with its sandbox; the page is our own file
    return [program, *options, html_path.resolve().as_uri()]


def _is_root_on_linux() -> bool:
    return sys.platform.startswith("linux") and os.geteuid() == 0


def _run(command: list[str], timeout: float) -> str | None:
    """None when the program ended well, otherwise why not."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              timeout=timeout, check=False)  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"it took more than {timeout:g} s"
    except OSError as error:
        return error.strerror or "it could not be started"
    return None if done.returncode == 0 else f"it ended with code {done.returncode}"
