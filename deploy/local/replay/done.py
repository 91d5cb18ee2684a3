"""The small file beside the input that makes a replay resumable: what was answered, line by line."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class OtherFileError(ValueError):
    """The file beside the input is about another input."""


class Done:
    """Appends as answers come; a line that a crash cut off is as if it had never been.

    `accepted` are the ids of reports by line, `rejected` the reasons by line, `start` the offsets by
    `<topic>/<partition>` from which the first run watched.
    """

    def __init__(self, path: Path, digest: str) -> None:
        """Read what is there. Raises OtherFileError."""
        self.path, self._digest = path, digest
        self.accepted: dict[int, str] = {}
        self.rejected: dict[int, str] = {}
        self.start: dict[str, int] | None = None
        entries = _entries(path)
        if entries and entries[0].get("file") != digest:
            raise OtherFileError(f"{path} is about another input: remove it to begin anew")
        for entry in entries:
            self._take(entry)
        if path.exists() and not path.read_bytes().endswith(b"\n"):
            self._write("\n")

    def begin(self, start: Mapping[str, int]) -> None:
        """Note, once, from where the topics are watched."""
        self._add({"file": self._digest, "start": dict(start)})

    def accept(self, number: int, report_id: str) -> None:
        """Note that a line was answered with 202."""
        self._add({"line": number, "report_id": report_id})

    def reject(self, number: int, reason: str) -> None:
        """Note that a line was refused for good."""
        self._add({"line": number, "rejected": reason})

    def __contains__(self, number: int) -> bool:
        return number in self.accepted or number in self.rejected

    def _add(self, entry: dict[str, Any]) -> None:
        self._write(json.dumps(entry) + "\n")
        self._take(entry)

    def _write(self, text: str) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(text)

    def _take(self, entry: dict[str, Any]) -> None:
        if "report_id" in entry:
            self.accepted[entry["line"]] = entry["report_id"]
        elif "rejected" in entry:
            self.rejected[entry["line"]] = entry["rejected"]
        else:
            self.start = entry["start"]


def _entries(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:  # cut off in the middle of writing
            continue
    return found
