"""One server process with the faults tests need: killed, stopped, frozen, started again on the same data."""

import atexit
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Protocol

TRAMPOLINE = Path(__file__).with_name("trampoline.py")
STOP_SECONDS = 15.0
LAST_WORDS = 60  # lines: the cause is above a long stack trace
# The kernel watches the thread that started a process: this one lives until the interpreter exits.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")


class Process(Protocol):
    """What a server runs in. `start` also lets a frozen one go on; `kill` and `close` may find it down."""

    @property
    def running(self) -> bool: ...
    def start(self) -> None: ...
    def kill(self) -> None: ...
    def stop(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def close(self) -> None: ...
    def last_words(self) -> str: ...


class ServerProcess:
    """A command and its log file; it never outlives the Python process that started it.

    `environ` is all of its environment; without it the environment of this process.
    """

    def __init__(self, command: Sequence[str], log: Path, environ: Mapping[str, str] | None = None) -> None:
        self._command = [sys.executable, "-I", "-S", str(TRAMPOLINE), str(os.getpid()), *command]
        self._log = log
        self._environ = environ
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """True while the process exists, frozen or not."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Process id of the last start."""
        assert self._process is not None, "never started"
        return self._process.pid

    def start(self) -> None:
        """Start it, or let it go on when frozen; its output is appended to the log."""
        if self.running:
            self.resume()
        else:
            self._process = _spawner.submit(self._spawn).result()
            atexit.register(self.kill)

    def kill(self) -> None:
        """End it at once (SIGKILL), as a power failure would; nothing to do when it is down."""
        self._signal(signal.SIGKILL)
        self._reap(None)

    def stop(self) -> None:
        """End it in good order (SIGTERM), by force when that takes longer than STOP_SECONDS."""
        self._signal(signal.SIGTERM)
        self.resume()  # a frozen process would not hear it
        try:
            self._reap(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def pause(self) -> None:
        """Freeze it (SIGSTOP): connections stay open and nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen process go on (SIGCONT)."""
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """End it by force; the data stays."""
        self.kill()

    def last_words(self) -> str:
        """The end of its log, for error messages."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-LAST_WORDS:])

    def _spawn(self) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C in the terminal reaches only the launcher, which ends it in order.
        with self._log.open("ab") as output:
            return subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                env=self._environ,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self.running:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def _reap(self, seconds: float | None) -> None:
        if self._process is not None:
            self._process.wait(seconds)
            atexit.unregister(self.kill)
