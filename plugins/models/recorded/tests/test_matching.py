import pytest

from corteval.errors import OptionError
from corteval_recorded.matching import rule

TRIAL = "0001_s5n_s01_0_bird_00_bird3-bird2.png"


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("exact", f"stimuli/{TRIAL}", f"stimuli/{TRIAL}"),
        ("name", f"stimuli/{TRIAL}", TRIAL),
        ("name", rf"C:\stimuli\{TRIAL}", TRIAL),
        ("stem", "a/b/dog.1.png", "dog.1"),
        ("stem", "a/.hidden", ".hidden"),
        ("stem", "plain", "plain"),
        ("model-vs-human", TRIAL, "0_bird_00_bird3-bird2.png"),
        ("model-vs-human", "0042_s5n_dnn_0_bird_00_bird3-bird2.png", "0_bird_00_bird3-bird2.png"),
        ("model-vs-human", "bird3-bird2.png", "bird3-bird2.png"),
        ("model-vs-human-image", TRIAL, "bird3-bird2.png"),
        ("model-vs-human-image", "style/bird/bird3-bird2.png", "bird3-bird2.png"),
        (
            "model-vs-human-image",
            "0001_eid_s01_1-10-10_oven_10_n04111531_17072.png",
            "n04111531_17072.png",
        ),
    ],
)
def test_rules_keep_what_they_say(name, text, wanted):
    assert rule(name)(text) == wanted


def test_an_unknown_rule_names_the_known_ones():
    with pytest.raises(OptionError, match="no rule 'fuzzy' to match by; known are exact, name"):
        rule("fuzzy")


def test_recorded_names_become_the_names_of_the_image_files(mirror):
    import csv

    root = mirror / "raw.githubusercontent.com"
    (table,) = root.glob("bethgelab/model-vs-human/*/raw-data/edge/edge_subject-01_session_1.csv")
    with table.open() as file:
        recorded = {rule("model-vs-human-image")(row["imagename"]) for row in csv.DictReader(file)}
    files = root.glob("rgeirhos/texture-vs-shape/*/stimuli/edges/*/*.png")
    shown = {rule("model-vs-human-image")(str(file)) for file in files}
    assert len(recorded) == 160
    assert shown == recorded
