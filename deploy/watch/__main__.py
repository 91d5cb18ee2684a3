"""`python -m deploy.watch` writes the dashboards again."""

import json
from pathlib import Path

from deploy.watch.dashboards import DASHBOARDS

FOLDER = Path(__file__).parent / "grafana" / "dashboards"


def written() -> dict[Path, str]:
    """Return each dashboard's file and what is to be in it."""
    return {
        FOLDER / f"{name}.json": json.dumps(make(), indent=2, ensure_ascii=False) + "\n"
        for name, make in DASHBOARDS.items()
    }


if __name__ == "__main__":
    for path, text in written().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
