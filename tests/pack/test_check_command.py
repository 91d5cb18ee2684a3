"""`ruamjai pack check` tells an operator what is wrong before a service does."""

from pathlib import Path

from click.testing import CliRunner

from shared.cli import main
from shared.pack import DEMO
from shared.pack.load import FILE
from tests.pack.packs import small, written


def test_a_sound_pack_is_summed_up() -> None:
    run = CliRunner().invoke(main, ["pack", "check", str(DEMO)])
    assert run.exit_code == 0
    assert run.output == "phetchabun is sound: 11 areas, 19 desks, 40 units, 3 zones\n"


def test_a_wrong_pack_ends_with_every_reason_on_a_line_of_its_own(tmp_path: Path) -> None:
    files = small()
    files[FILE]["triage_desk"] = "nobody"
    files[FILE]["desks"][2]["areas"] = ["99"]
    run = CliRunner().invoke(main, ["pack", "check", str(written(tmp_path, files))])
    assert run.exit_code == 1
    assert run.output.splitlines()[1:] == [
        "pack.yaml: triage_desk: nobody is no desk of the pack",
        "pack.yaml: desks: east: no boundary is in the area 99",
    ]


def test_a_folder_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    assert CliRunner().invoke(main, ["pack", "check", str(tmp_path / "none")]).exit_code == 2
