"""The properties of recorded units, on files in the archive's form whose values are made up."""

import re

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

import corteval
from corteval import registry
from corteval.cli import cli
from corteval.errors import FetchError
from corteval.requests import Recording, TimeBin
from corteval.testing.subjects import InterposedSubject, RefusingSubject, ReplaySubject
from corteval_marques2020.imitation import (
    RINGACH_BINS,
    TEXTURE_BINS,
    add_freemanziemba2013,
    add_ringach2002,
    ringach_units,
    texture_images,
    texture_units,
)
from corteval_marques2020.recorded import RECORDED
from corteval_marques2020_v1.ideal import ideal_responses

TEXTURES = [name for name, prop in RECORDED.items() if prop.recording.stimuli == "texture"]
PUBLISHED_GROUPS = {
    "V1-orientation": "circular_variance or_bandwidth orth_pref_ratio or_selective "
    "cv_bandwidth_ratio opr_cv_diff",
    "V1-response_selectivity": "modulation_ratio texture_selectivity texture_sparseness "
    "texture_variance_ratio",
    "V1-texture_modulation": "texture_modulation_index abs_texture_modulation_index",
    "V1-response_magnitude": "max_dc max_texture max_noise",
}

#: Properties that shuffling the responses of a unit leaves nearly as they are.
BLIND = ("max_dc", "or_bandwidth")


def benchmark(name):
    return registry.benchmarks.create(f"Marques2020.V1-{name}")


def written(name):
    """Values of the file, and the bins of the published benchmark."""
    column = RECORDED[name].column
    if name in TEXTURES:
        return texture_units()[column], TEXTURE_BINS[column]
    return ringach_units()[column], RINGACH_BINS[column]


def binned(values, edges):
    kept = np.clip(values[~np.isnan(values)], edges[0], edges[-1])
    return np.histogram(kept, edges)[0]


def similarity(model, data):
    """Spec ``marques2020`` section 4, term by term."""
    p, q = model / model.sum(), data / data.sum()
    distance = max(abs(p[: k + 1].sum() - q[: k + 1].sum()) for k in range(len(q)))
    return 1 - distance / max(1 - q[0], 1 - q[-1])


def permuted(name, responses, seed=1):
    """Responses of each unit to the property's own stimuli, given to others of them."""
    table = registry.data.create(f"Marques2020.{name}").stimuli().table
    own = np.flatnonzero(table["stimulus_set"] == RECORDED[name].recording.stimuli)
    values = responses.values.copy()
    values[own] = np.random.default_rng(seed).permuted(values[own], axis=0)
    return responses.copy(data=values)


@pytest.mark.parametrize("name", RECORDED)
def test_ideal_units_have_the_recorded_distribution_and_score_at_the_ceiling(name, recorded):
    tested = benchmark(name)
    score = corteval.score(ReplaySubject(responses=tested.ideal_responses(0)), tested)
    values, edges = written(name)
    np.testing.assert_array_equal(binned(score.samples.values, edges), binned(values, edges))
    assert score.samples.size == len(values)
    # the same distribution, drawn twice a thousand times
    assert score.value == pytest.approx(1, abs=5 * score.raw.error * np.sqrt(2 / 1000))


@pytest.mark.parametrize("name", [n for n in RECORDED if n not in BLIND])
def test_ideal_responses_to_the_wrong_stimuli_of_a_set_score_at_chance(name, recorded):
    """Chance is the score of a flat distribution; that of shuffled curves is another one, near."""
    tested = benchmark(name)
    responses = permuted(name, tested.ideal_responses(0))
    score = corteval.score(ReplaySubject(responses=responses), tested)
    assert score.value <= tested.chance() + 0.1
    if name == "or_selective":  # every curve has some peak and falls on both sides of it
        assert score.value == pytest.approx(tested.chance(), abs=1e-9)
    else:
        assert score.value < 0.8


@pytest.mark.parametrize("name", BLIND)
def test_some_properties_do_not_tell_what_was_shown(name, recorded):
    """A largest response remains one, and random curves are about as narrow as tuned ones."""
    tested = benchmark(name)
    responses = permuted(name, tested.ideal_responses(0))
    assert corteval.score(ReplaySubject(responses=responses), tested).value > 0.8


@pytest.mark.parametrize("name", RECORDED)
def test_units_that_are_all_alike_score_the_closed_form_of_their_bin(name, recorded):
    tested = benchmark(name)
    counts = registry.data.create(f"Marques2020.{name}").assembly()
    data = binned(*written(name))
    place = int(np.searchsorted(np.cumsum(data), data.sum() / 2))  # that of the median
    place = 4 if name == "max_dc" else place  # which rates give every population
    alike = xr.zeros_like(counts).assign_attrs(units_measured=60)
    alike[place] = 60
    stimuli = registry.data.create(f"Marques2020.{name}").stimuli()
    subject = ReplaySubject(responses=ideal_responses(name, stimuli, alike))
    score = corteval.score(subject, tested)
    expected = similarity(np.eye(len(data))[place], data)
    assert score.raw.value == pytest.approx(expected, abs=1e-9)
    assert score.value < 0.9 or name == "or_selective"


@pytest.mark.parametrize("name", RECORDED)
def test_the_ceiling_is_that_of_drawing_the_recorded_values_themselves(name, recorded):
    """Spec ``marques2020`` section 4: rows with NaN are drawn too, and fall into no bin."""
    values, edges = written(name)
    data, rng = binned(values, edges), np.random.default_rng(11)
    draws = [similarity(binned(rng.choice(values, len(values)), edges), data) for _ in range(1000)]
    ceiling = benchmark(name).ceiling()
    error = np.std(draws) * np.sqrt(2 / 1000)
    assert ceiling.value == pytest.approx(np.mean(draws), abs=5 * error)
    assert ceiling.error == pytest.approx(np.std(draws), rel=0.12)


@pytest.mark.parametrize("name", ["circular_variance", "or_selective", "max_noise"])
def test_chance_on_the_data_at_hand_is_told_with_the_score(name, recorded):
    tested = benchmark(name)
    score = corteval.score(ReplaySubject(responses=tested.ideal_responses(0)), tested)
    data = binned(*written(name))
    spread = np.array([0, 1]) if name == "or_selective" else np.ones(len(data))
    expected = similarity(spread, data) / score.ceiling.value
    assert tested.chance() == pytest.approx(expected, abs=1e-12)
    assert f"Chance on these data is {expected:.3f}." in score.notes


def test_groups_are_the_published_ones():
    for group, names in PUBLISHED_GROUPS.items():
        for name in names.split():
            assert corteval.benchmarks.card(f"Marques2020.V1-{name}").parent == group
    assert sum(len(n.split()) for n in PUBLISHED_GROUPS.values()) == len(RECORDED) == 15


@pytest.mark.parametrize("name", RECORDED)
def test_it_asks_for_one_recording_of_v1_and_nothing_is_fetched_for_who_has_none(name, archive):
    assert benchmark(name).requests() == (Recording("V1", (TimeBin(70, 170),)),)
    score = corteval.score(RefusingSubject(), f"Marques2020.V1-{name}")
    assert score.status == "not-applicable"
    assert "V1" in score.reason
    assert not archive.requests


@pytest.mark.parametrize("name", ["circular_variance", "texture_sparseness"])
def test_who_cannot_have_the_file_is_told_what_would_do(name, archive):
    add_freemanziemba2013(archive)
    add_ringach2002(archive)
    for path in archive.bodies:
        archive.statuses[path] = 403
    with pytest.raises(FetchError) as refused:
        corteval.score(corteval.models.create("gabor-45-degrees"), f"Marques2020.V1-{name}")
    assert "403" in str(refused.value)
    assert "provided/Marques2020" in str(refused.value)
    assert "folder" in str(refused.value)


def test_textures_are_shown_once_to_the_population_that_the_gratings_found(recorded):
    shown = []
    responses = benchmark("texture_modulation_index").ideal_responses(0)
    subject = InterposedSubject(
        subject=ReplaySubject(responses=responses),
        change=lambda answer: shown.append(answer.sizes["presentation"]) or answer,
    )
    new = []
    for name in ("circular_variance", "texture_modulation_index", "max_noise", "max_dc"):
        before = sum(shown)
        corteval.score(subject, f"Marques2020.V1-{name}")
        new.append(sum(shown) - before)
    recognised = 32
    mapped = 1 + 3528 + 1 + 1152
    assert new == [mapped + recognised, 450 + recognised, recognised, recognised]


def test_scores_of_textures_do_not_depend_on_what_was_scored_before(recorded):
    responses = benchmark("texture_selectivity").ideal_responses(0)
    subject = ReplaySubject(responses=responses)
    corteval.score(subject, "Marques2020.V1-modulation_ratio")
    after = corteval.score(subject, "Marques2020.V1-texture_selectivity")
    alone = corteval.score(ReplaySubject(responses=responses), "Marques2020.V1-texture_selectivity")
    assert after.value == alone.value
    np.testing.assert_array_equal(after.samples.values, alone.samples.values)


@pytest.mark.slow
def test_filters_see_no_difference_where_texture_and_noise_are_the_same_pictures(archive):
    images = texture_images(pixels=64)
    same = {key: images[(1, *key[1:])] for key in images}
    add_freemanziemba2013(archive, images=same)
    few = {"orientations_degrees": (0.0, 90.0), "spatial_frequencies_cpd": (2.0,)}
    model = corteval.models.create("gabor-filterbank", **few)
    score = corteval.score(model, "Marques2020.V1-abs_texture_modulation_index")
    assert score.samples.size >= 10
    assert (score.samples == 0).all()
    data = binned(*written("abs_texture_modulation_index"))
    assert score.raw.value == pytest.approx(similarity(np.eye(12)[0], data), abs=1e-9)


def test_the_command_line_scores_files_of_the_archive(recorded):
    answer = CliRunner().invoke(
        cli, ["score", "gabor-45-degrees", "Marques2020.V1-or_selective", "--yes"]
    )
    assert answer.exit_code == 0, answer.output
    assert re.search(r"or_selective.*\d\.\d\d", answer.output, re.DOTALL)


def test_a_folder_of_the_users_reaches_the_data(recorded, tmp_path):
    from scipy.io import savemat

    units = 40
    fields = {
        "spont": np.zeros(units), "maxdc": np.full(units, 30.0), "maxfirst": np.full(units, 15.0),
        "orivar": np.linspace(0.1, 0.9, units), "bw": np.full(units, 20.0),
        "po": np.full(units, 0.2),
    }  # fmt: skip
    savemat(tmp_path / "Ringach2002.mat", {"db": {n: v[None] for n, v in fields.items()}})
    options = {"data_options": {"folder": tmp_path}}
    tested = registry.benchmarks.create("Marques2020.V1-circular_variance", **options)
    score = corteval.score(ReplaySubject(responses=tested.ideal_responses(0)), tested)
    assert score.samples.size == units
    assert any("There are 40 units; 304 were published." in note for note in score.notes)
