"""Which incident plays which scene, and how far the day is: what crews and the director go by."""

from dataclasses import dataclass, field
from typing import Any

from deploy.local.demo.day import Day, Scene
from deploy.local.demo.reporters import Reporters
from deploy.local.demo.witness import Seen

NEVER = 99


@dataclass
class Plot:
    """Puts what is read from `incidents` together with the answers that the reporters got."""

    day: Day
    reporters: Reporters
    views: dict[str, dict[str, Any]] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    """Names of the chapters that are over."""

    def hear(self, record: Seen) -> None:
        """Learn from a record of `incidents`."""
        data = record.data
        if data.get("view"):
            self.views[data["incident_id"]] = data["view"]

    def scene(self, incident_id: str) -> Scene | None:
        """The scene that an incident's first report is from, once that report has been answered."""
        if not (view := self.views.get(incident_id)) or not view["reports"]:
            return None
        scenes = {sent.report_id: sent.scene for sent in self.reporters.accepted}
        name = scenes.get(view["reports"][0]["report_id"])
        return next((scene for scene in self.day.scenes if scene.id == name), None)

    def silent(self, incident_id: str, role: str) -> int:
        """How many escalations of a role's task nobody answers; all of them while that is not known."""
        scene = self.scene(incident_id)
        return NEVER if scene is None else scene.silent.get(role, 0)

    def may_finish(self, incident_id: str) -> bool:
        """Whether everybody has called about it, and its time has come."""
        scene = self.scene(incident_id)
        if scene is None or self.views[incident_id]["report_count"] < len(scene.reports):
            return False
        return scene.until is None or scene.until in self.done

    def closed(self, scene: Scene) -> bool:
        """Whether a scene's incident is over."""
        return any(
            view["lifecycle"] == "closed" and self.scene(incident_id) == scene
            for incident_id, view in self.views.items()
        )
