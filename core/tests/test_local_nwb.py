"""NWB files as laboratories write them: spikes or series, presentations, and what is refused."""

from dataclasses import replace
from datetime import UTC, datetime

import h5py
import numpy as np
import pandas as pd
import pytest

from corteval.errors import DatasetError, OptionError
from corteval.local.description import Description, Responses
from corteval.local.exchange.packing import differences, export
from corteval.local.formats.nwb import read
from corteval.local.formats.nwb_responses import spike_counts
from corteval.local.loading import load_assembly, load_stimuli
from corteval.stimuli import StimulusSet

pynwb = pytest.importorskip("pynwb", reason="the extra corteval[nwb] is not installed")

IDS = ["cat.png", "dog.png", "car.png"]
BINS = ((0.0, 100.0), (100.0, 250.0))


def stimuli(ids=IDS):
    table = pd.DataFrame({"text": ids}, index=pd.Index(ids, name="stimulus_id"))
    return StimulusSet(identifier="shown", modality="text", table=table)


def described(folder, **responses):
    given = {"file": "session.nwb", "target": "IT", "time_bin_ms": BINS, **responses}
    return Description(
        folder=folder,
        id="Lab2026",
        modality="text",
        stimuli="stimuli.csv",
        responses=Responses(**given),
    )


def session():
    content = pynwb.NWBFile(
        session_description="a session",
        identifier="session-1",
        session_start_time=datetime(2026, 1, 2, tzinfo=UTC),
    )
    content.subject = pynwb.file.Subject(subject_id="monkey-P", species="Macaca mulatta", age="P5Y")
    return content


def with_trials(content, shown, onsets, column="stimulus_id"):
    content.add_trial_column(column, "what was shown")
    for name, onset in zip(shown, onsets, strict=True):
        content.add_trial(start_time=onset, stop_time=onset + 0.2, **{column: name})
    return content


def with_electrodes(content, locations):
    device = content.create_device("array")
    group = content.create_electrode_group(
        "group", description="a group", location="IT", device=device
    )
    for location in locations:
        content.add_electrode(location=location, group=group)
    return content


def written(content, folder):
    with pynwb.NWBHDF5IO(folder / "session.nwb", "w") as writer:
        writer.write(content)
    return folder


SHOWN = ["dog.png", "cat.png", "car.png", "dog.png", "car.png", "dog.png"]
ONSETS = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]


def spiking(seed=0):
    generator = np.random.default_rng(seed)
    content = with_electrodes(with_trials(session(), SHOWN, ONSETS), ["IT", "V4", "IT"])
    trains = [np.sort(generator.uniform(0, 7, 400)) for _ in range(2)]
    content.add_unit_column("quality", "how well it was isolated")
    for number, train in enumerate(trains):
        content.add_unit(spike_times=train, electrodes=[number], quality=["good", "fair"][number])
    return content, trains


def counted(trains):
    """Spikes of each presentation and bin, one at a time."""
    counts = np.full((len(IDS), len(trains), len(BINS), 3), np.nan)
    for stimulus, name in enumerate(IDS):
        onsets = [onset for onset, shown in zip(ONSETS, SHOWN, strict=True) if shown == name]
        for trial, onset in enumerate(onsets):
            for unit, train in enumerate(trains):
                for place, (start, end) in enumerate(BINS):
                    low, high = onset + start / 1000, onset + end / 1000
                    counts[stimulus, unit, place, trial] = sum(low <= s < high for s in train)
    return counts


def test_spikes_are_counted_in_bins_after_the_onset_of_each_trial(tmp_path):
    content, trains = spiking()
    assembly = read(described(written(content, tmp_path)), stimuli())
    assert assembly.dims == ("presentation", "neuroid", "time_bin", "trial")
    np.testing.assert_array_equal(assembly.values, counted(trains))
    assert assembly["stimulus_id"].values.tolist() == IDS
    assert assembly["region"].values.tolist() == ["IT", "V4"]
    assert assembly["quality"].values.tolist() == ["good", "fair"]
    assert assembly["subject"].values.tolist() == ["monkey-P"] * 2
    assert assembly["time_bin_end_ms"].values.tolist() == [100, 250]
    assert assembly.attrs["stimulus_column"] == "trials/stimulus_id"
    assert assembly.attrs["unit"] == "spikes"


def test_a_spike_on_a_border_belongs_to_the_later_bin():
    edges = np.array([0.0, 0.1, 0.2])
    counts = spike_counts(np.array([0.0, 0.1, 0.1, 0.2]), edges[:-1], edges[1:])
    assert counts.tolist() == [1, 2]


def test_a_regular_train_has_rate_times_duration_spikes_in_every_bin(tmp_path):
    content = with_trials(session(), SHOWN, ONSETS)
    content.add_unit(spike_times=np.arange(7 * 200) / 200 + 0.0025)  # 200 spikes a second
    assembly = read(described(written(content, tmp_path)), stimuli())
    shown = assembly.values[~np.isnan(assembly.values)].reshape(-1, 1)
    assert sorted(set(shown.ravel())) == [20, 30]
    assert assembly["region"].values.tolist() == ["IT"]  # no electrodes: what the lab says


def test_adjacent_bins_share_no_spike_and_lose_none(tmp_path):
    content, _ = spiking(seed=3)
    written(content, tmp_path)
    parts = read(
        described(tmp_path, time_bin_ms=tuple((t, t + 7.0) for t in range(0, 70, 7))), stimuli()
    )
    whole = read(described(tmp_path, time_bin_ms=((0.0, 70.0),)), stimuli())
    np.testing.assert_array_equal(
        parts.sum("time_bin", skipna=False).values, whole.isel(time_bin=0).values
    )


def test_what_was_not_observed_is_missing_and_not_zero(tmp_path):
    content = with_trials(session(), SHOWN, ONSETS)
    # watched from 1.9 to 4.1 in two pieces that touch: the first bin of 4.0 is seen, the second not
    content.add_unit(spike_times=[2.05, 4.05], obs_intervals=[[1.9, 3.0], [3.0, 4.1]])
    content.add_invalid_time_interval(start_time=3.05, stop_time=3.06)
    content.add_invalid_time_interval(start_time=2.2, stop_time=2.4)
    values = read(described(written(content, tmp_path)), stimuli()).isel(neuroid=0)
    cat, dog, car = (values.sel(presentation=i).values for i in range(3))
    np.testing.assert_array_equal(cat[:, 0], [1, np.nan])  # 2.2 to 2.4 is called invalid
    np.testing.assert_array_equal(dog, [[np.nan, 1, np.nan], [np.nan, np.nan, np.nan]])
    np.testing.assert_array_equal(car[:, 0], [np.nan, 0])  # and so is 3.05 to 3.06


def test_the_column_is_found_by_its_contents_whatever_its_name(tmp_path):
    content = with_trials(session(), SHOWN, ONSETS, column="what_the_monkey_saw")
    content.add_unit(spike_times=[1.05])
    assembly = read(described(written(content, tmp_path)), stimuli())
    assert assembly.attrs["stimulus_column"] == "trials/what_the_monkey_saw"


def test_a_table_of_intervals_other_than_trials_is_read(tmp_path):
    content = session()
    table = pynwb.epoch.TimeIntervals(name="scenes_presentations", description="scenes")
    table.add_column("image", "which")
    for name, onset in zip(SHOWN, ONSETS, strict=True):
        table.add_interval(start_time=onset, stop_time=onset + 0.2, image=name)
    content.add_time_intervals(table)
    content.add_unit(spike_times=[1.05])
    assembly = read(described(written(content, tmp_path)), stimuli())
    assert assembly.attrs["stimulus_column"] == "scenes_presentations/image"
    assert assembly.values[1, 0, 0, 0] == 1


def test_of_two_columns_that_fit_the_named_one_is_read_and_none_is_guessed(tmp_path):
    content = with_trials(session(), SHOWN, ONSETS, column="first")
    content.add_trial_column("second", "the next picture", data=SHOWN[1:] + SHOWN[:1])
    content.add_unit(spike_times=[1.05])
    written(content, tmp_path)
    with pytest.raises(DatasetError, match=r"trials/first.*trials/second.*2 fit"):
        read(described(tmp_path), stimuli())
    assembly = read(described(tmp_path, variable="trials/second"), stimuli())
    assert assembly.values[0, 0, 0, 0] == 1  # the cat, in this column, is shown at 1.0


def test_whole_numbers_name_stimuli_and_empty_rows_are_left_out(tmp_path):
    content = with_trials(session(), [8.0, np.nan, 12.0], [1.0, 2.0, 3.0])
    content.add_unit(spike_times=[3.01, 3.02])
    assembly = read(described(written(content, tmp_path)), stimuli(["12", "8"]))
    assert assembly.values[:, 0, 0, 0].tolist() == [2, 0]
    assert assembly.attrs["presentations_left_out"] == 1


def test_a_stimulus_the_table_lacks_is_named_with_its_row(tmp_path):
    content = with_trials(session(), ["cat.png", "dog.png", "car.png", "cow.png"], ONSETS[:4])
    content.add_unit(spike_times=[1.05])
    written(content, tmp_path)
    with pytest.raises(DatasetError, match=r"row 4: 'cow.png'"):
        read(described(tmp_path, variable="stimulus_id"), stimuli())
    with pytest.raises(DatasetError, match=r"no presentation of 1 of 5 stimuli: 'hen.png'"):
        read(described(tmp_path), stimuli([*IDS, "cow.png", "hen.png"]))


def test_spikes_without_bins_and_files_without_a_part_say_what_is_missing(tmp_path):
    content, _ = spiking()
    written(content, tmp_path)
    with pytest.raises(DatasetError, match=r"responses.time_bin_ms = \[\[70, 170\]\]"):
        read(described(tmp_path, time_bin_ms=()), stimuli())
    with pytest.raises(DatasetError, match="no table of presentations"):
        read(described(written(session(), tmp_path)), stimuli())
    with pytest.raises(DatasetError, match="no spike times, and 0 time series"):
        read(described(written(with_trials(session(), SHOWN, ONSETS), tmp_path)), stimuli())


# Time series


def with_series(content, name, data, **options):
    module = content.processing.get("ecephys") or content.create_processing_module("ecephys", "x")
    module.add(pynwb.TimeSeries(name=name, data=data, unit="volts", **options))
    return content


def test_a_series_gives_the_mean_of_its_samples_in_each_bin(tmp_path):
    generator = np.random.default_rng(1)
    data = generator.normal(size=(650, 4))  # 100 a second, up to 6.5 s
    content = with_series(
        with_trials(session(), SHOWN, ONSETS), "rates", data, rate=100.0, conversion=2.0, offset=1.0
    )
    assembly = read(described(written(content, tmp_path)), stimuli())
    assert assembly.attrs["responses_from"] == "ecephys/rates"
    assert assembly.attrs["unit"] == "volts"
    expected = 2 * data[400:410].mean(axis=0) + 1  # the dog's second trial, at 4 s, 0 to 100 ms
    np.testing.assert_allclose(assembly.values[1, :, 0, 1], expected, rtol=1e-6)
    expected = 2 * data[310:325].mean(axis=0) + 1  # the car's first trial, at 3 s, 100 to 250 ms
    np.testing.assert_allclose(assembly.values[2, :, 1, 0], expected, rtol=1e-6)


def test_a_bin_that_the_recording_does_not_cover_is_missing(tmp_path):
    content = with_trials(session(), SHOWN, ONSETS)
    written(with_series(content, "rates", np.ones((615, 1)), rate=100.0), tmp_path)
    dog = read(described(tmp_path), stimuli()).values[1, 0]
    np.testing.assert_array_equal(dog, [[1, 1, 1], [1, 1, np.nan]])  # it ends at 6.15 s


def test_responses_binned_before_are_taken_as_they_are(tmp_path):
    data = np.arange(6 * 4 * 2.0).reshape(6, 4, 2)
    content = with_trials(session(), SHOWN, ONSETS)
    written(with_series(content, "binned", data, timestamps=ONSETS), tmp_path)
    assembly = read(described(tmp_path), stimuli())
    np.testing.assert_array_equal(assembly.values[1].T, data[[0, 3, 5]].transpose(0, 2, 1))
    with pytest.raises(DatasetError, match=r"2 time bins; responses.time_bin_ms has 1"):
        read(described(tmp_path, time_bin_ms=()), stimuli())


def test_of_several_series_one_must_be_named(tmp_path):
    content = with_trials(session(), SHOWN, ONSETS)
    for name, value in (("raw", 1.0), ("filtered", 2.0)):
        with_series(content, name, np.full((6, 2), value), timestamps=ONSETS)
    written(content, tmp_path)
    with pytest.raises(DatasetError, match="ecephys/raw, ecephys/filtered"):
        read(described(tmp_path, time_bin_ms=()), stimuli())
    assembly = read(described(tmp_path, time_bin_ms=(), value="filtered"), stimuli())
    assert assembly.dims == ("presentation", "neuroid", "trial")
    assert assembly.values[0, 0, 0] == 2


def test_an_electrical_series_knows_the_places_of_its_electrodes(tmp_path):
    content = with_electrodes(with_trials(session(), SHOWN, ONSETS), ["V1", "V2", "V4"])
    region = content.create_electrode_table_region([2, 0], "chosen")
    content.add_acquisition(
        pynwb.ecephys.ElectricalSeries(
            name="lfp", data=np.ones((700, 2)), electrodes=region, rate=100.0
        )
    )
    assembly = read(described(written(content, tmp_path)), stimuli())
    assert assembly["region"].values.tolist() == ["V4", "V1"]
    assert assembly["neuroid_id"].values.tolist() == ["2", "0"]


# Files that are not to be trusted


def outside(file, folder):
    with h5py.File(folder / "secret.h5", "w") as other:
        other["values"] = np.ones(3)
    file["linked"] = h5py.ExternalLink("secret.h5", "/values")


def raw(file, folder):
    (folder / "secret.bin").write_bytes(b"\0" * 80)
    space = h5py.h5s.create_simple((10,))
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_external(b"secret.bin", 0, 80)
    h5py.h5d.create(file.id, b"raw", h5py.h5t.NATIVE_DOUBLE, space, plan)


def virtual(file, folder):
    layout = h5py.VirtualLayout(shape=(3,), dtype="f8")
    layout[:] = h5py.VirtualSource("secret.h5", "values", shape=(3,))
    file.create_virtual_dataset("composed", layout)


def vast(file, folder):
    file.create_dataset("vast", shape=(10**9, 10**3), dtype="f8", chunks=(1000, 10))


@pytest.mark.parametrize(
    ("deed", "message"),
    [
        (outside, "/linked is a link to another file"),
        (raw, "The values of /raw lie in other files"),
        (virtual, "The values of /composed lie in other files"),
        (vast, r"vast declares shape \(1000000000, 1000\)"),
    ],
)
def test_a_file_that_reaches_outside_or_declares_the_world_is_refused(tmp_path, deed, message):
    content, _ = spiking()
    written(content, tmp_path)
    with h5py.File(tmp_path / "session.nwb", "a") as file:
        deed(file, tmp_path)
    with pytest.raises(DatasetError, match=message):
        read(described(tmp_path), stimuli())


@pytest.mark.parametrize("length", [0, 40, 20_000])
def test_a_file_cut_short_is_an_error_in_words(tmp_path, length):
    content, _ = spiking()
    path = written(content, tmp_path) / "session.nwb"
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DatasetError, match=r"session.nwb.*(damaged|cannot be read as an NWB file)"):
        read(described(tmp_path), stimuli())


def test_without_pynwb_the_extra_is_named(tmp_path, monkeypatch):
    content, _ = spiking()
    written(content, tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "pynwb", None)
    with pytest.raises(OptionError, match=r'pip install "corteval\[nwb\]"'):
        read(described(tmp_path), stimuli())


def test_the_loader_reads_nwb_files_and_what_it_reads_can_be_packed(tmp_path):
    content, trains = spiking()
    (tmp_path / "lab").mkdir()
    written(content, tmp_path / "lab")
    stimuli().table.reset_index().to_csv(tmp_path / "lab" / "stimuli.csv", index=False)
    description = replace(described(tmp_path / "lab"), visibility="public")
    array = load_assembly(description, load_stimuli(description))
    np.testing.assert_array_equal(array.values, counted(trains))
    target = export(description, tmp_path / "packed")
    assert not replace(differences(description, target), files=())
