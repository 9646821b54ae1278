"""Kar2019 on files in the archive's form: times along decoder and presentation, images twice."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import corteval
from corteval import registry
from corteval.cli import cli
from corteval.errors import AssemblyError, OptionError, StimuliError
from corteval.requests import Recording, TimeBin
from corteval.testing.subjects import RefusingSubject, ReplaySubject, shuffled
from corteval_brainscore import catalogue
from corteval_brainscore.imitation import picture
from corteval_temporal.example import ramps

IDS = ["Kar2019-ost", "Kar2019-ost-exact"]
BINS = tuple(TimeBin(start, start + 10) for start in range(70, 250, 10))


@pytest.fixture(scope="module")
def responses():
    """Responses in 18 bins whose onsets are the solution times, and these onsets."""
    return ramps(stimuli=100, neuroids=600, time_bins=18)


@pytest.fixture
def written(archive, responses):
    """The archive's files: 100 images, the first two once more with other times."""
    _, target = responses

    def write(labels_in="table", never=(), twice=2, **coords):
        rng = np.random.default_rng(0)
        ids = target["stimulus_id"].values.tolist()
        order = rng.permutation(len(ids)).tolist()
        order = [*order, *range(twice)]
        rows = [
            {"image_id": ids[n], "filename": f"image_{place:04d}.png", "image_num": place,
             **({"image_label": str(target["truth"].values[n])} if labels_in == "table" else {})}
            for place, n in enumerate(order)
        ]  # fmt: skip
        files = {row["filename"]: picture(place) for place, row in enumerate(rows)}
        archive.add_stimuli("Kar2019", rows, files, source="kar2019")
        times = target.values[order].copy()
        times[len(ids) :] += 500  # the second of two would spoil the score
        times[[place for place, n in enumerate(order) if n in never]] = np.nan
        labels = {"image_label": (("presentation",), target["truth"].values[order].astype(str))}
        archive.add_assembly(
            "Kar2019",
            np.stack([times, -times]),
            ("decoder", "presentation"),
            {
                "decoder": (("decoder",), ["svm", "logistic"]),
                "image_id": (("presentation",), np.array(ids)[order]),
                "i1": (("presentation",), target["i1"].values[order]),
                **(labels if labels_in == "assembly" else {}),
                **coords,
            },
            stimulus_set="Kar2019",
            form="DataAssembly",
            source="kar2019",
        )

    return write


@pytest.mark.parametrize("identifier", IDS)
def test_the_true_generator_scores_at_the_ceiling(written, responses, identifier):
    written()
    score = corteval.score(ReplaySubject(responses=responses[0]), identifier)
    # the short training of the published readout leaves some onsets in the wrong order
    assert score.raw.value > (0.95 if identifier.endswith("-exact") else 0.9)
    assert score.value == pytest.approx(score.raw.value / 0.79)
    assert score.normalization == "r/c" and score.ceiling.value == 0.79
    assert "published constant" in score.ceiling.method


@pytest.mark.parametrize("identifier", IDS)
def test_shuffled_responses_score_at_chance(written, responses, identifier):
    written()
    score = corteval.score(shuffled(ReplaySubject(responses=responses[0]), seed=3), identifier)
    # with objects confused, few images are solved or none
    assert score.status == "undefined" or abs(score.value) < 0.35


@pytest.mark.parametrize("identifier", IDS)
def test_a_subject_without_the_region_is_refused_before_any_compute(archive, written, identifier):
    written()
    score = corteval.score(RefusingSubject(), identifier)
    assert score.status == "not-applicable"
    assert "a recording of IT" in score.reason
    assert not archive.requests  # nothing was downloaded


@pytest.mark.parametrize("identifier", IDS)
def test_subjects_are_asked_what_was_published(written, identifier):
    written()
    benchmark = registry.benchmarks.create(identifier)
    assert benchmark.requests() == (Recording("IT", BINS, trials=44),)
    assert len(BINS) == 18
    assert benchmark.stimuli().visual_degrees == 8


def test_of_an_image_that_is_there_twice_the_first_row_is_kept(written, responses):
    written()
    made = registry.data.create("Kar2019")
    assembly, stimuli = made.assembly(), made.stimuli()
    assert assembly.dims == ("presentation",)
    assert sorted(stimuli.stimulus_ids) == assembly["stimulus_id"].values.tolist()
    assert len(stimuli) == 100 and max(stimuli.table["image_num"].astype(int)) == 99
    _, target = responses
    expected = dict(zip(target["stimulus_id"].values, target.values, strict=True))
    for i, time in zip(assembly["stimulus_id"].values, assembly.values, strict=True):
        assert time == expected[i]


@pytest.mark.parametrize("labels_in", ["table", "assembly"])
def test_the_object_shown_may_be_in_the_table_or_in_the_file(written, responses, labels_in):
    written(labels_in)
    _, target = responses
    assembly = registry.data.create("Kar2019").assembly()
    expected = dict(zip(target["stimulus_id"].values, target["truth"].values, strict=True))
    assert dict(zip(assembly["stimulus_id"].values, assembly["truth"].values, strict=True)) == (
        expected
    )


def test_images_that_are_never_solved_have_an_infinite_time(written, responses):
    written(never=(5, 6, 7))
    assembly = registry.data.create("Kar2019").assembly()
    assert np.isinf(assembly.values).sum() == 3
    score = corteval.score(ReplaySubject(responses=responses[0]), "Kar2019-ost-exact")
    assert score.raw.value > 0.95


def test_another_decoder_can_be_named_and_an_unknown_one_is_refused(written):
    written()
    svm, logistic = (registry.data.create("Kar2019", decoder=d) for d in ("svm", "logistic"))
    np.testing.assert_array_equal(svm.assembly(), -logistic.assembly())
    with pytest.raises(OptionError, match="No decoder 'knn'; there are svm, logistic"):
        registry.data.create("Kar2019", decoder="knn").assembly()
    with pytest.raises(OptionError, match=r"nor the stimulus table has 'object'.*truth="):
        registry.data.create("Kar2019", truth="object").assembly()


def test_files_that_are_not_in_the_archive_are_named(written, archive):
    written()
    rows = [{"image_id": "stimulus-000", "filename": "lost.png", "image_label": "object-0"}]
    archive.add_stimuli("Kar2019", rows, {"found.png": picture(0)})
    with pytest.raises(StimuliError, match=r"1 of 1 files .* not in the archive: lost\.png"):
        registry.data.create("Kar2019").stimuli()


def test_a_file_of_another_form_is_refused(archive):
    archive.add_stimuli("Kar2019", [{"image_id": "a", "filename": "a.png"}], {"a.png": picture(0)})
    ids = {"image_id": (("presentation",), ["a"])}
    archive.add_assembly("Kar2019", [1.0], ("presentation",), ids, stimulus_set="Kar2019",
                         form="DataAssembly")  # fmt: skip
    with pytest.raises(AssemblyError, match="without i1; solution times are"):
        registry.data.create("Kar2019").assembly()


def test_a_model_that_does_not_change_in_time_has_no_score(written, responses):
    written()
    still = responses[0].copy(data=np.repeat(responses[0].values[:, :, -1:], 18, axis=2))
    score = corteval.score(ReplaySubject(responses=still), "Kar2019-ost-exact")
    assert score.status == "undefined"
    assert "the same in all 18 time bins" in score.reason


def test_the_command_line_says_why_pixels_have_no_score(written):
    written()
    result = CliRunner().invoke(cli, ["score", "pixels", "Kar2019-ost", "--yes", "--json"])
    assert result.exit_code in (0, 3), result.output
    answer = json.loads(result.stdout)
    (found,) = [s for s in answer.get("scores", [answer]) if s["model"] == "pixels"]
    assert found["status"] == "undefined"
    assert "the same in all 18 time bins" in found["reason"]


def test_the_card_pins_the_files_of_the_archive():
    """What is asked for before a download is what is downloaded."""
    card = registry.data.card("Kar2019")
    theirs = catalogue.files(catalogue.find("Kar2019"))
    assert [(r.url, r.sha1) for r in card.resources] == [(r.url, r.sha1) for r in theirs]
