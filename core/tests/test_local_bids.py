"""BIDS derivatives: tables of regions, images of voxels, and what is refused."""

import gzip
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from corteval.errors import DatasetError, OptionError
from corteval.local.description import Description, Responses
from corteval.local.exchange.packing import differences, export
from corteval.local.formats.bids import entities, read
from corteval.local.loading import load_assembly, load_stimuli
from corteval.stimuli import StimulusSet

nibabel = pytest.importorskip("nibabel", reason="the extra corteval[bids] is not installed")

IDS = ["s1", "s2", "s3"]
AFFINE = np.diag([2.0, 2.0, 2.0, 1.0])


def stimuli(ids=IDS):
    table = pd.DataFrame({"text": ids}, index=pd.Index(ids, name="stimulus_id"))
    return StimulusSet(identifier="shown", modality="text", table=table)


def described(folder, **responses):
    return Description(
        folder=folder,
        id="Lab2026",
        modality="text",
        stimuli="stimuli.csv",
        responses=Responses(**{"file": "derivatives", "target": "language", **responses}),
    )


def place(folder, name):
    entity = entities(name)
    parts = [f"{key}-{entity[key]}" for key in ("sub", "ses") if key in entity]
    path = folder.joinpath("derivatives", *parts, "func", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def table(folder, name, shown, column="stim_id", **regions):
    frame = pd.DataFrame({"onset": np.arange(len(shown)) * 2.0, column: shown, **regions})
    frame.to_csv(place(folder, name), sep="\t", index=False, na_rep="n/a")


def image(folder, name, values, affine=AFFINE):
    nibabel.save(nibabel.Nifti1Image(values, affine), place(folder, name))


def volumes(folder, name, shown):
    pd.DataFrame({"stim_id": shown}).to_csv(place(folder, name), sep="\t", index=False)


# Tables


def test_rows_of_a_subject_are_trials_in_order_of_session_and_run(tmp_path):
    for run, (shown, v1) in {
        "ses-1_task-x_run-2": (["s1", "s3"], [3.0, 4.0]),
        "ses-1_task-x_run-10": (["s1", "s1"], [5.0, 6.0]),
        "ses-1_task-x_run-1": (["s2", "s1"], [1.0, 2.0]),
    }.items():
        table(tmp_path, f"sub-01_{run}_desc-rois_betas.tsv", shown, V1=v1, V4=[0.5, np.nan])
    assembly = read(described(tmp_path), stimuli())
    assert assembly.dims == ("presentation", "neuroid", "trial")
    assert assembly["neuroid_id"].values.tolist() == ["sub-01_V1", "sub-01_V4"]
    assert assembly["region"].values.tolist() == ["V1", "V4"]
    nan = np.nan
    np.testing.assert_array_equal(
        assembly.values[:, 0], [[2, 3, 5, 6], [1, nan, nan, nan], [4, nan, nan, nan]]
    )
    np.testing.assert_array_equal(assembly.values[0, 1], [nan, 0.5, 0.5, nan])


def test_subjects_stand_beside_each_other_and_what_one_did_not_see_is_missing(tmp_path):
    table(tmp_path, "sub-01_task-x_betas.tsv", ["s1", "s2"], IT=[1.0, 2.0])
    table(
        tmp_path, "sub-02_task-x_betas.tsv", ["s3", "s2", "s2"], IT=[3.0, 4.0, 5.0], V4=[6, 7, 8.0]
    )
    assembly = read(described(tmp_path), stimuli())
    assert assembly["subject"].values.tolist() == ["sub-01", "sub-02", "sub-02"]
    nan = np.nan
    np.testing.assert_array_equal(assembly.values[:, 0], [[1, nan], [2, nan], [nan, nan]])
    np.testing.assert_array_equal(assembly.values[:, 1], [[nan, nan], [4, 5], [3, nan]])
    np.testing.assert_array_equal(assembly.values[:, 2], [[nan, nan], [7, 8], [6, nan]])


def test_rows_without_a_stimulus_are_left_out(tmp_path):
    table(tmp_path, "sub-01_timeseries.tsv", ["s1", "n/a", "s2"], "trial_type", V1=[1.0, 9.0, 2.0])
    assembly = read(described(tmp_path, time_bin_ms=((0.0, 4000.0),)), stimuli(["s2", "s1"]))
    assert assembly.dims == ("presentation", "neuroid", "time_bin", "trial")
    assert assembly.values.ravel().tolist() == [2, 1]


def test_a_column_named_by_the_lab_is_no_region(tmp_path):
    table(tmp_path, "sub-01_betas.tsv", IDS, "sentence", V1=[1.0, 2.0, 3.0])
    assembly = read(described(tmp_path, variable="sentence"), stimuli())
    assert assembly["region"].values.tolist() == ["V1"]


def test_two_views_of_one_run_are_no_repeats(tmp_path):
    for desc in ("raw", "smooth"):
        table(tmp_path, f"sub-01_task-x_desc-{desc}_betas.tsv", IDS, V1=[1.0, 2.0, 3.0])
    with pytest.raises(DatasetError, match=r"are of one run.*\*task-x_desc-smooth_betas.tsv"):
        read(described(tmp_path), stimuli())
    one = read(described(tmp_path, value="*_desc-raw_betas.tsv"), stimuli())
    assert one.sizes["trial"] == 1


@pytest.mark.parametrize(
    ("name", "shown", "regions", "message"),
    [
        ("sub-01_betas.tsv", IDS, {"V1": ["1", "2", "much"]}, "row 4.*'much' is not a number"),
        ("sub-01_betas.tsv", [*IDS, "s9"], {"V1": [1, 2, 3, 4]}, "none fit"),
        ("sub-01_betas.tsv", IDS[:2], {"V1": [1, 2]}, "no presentation of 1 of 3 stimuli: 's3'"),
        ("sub-01_betas.tsv", IDS, {}, "no column of responses"),
        ("sub-01_bold.tsv", IDS, {"V1": [1, 2, 3]}, r"neither.*found: 1 x \*_bold.tsv"),
        ("group_betas.tsv", IDS, {"V1": [1, 2, 3]}, "found: nothing"),
    ],
)
def test_what_is_wrong_with_a_table_is_named(tmp_path, name, shown, regions, message):
    table(tmp_path, name, shown, **regions)
    with pytest.raises(DatasetError, match=message):
        read(described(tmp_path), stimuli())


def test_an_unknown_stimulus_in_the_named_column_is_told_with_its_row(tmp_path):
    table(tmp_path, "sub-01_betas.tsv", ["s1", "s2", "s9", "s3"], V1=[1.0, 2, 3, 4])
    with pytest.raises(DatasetError, match=r"sub-01_betas.tsv: stim_id.*row 4: 's9'"):
        read(described(tmp_path, variable="stim_id"), stimuli())


def test_a_link_that_leaves_the_folder_is_not_followed(tmp_path):
    folder = tmp_path / "lab"
    table(folder, "sub-01_run-1_betas.tsv", IDS, V1=[1.0, 2.0, 3.0])
    secret = tmp_path / "secret.tsv"
    secret.write_text("stim_id\tV1\ns1\t1\n")
    place(folder, "sub-01_run-2_betas.tsv").symlink_to(secret)
    with pytest.raises(DatasetError, match="is a link that leaves"):
        read(described(folder), stimuli())


# Images


def brain(folder, subject, run, shown, seed=0, name="statmap"):
    values = np.random.default_rng(seed).normal(size=(3, 4, 2, len(shown))).astype(np.float32)
    stem = f"sub-{subject}_task-x_run-{run}_space-T1w"
    image(folder, f"{stem}_{name}.nii.gz", values)
    volumes(folder, f"{stem}_{name}.tsv", shown)
    return values


def mask(folder, name, voxels):
    inside = np.zeros((3, 4, 2), np.uint8)
    inside[tuple(np.transpose(voxels))] = 1
    image(folder, name, inside)


VOXELS = [(0, 1, 1), (2, 0, 0), (2, 3, 1)]


def test_voxels_in_the_mask_are_neuroids_with_their_place(tmp_path):
    first = brain(tmp_path, "01", 1, ["s1", "s2", "s1"])
    second = brain(tmp_path, "01", 2, ["s3", "n/a", "s2"], seed=1)
    mask(tmp_path, "sub-01_space-T1w_desc-brain_mask.nii.gz", VOXELS)
    assembly = read(described(tmp_path), stimuli())
    assert assembly.dims == ("presentation", "neuroid", "trial")
    assert assembly["neuroid_id"].values.tolist() == [
        "sub-01_0_1_1",
        "sub-01_2_0_0",
        "sub-01_2_3_1",
    ]
    for number, (i, j, k) in enumerate(VOXELS):
        assert [assembly[a].values[number] for a in "ijk"] == [i, j, k]
        expected = [
            [first[i, j, k, 0], first[i, j, k, 2]],
            [first[i, j, k, 1], second[i, j, k, 2]],
            [second[i, j, k, 0], np.nan],
        ]
        np.testing.assert_array_equal(assembly.values[:, number], expected)
    assert set(assembly["region"].values) == {"language"}


def test_scaled_integers_become_the_values_they_stand_for(tmp_path):
    values = np.random.default_rng(0).uniform(-1, 1, (3, 4, 2, 1))
    scaled = nibabel.Nifti1Image(values, AFFINE)
    scaled.set_data_dtype(np.int16)  # stored as whole numbers with a slope
    for number, shown in enumerate(IDS):
        name = f"sub-01_run-{number}_betas"
        nibabel.save(scaled, place(tmp_path, f"{name}.nii"))
        volumes(tmp_path, f"{name}.tsv", [shown])
    mask(tmp_path, "sub-01_mask.nii", VOXELS)
    assembly = read(described(tmp_path), stimuli())
    wanted = [values[v][0] for v in VOXELS]
    np.testing.assert_allclose(assembly.values[0, :, 0], wanted, atol=2 / 2**16)


def test_only_voxels_in_the_masks_of_all_runs_are_kept_and_subjects_have_their_own(tmp_path):
    for subject, run, voxels in (("01", 1, VOXELS), ("01", 2, VOXELS[1:]), ("02", 1, VOXELS[:1])):
        brain(tmp_path, subject, run, IDS)
        mask(tmp_path, f"sub-{subject}_task-x_run-{run}_space-T1w_desc-brain_mask.nii.gz", voxels)
    # a mask of another space and a less specific one are not taken
    mask(tmp_path, "sub-01_space-MNI_mask.nii.gz", [(0, 0, 0)])
    mask(tmp_path, "sub-01_mask.nii.gz", [(0, 0, 0)])
    assembly = read(described(tmp_path), stimuli())
    assert assembly["neuroid_id"].values.tolist() == [
        "sub-01_2_0_0",
        "sub-01_2_3_1",
        "sub-02_0_1_1",
    ]
    assert np.isnan(assembly.values[:, 2, 1]).all()  # the second subject has one run


def test_without_a_sidecar_or_a_mask_or_a_match_the_file_is_named(tmp_path):
    brain(tmp_path, "01", 1, IDS)
    with pytest.raises(DatasetError, match=r"needs one mask, sub-01_\*_mask.nii.gz.*found: none"):
        read(described(tmp_path), stimuli())
    image(tmp_path, "sub-01_space-T1w_mask.nii.gz", np.ones((3, 4, 2), np.uint8), 2 * AFFINE)
    with pytest.raises(DatasetError, match="another place or size of voxels"):
        read(described(tmp_path), stimuli())
    mask(tmp_path, "sub-01_space-T1w_mask.nii.gz", VOXELS)
    sidecar = place(tmp_path, "sub-01_task-x_run-1_space-T1w_statmap.tsv")
    sidecar.write_text("stim_id\ns1\ns2\n")
    with pytest.raises(DatasetError, match=r"has 2 rows.*3 volumes"):
        read(described(tmp_path), stimuli())
    sidecar.unlink()
    with pytest.raises(DatasetError, match=r"has no sub-01_task-x_run-1_space-T1w_statmap.tsv"):
        read(described(tmp_path), stimuli())
    mask(tmp_path, "sub-01_space-T1w_desc-two_mask.nii.gz", VOXELS)
    with pytest.raises(
        DatasetError, match=r"found: sub-01_space-T1w_desc-two_mask.nii.gz, sub-01_s"
    ):
        read(described(tmp_path), stimuli())


def test_an_image_cut_short_or_declaring_the_world_is_refused(tmp_path):
    brain(tmp_path, "01", 1, IDS)
    mask(tmp_path, "sub-01_space-T1w_mask.nii.gz", VOXELS)
    path = place(tmp_path, "sub-01_task-x_run-1_space-T1w_statmap.nii.gz")
    whole = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(whole[:400]))
    with pytest.raises(DatasetError, match="cannot be read"):
        read(described(tmp_path), stimuli())
    path.write_bytes(whole[:100])
    with pytest.raises(DatasetError, match="no readable NIfTI image"):
        read(described(tmp_path), stimuli())
    header = nibabel.Nifti1Header()
    header.set_data_dtype(np.float32)
    header.set_data_shape((3000, 3000, 3000, 3))
    path.write_bytes(gzip.compress(header.binaryblock + b"\0" * 4))
    with pytest.raises(DatasetError, match=r"is refused: its .* bytes declare shape"):
        read(described(tmp_path), stimuli())


def test_without_nibabel_the_extra_is_named(tmp_path, monkeypatch):
    brain(tmp_path, "01", 1, IDS)
    monkeypatch.setitem(__import__("sys").modules, "nibabel", None)
    with pytest.raises(OptionError, match=r'pip install "corteval\[bids\]"'):
        read(described(tmp_path), stimuli())


def test_the_loader_reads_bids_and_what_it_reads_can_be_packed(tmp_path):
    brain(tmp_path / "lab", "01", 1, ["s1", "s2", "s1", "s3"])
    mask(tmp_path / "lab", "sub-01_space-T1w_mask.nii.gz", VOXELS)
    stimuli().table.reset_index().to_csv(tmp_path / "lab" / "stimuli.csv", index=False)
    description = replace(described(tmp_path / "lab"), visibility="public")
    array = load_assembly(description, load_stimuli(description))
    assert array.sizes == {"presentation": 3, "neuroid": 3, "trial": 2}
    target = export(description, tmp_path / "packed")
    assert not replace(differences(description, target), files=())
