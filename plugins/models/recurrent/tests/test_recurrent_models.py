"""Networks, their training, their folders and the subjects around them."""

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from corteval import models
from corteval.cli import main
from corteval.errors import OptionError, UnknownIdentifier, WrongContent
from corteval.model import perform, record
from corteval.requests import NextWord, ReadingTime
from corteval.stimuli import StimulusSet
from corteval.surprisal import in_bits, spec_of
from corteval_pytorch import initialised
from corteval_recurrent import Plan, folder
from corteval_recurrent.learning import Text, train
from corteval_recurrent.network import Architecture, RecurrentLanguageModel, count_parameters
from corteval_recurrent.training import fit

CELLS = ["lstm", "gru", "elman", "bc3"]
SMALL = {"width": 16, "layers": 2, "dropout": 0.0}
PLAN = Plan(epochs=3, batch=8, steps=10, learning_rate=0.02, minimum=1, spelling=False)


def _network(cell="lstm", seed=0, **options):
    with initialised(seed):
        return RecurrentLanguageModel(
            Architecture(cell=cell, vocabulary=30, width=8, **options)
        ).eval()


def _chain(count, seed):
    """Sentences of a language in which each word is drawn given the one before it."""
    rng = np.random.default_rng(seed)
    words = np.array(["red", "blue", "old", "new", "dog", "cat"])
    table = np.random.default_rng(7).dirichlet(np.full(6, 0.3), size=6)
    texts = []
    for _ in range(count):
        at = [int(rng.integers(6))]
        while len(at) < 60:
            at.append(int(rng.choice(6, p=table[at[-1]])))
        texts.append(" ".join(words[at]))
    return texts, table


def _entropy_rate(table):
    values, vectors = np.linalg.eig(table.T)
    stationary = np.real(vectors[:, np.argmax(np.real(values))])
    stationary /= stationary.sum()
    return float(-(stationary[:, None] * table * np.log(table)).sum())


@pytest.fixture(scope="module")
def learned(home, tmp_path_factory):
    """A folder with a small trained model, and its training."""
    texts, _ = _chain(40, seed=0)
    path = folder.home() / "toy-chain"
    return path, train(Text("chain", tuple(texts)), path, cell="gru", plan=PLAN, **SMALL)


@pytest.mark.parametrize("cell", CELLS)
def test_padding_on_the_right_changes_no_token(cell):
    network = _network(cell)
    short, long = torch.tensor([[3, 4, 5]]), torch.arange(8)[None]
    padded = torch.cat([torch.cat([short, torch.zeros(1, 5, dtype=torch.long)], 1), long])
    mask = torch.tensor([[1] * 3 + [0] * 5, [1] * 8])
    found = network(padded, attention_mask=mask)
    torch.testing.assert_close(found[:1, :3], network(short))
    torch.testing.assert_close(found[1:], network(long))


@pytest.mark.parametrize("cell", CELLS)
def test_a_token_sees_none_that_follows_it(cell):
    network = _network(cell)
    ids = torch.randint(30, (2, 9))
    changed = ids.clone()
    changed[:, 5:] = (changed[:, 5:] + 1) % 30
    torch.testing.assert_close(network(ids)[:, :5], network(changed)[:, :5])
    assert not torch.allclose(network(ids)[:, 5], network(changed)[:, 5])


@pytest.mark.parametrize("cell", CELLS)
def test_states_handed_on_give_what_one_pass_gives(cell):
    network = _network(cell)
    ids = torch.randint(30, (2, 9))
    first, state = network.states(ids[:, :4])
    second, _ = network.states(ids[:, 4:], state)
    torch.testing.assert_close(torch.cat([first, second], 1), network.states(ids)[0])


def test_the_lstm_is_embedding_two_layers_and_the_transposed_embedding():
    network = _network("lstm", layers=2)
    state = network.state_dict()
    theirs = nn.LSTM(8, 8, num_layers=2, batch_first=True)
    with torch.no_grad():
        for name, weight in theirs.named_parameters():
            part, _, layer = name.rpartition("_l")
            weight.copy_(state[f"layers.{layer}.{part}_l0"])
    ids = torch.randint(30, (3, 5))
    embedding = state["embedding.weight"]
    expected = theirs(embedding[ids])[0] @ embedding.T + state["decoder.bias"]
    torch.testing.assert_close(network(ids), expected)


@pytest.mark.parametrize("tied", [True, False])
def test_weights_are_counted_as_their_shapes_say(tied):
    vocabulary, width, layers = 100, 12, 3
    for cell, gates in (("lstm", 4), ("gru", 3)):
        ours = count_parameters(
            Architecture(cell=cell, vocabulary=vocabulary, width=width, layers=layers, tied=tied)
        )
        recurrent = layers * gates * (2 * width**2 + 2 * width)
        decoder = vocabulary + (0 if tied else vocabulary * width)
        assert ours == vocabulary * width + recurrent + decoder


def test_cards_tell_the_number_of_weights():
    for identifier in ("lstm-lm-untrained", "gru-lm-untrained-seed4"):
        card = models.card(identifier)
        subject = models.create(identifier)
        module = subject.extractor.module
        assert sum(w.numel() for w in module.parameters()) == card.parameters


def test_weights_are_those_of_their_seed():
    def weights(identifier, **options):
        return models.create(identifier, **options).extractor.module.state_dict()

    one, same = weights("lstm-lm-untrained-seed1"), weights("lstm-lm-untrained", seed=1)
    other = weights("lstm-lm-untrained")
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["layers.0.weight_hh_l0"], other["layers.0.weight_hh_l0"])


@pytest.mark.parametrize("options", [{"width": 0}, {"layers": True}, {"dropout": 1.0}])
def test_an_impossible_architecture_is_refused(options):
    with pytest.raises(OptionError, match=next(iter(options))):
        Architecture(vocabulary=9, **options)


def test_training_comes_near_the_entropy_of_the_language():
    texts, table = _chain(150, seed=1)
    plan = Plan(epochs=6, batch=8, steps=20, learning_rate=0.03, minimum=1, spelling=False)
    trained = fit(texts, cell="lstm", plan=plan, **SMALL)
    # one of 60 words is the first of its passage, which is one of six
    rate = math.exp((59 * _entropy_rate(table) + math.log(6)) / 60)
    assert trained.perplexity == pytest.approx(rate, rel=0.07)
    assert trained.first_perplexity == pytest.approx(8, rel=0.1)  # 6 words, <unk> and <eol>
    assert trained.unknown == 0
    assert trained.words[0] + trained.words[1] == 150 * 60 + 134  # an <eol> before each to train on


@pytest.mark.parametrize("cell", CELLS)
def test_training_lowers_perplexity_with_every_cell(cell):
    texts, _ = _chain(40, seed=2)
    trained = fit(texts, cell=cell, plan=PLAN, **SMALL)
    assert trained.perplexity < 0.7 * trained.first_perplexity


def test_the_same_seed_gives_the_same_weights_and_leaves_torch_alone():
    texts, _ = _chain(20, seed=3)
    plan = Plan(epochs=1, batch=4, steps=10, minimum=1)
    before = torch.random.get_rng_state()
    one, two = (fit(texts, plan=plan, width=8, layers=1, dropout=0.5) for _ in range(2))
    other = fit(texts, plan=Plan(epochs=1, batch=4, steps=10, minimum=1, seed=1), width=8, layers=1)
    assert torch.equal(before, torch.random.get_rng_state())
    assert one.epochs[0][:2] == two.epochs[0][:2]
    assert torch.equal(one.network.embedding.weight, two.network.embedding.weight)
    assert not torch.equal(one.network.embedding.weight, other.network.embedding.weight)


def test_training_stops_without_progress_and_keeps_the_best_weights():
    texts, _ = _chain(20, seed=4)
    plan = Plan(epochs=50, patience=2, batch=4, steps=10, learning_rate=1.0, minimum=1)
    plan = replace(plan, spelling=False)
    trained = fit(texts, cell="elman", plan=plan, **SMALL)
    assert len(trained.epochs) == trained.best + 2
    found = [trained.first_perplexity, *(epoch.held_out_perplexity for epoch in trained.epochs)]
    assert trained.perplexity == min(found)


def test_words_of_held_out_text_are_not_in_the_vocabulary():
    texts, _ = _chain(19, seed=5)
    trained = fit([*texts, "zebra " * 60], plan=Plan(epochs=1, minimum=1, held_out=0.05), **SMALL)
    assert "zebra" not in trained.vocabulary.entries
    assert trained.unknown == 1


@pytest.mark.parametrize(
    ("texts", "options", "message"),
    [
        (["a b a b"], {}, "words to train on"),
        ([], {}, "No word"),
        (["a b c d e f"] * 9, {"minimum": 99}, "occurs 99 times"),
        (["a"], {"held_out": 1.0}, "held_out is 1.0"),
        (["a"], {"epochs": 0}, "epochs is 0"),
        (["a"], {"learning_rate": 0.0}, "above 0"),
    ],
)
def test_what_cannot_be_trained_on_is_refused(texts, options, message):
    with pytest.raises(OptionError, match=message):
        fit(texts, plan=Plan(**{"minimum": 1, **options}), **SMALL)


def test_perplexity_is_that_of_words_with_their_spelling():
    texts, _ = _chain(30, seed=8)
    rare = [text.replace("old", f"zo{chr(97 + n % 26)}o") for n, text in enumerate(texts)]
    plan = Plan(epochs=1, batch=8, steps=10, minimum=30, most=4)
    trained = fit(rare, plan=plan, **SMALL)
    vocabulary = trained.vocabulary
    assert trained.unknown > 0 and len(vocabulary) > len(vocabulary.entries)
    nats, count = 0.0, 0
    for text in rare[-(trained.words[1] // 60) :]:
        ids = torch.tensor([1, *vocabulary.encode(text).ids])
        with torch.no_grad():
            logs = torch.log_softmax(trained.network(ids[None, :-1])[0], -1)
        nats -= float(logs.gather(1, ids[1:, None]).sum())
        count += len(text.split())
    assert trained.words[1] == count
    assert trained.perplexity == pytest.approx(math.exp(nats / count), rel=1e-4)


def _words(texts, context="story"):
    return StimulusSet(
        identifier="words",
        modality="text",
        table=pd.DataFrame(
            {"text": texts, "context_id": context, "position": range(len(texts))},
            index=pd.Index([f"{context}-{n}" for n in range(len(texts))], name="stimulus_id"),
        ),
    )


def test_a_trained_model_is_a_subject_whose_surprisal_is_that_of_its_logits(learned):
    subject = models.create("recurrent/toy-chain")
    text = ["red", "dog", "old", "zebra", "cat"]
    ids = [1, *learned[1].vocabulary.encode(" ".join(text)).ids]
    assert ids[4] == 0
    with torch.no_grad():
        logs = torch.log_softmax(learned[1].network(torch.tensor([ids]))[0], -1)
    expected = [-float(logs[n, ids[n + 1]]) / math.log(2) for n in range(5)]
    found = perform(subject, _words(text), ReadingTime())
    np.testing.assert_allclose(in_bits(found).values, expected, rtol=1e-4)
    spec = spec_of(found)
    assert (spec.unit, spec.bos, spec.first_word) == ("word", True, "scored")
    best = [learned[1].vocabulary.entries[int(n)] for n in logs[1:].argmax(-1)]
    assert list(perform(subject, _words(text), NextWord()).values) == best
    assert any("<unk>" in note for note in subject.notes)


@pytest.mark.parametrize("identifier", ["recurrent/toy-chain", "rnn/gru"])
def test_nothing_is_carried_from_one_passage_to_the_next(learned, identifier):
    options = {"width": 8} if identifier == "rnn/gru" else {}
    subject = models.create(identifier, **options)
    one, two = _words(["red", "dog", "old"], "a"), _words(["new", "cat"], "b")
    table = pd.concat([two.table, one.table])
    both = StimulusSet(identifier="both", modality="text", table=table)
    together = record(subject, both, "language_system")
    for alone in (one, two):
        responses = record(subject, alone, "language_system")
        rows = [list(together["stimulus_id"].values).index(i) for i in alone.stimulus_ids]
        np.testing.assert_allclose(together.values[rows], responses.values, atol=1e-6)


def test_responses_are_the_last_layer_at_the_last_word(learned):
    subject = models.create("recurrent/toy-chain")
    network = learned[1].network
    ids = [1, *learned[1].vocabulary.encode("red dog old").ids]
    hidden = network.embedding(torch.tensor([ids]))
    for layer in network.layers:
        hidden, _ = layer(hidden)
    found = record(subject, _words(["red", "dog old"]), "language_system").values
    np.testing.assert_allclose(found, hidden[0, [1, 3]].detach().numpy(), atol=1e-6)


def test_the_untrained_twin_reads_with_the_same_vocabulary(learned):
    trained = models.create("recurrent/toy-chain")
    twin = models.create("recurrent/toy-chain-untrained-seed2")
    assert twin.extractor.tokenizer == trained.extractor.tokenizer
    assert "random weights (seed 2)" in twin.notes
    ours, theirs = (s.extractor.module.embedding.weight for s in (trained, twin))
    assert ours.shape == theirs.shape and not torch.equal(ours, theirs)
    with pytest.raises(OptionError, match="trained weights are not drawn"):
        models.create("recurrent/toy-chain", seed=3)
    with pytest.raises(OptionError, match="names one seed"):
        models.create("recurrent/toy-chain-untrained-seed2", seed=3)
    with pytest.raises(UnknownIdentifier, match="did you mean toy-chain"):
        models.create("recurrent/toy-chain-seed3")


def test_a_folder_gives_back_the_model_that_was_written(learned):
    path, trained = learned
    kept = folder.load(path)
    assert kept.vocabulary == trained.vocabulary
    ours = kept.trained().state_dict()
    assert all(torch.equal(ours[k], v) for k, v in trained.network.state_dict().items())
    assert kept.training["held_out_perplexity"] == trained.perplexity
    assert kept.training["texts"][0]["name"] == "chain"
    assert sorted(f.name for f in path.iterdir()) == sorted(
        [folder.WEIGHTS, folder.VOCABULARY, folder.MODEL]
    )


def _copied(learned, tmp_path):
    path = tmp_path / "copy"
    path.mkdir()
    for file in learned[0].iterdir():
        (path / file.name).write_bytes(file.read_bytes())
    return path


def _edited(path, **changes):
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | changes))


def test_files_that_were_changed_are_not_read(learned, tmp_path):
    path = _copied(learned, tmp_path)
    _edited(path / folder.VOCABULARY, lower_case=True)
    with pytest.raises(WrongContent, match="not the file that was written"):
        models.create("recurrent/copy", folder=path)
    _edited(path / folder.MODEL, sha256={})
    assert models.create("recurrent/copy", folder=path).extractor.tokenizer.lower_case


@pytest.mark.parametrize(
    ("file", "changes", "message"),
    [
        (folder.MODEL, {"schema": "other/1"}, "schema is 'corteval.recurrent/1', not 'other/1'"),
        (folder.MODEL, {"architecture": {"cell": "lstm"}}, "architecture has the keys cell, width"),
        (folder.VOCABULARY, {"rule": "words-9"}, "the rule 'words-9'"),
        (folder.VOCABULARY, {"words": [1, 2]}, "a list of words"),
        (folder.VOCABULARY, {"words": ["<unk>", "<eol>", "a"]}, "shapes"),
    ],
)
def test_a_folder_that_says_something_odd_is_refused(learned, tmp_path, file, changes, message):
    path = _copied(learned, tmp_path)
    _edited(path / folder.MODEL, sha256={})
    _edited(path / file, **changes)
    with pytest.raises(OptionError, match=message):
        models.create("recurrent/copy", folder=path)


def test_a_model_is_found_by_a_folder_in_the_working_directory(learned, tmp_path, monkeypatch):
    _copied(learned, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert models.create("recurrent/copy").identifier == "recurrent/copy"
    (tmp_path / "copy" / folder.WEIGHTS).unlink()
    with pytest.raises(OptionError, match="There is no file"):
        models.create("recurrent/copy")


def test_cells_of_the_family_are_named_or_written():
    own = models.create("rnn/mine-seed3", cell="Tanh(Add(MM(x), h_prev))", width=8)
    assert own.identifier == "rnn/mine-seed3" and "random weights (seed 3)" in own.notes
    assert any("from memory" in note for note in models.create("rnn/bc3", width=8).notes)
    with pytest.raises(UnknownIdentifier, match="did you mean elman"):
        models.create("rnn/elmann")
    with pytest.raises(OptionError, match="did you mean Tanh"):
        models.create("rnn/mine", cell="Tahn(x)")


def test_a_model_is_trained_and_listed_on_the_command_line(home, tmp_path, capsys):
    texts, _ = _chain(30, seed=6)
    file = tmp_path / "chain.txt"
    file.write_text("\n".join(texts))
    arguments = ["recurrent", "train", "--file", str(file), "--id", "toy-cli", "--width", "8"]
    arguments += ["--epochs", "1", "--cell", "elman", "--layers", "1", "--minimum", "1"]
    arguments += ["--no-spelling"]
    assert main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "corteval.recurrent-train/1"
    assert found["identifier"] == "recurrent/toy-cli" and found["vocabulary"] == 8
    assert found["training"]["plan"]["epochs"] == 1
    assert main(arguments) == 2
    assert "already" in capsys.readouterr().err
    assert main([*arguments, "--replace"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "recurrent/toy-cli"
    assert main(["recurrent", "ls", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["models"]
    assert {"toy-cli"} <= {model["name"] for model in listed}
    assert models.create("recurrent/toy-cli").identifier == "recurrent/toy-cli"


def test_mistakes_on_the_command_line_are_answered_before_training(tmp_path, capsys):
    file = tmp_path / "a.txt"
    file.write_text("a b")
    for arguments, message in (
        (["--id", "x"], "--text DATA or --file FILE"),
        (["--file", str(file)], "--out"),
        (["--file", str(file), "--id", "x", "--cell", "Tahn(x)"], "did you mean Tanh"),
        (["--text", "Wikitext9", "--id", "x"], "Wikitext"),
        (["--file", str(file), "--id", "../x"], "not valid"),
    ):
        assert main(["recurrent", "train", *arguments]) == 2
        assert message in capsys.readouterr().err


def test_cells_are_shown_and_drawn_on_the_command_line(capsys):
    assert main(["recurrent", "cells", "--random", "2", "--seed", "5", "--json"]) == 0
    drawn = json.loads(capsys.readouterr().out)["cells"]
    assert len(drawn) == 2 and drawn[0]["cell"].startswith(("h = ", "c = "))
    assert main(["recurrent", "cells"]) == 0
    assert "# bc3" in capsys.readouterr().out
