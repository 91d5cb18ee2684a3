"""`python -m shared.contracts [docs]` writes the published contract: schemas, AsyncAPI, the topics page."""

import json
import sys
from pathlib import Path
from typing import Any

from shared.contracts.asyncapi import document
from shared.contracts.reference import topics_page
from shared.contracts.schemas import envelope_schema, schemas


def artifacts() -> dict[str, str]:
    """Return the text of every generated file, by its path under `docs/`."""
    files = {f"contracts/schemas/{name}.json": _json(schema) for name, schema in schemas().items()}
    return files | {
        "contracts/schemas/envelope.json": _json(envelope_schema()),
        "contracts/asyncapi.json": _json(document()),
        "reference/topics.md": topics_page(),
    }


def write(docs: Path) -> None:
    """Write every generated file under `docs` and remove schemas of types that are no more."""
    files = artifacts()
    for path in (docs / "contracts/schemas").glob("*.json"):
        if str(path.relative_to(docs)) not in files:
            path.unlink()
    for name, text in files.items():
        (docs / name).parent.mkdir(parents=True, exist_ok=True)
        (docs / name).write_text(text, encoding="utf-8")


def _json(node: dict[str, Any]) -> str:
    return json.dumps(node, ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
