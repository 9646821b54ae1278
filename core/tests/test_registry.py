import os
import subprocess
import sys
import textwrap

import pytest

from corteval import registry
from corteval.cards import DataCard, ModelCard
from corteval.errors import (
    DuplicateIdentifier,
    InvalidIdentifier,
    OptionError,
    PluginError,
    UnknownIdentifier,
)


def toy(identifier="toy-model", factory=f"{__name__}:build", **fields):
    return ModelCard(
        **{"identifier": identifier, "factory": factory, "summary": "s", "licence": "MIT"} | fields
    )


def build(size=1):
    return ("built", size)


def leave():
    sys.exit("bye")


def fail():
    raise RuntimeError("weights are missing")


CARD = """
    from corteval.cards import ModelCard
    CARD = ModelCard(identifier="{identifier}", factory="{module}:build", summary="s",
                     licence="MIT", interface={interface})
    def build(): return "{module}"
"""


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder on sys.path into which plugins are 'installed'."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def install(dist, module, source, entry_points, version="1.0"):
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(source))
        info = tmp_path / f"{dist.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(entry_points)
        registry.reload()

    registry.reload()
    yield install
    monkeypatch.undo()
    registry.reload()
    for module in set(sys.modules) - before:  # the next test installs others of these names
        if str(tmp_path) in str(getattr(sys.modules[module], "__file__", "")):
            del sys.modules[module]


def install_card(site, dist, module, identifier, interface=1):
    source = CARD.format(identifier=identifier, module=module, interface=interface)
    site(dist, module, source, f"[corteval.models]\n{identifier} = {module}:CARD\n")


def test_an_installed_card_is_found_whatever_the_case(site):
    install_card(site, "lab-a", "lab_a", "Lab-Model")
    assert registry.models.card("lab-MODEL").identifier == "Lab-Model"
    assert registry.models.create("LAB-model") == "lab_a"
    assert "Lab-Model" in list(registry.models)


def test_two_distributions_with_one_identifier_must_be_told_apart(site):
    install_card(site, "lab-a", "lab_a", "Same")
    install_card(site, "lab-b", "lab_b", "same")
    with pytest.raises(DuplicateIdentifier) as caught:
        registry.models.create("same")
    assert "Same@lab-a (lab-a 1.0)" in str(caught.value)
    assert "same@lab-b (lab-b 1.0)" in str(caught.value)
    assert registry.models.create("same@lab-a") == "lab_a"
    assert registry.models.create("SAME@Lab_B") == "lab_b"
    assert len(registry.models.problems()) == 2


BROKEN = {
    "syntax error": ("def broken(:\n", "CARD", "SyntaxError"),
    "missing import": ("import a_package_nobody_has\n", "CARD", "ModuleNotFoundError"),
    "missing attribute": ("x = 1\n", "CARD", "AttributeError"),
    "not a card": ("CARD = 42\n", "CARD", "it names a int, not a ModelCard"),
    "sys.exit at import": ("import sys\nsys.exit(3)\n", "CARD", "sys.exit(3)"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_plugin_is_listed_with_its_error_and_harms_no_other(site, how):
    source, attribute, message = BROKEN[how]
    install_card(site, "good", "good_one", "Good")
    site("bad", "bad_one", source, f"[corteval.models]\nBad = bad_one:{attribute}\n")
    assert registry.models.create("good") == "good_one"
    (problem,) = [p for p in registry.models.problems() if p.identifier == "Bad"]
    assert message in problem.reason
    assert "bad 1.0" in problem.reason
    with pytest.raises(PluginError, match="cannot be used"):
        registry.models.create("Bad")


def test_a_card_for_another_interface_is_refused_clearly(site):
    install_card(site, "future", "future_one", "Future", interface=99)
    with pytest.raises(PluginError, match="written for interface 99; this Corteval speaks 1 to 1"):
        registry.models.card("Future")


def test_a_card_under_another_name_is_refused(site):
    source = CARD.format(identifier="Real", module="odd_one", interface=1)
    site("odd", "odd_one", source, "[corteval.models]\nOther = odd_one:CARD\n")
    with pytest.raises(PluginError, match="calls itself 'Real' but it is registered as 'Other'"):
        registry.models.card("Other")


def test_an_entry_point_with_a_hostile_name_is_a_problem_not_a_crash(site):
    source = CARD.format(identifier="x", module="evil_one", interface=1)
    site("evil", "evil_one", source, "[corteval.models]\n../x = evil_one:CARD\n")
    (problem,) = [p for p in registry.models.problems() if p.source.distribution == "evil"]
    assert "not valid" in problem.reason


def test_what_a_plugin_prints_at_import_does_not_reach_stdout(site, capsys):
    source = "print('hello from a plugin')" + CARD.format(
        identifier="Chatty", module="chatty_one", interface=1
    )
    site(
        "chatty",
        "chatty_one",
        textwrap.dedent(source),
        "[corteval.models]\nChatty = chatty_one:CARD\n",
    )
    list(registry.models)
    assert capsys.readouterr().out == ""


def test_an_unknown_identifier_answers_with_close_matches():
    with registry.models.temporary(toy("CORnet-Test")):
        with pytest.raises(UnknownIdentifier, match="Did you mean CORnet-Test"):
            registry.models.card("cornet-tset")


def test_a_known_plugin_that_is_not_installed_answers_with_the_line_that_installs_it(monkeypatch):
    from corteval.known_plugins import INSTALL

    monkeypatch.setitem(INSTALL["models"], "brain-in-a-vat", "corteval-vat")
    with pytest.raises(UnknownIdentifier, match="pip install corteval-vat"):
        registry.models.create("Brain-in-a-VAT")


@pytest.mark.parametrize("text", ["../x", "", "a" * 300, "a\0", "😀", "@", "x/../y"])
def test_hostile_lookups_are_refused_with_a_reason(text):
    with pytest.raises(InvalidIdentifier):
        registry.models.create(text)


def test_a_runtime_card_lives_until_the_block_ends():
    with registry.models.temporary(toy()):
        assert registry.models.create("toy-model", size=3) == ("built", 3)
        assert registry.models.source("toy-model").distribution == "runtime"
    with pytest.raises(UnknownIdentifier):
        registry.models.create("toy-model")


def test_adding_twice_needs_replace():
    with registry.models.temporary(toy()):
        with pytest.raises(DuplicateIdentifier, match="replace=True"):
            registry.models.add(toy())
        registry.models.add(toy(options={"size": 7}), replace=True)
        assert registry.models.create("toy-model") == ("built", 7)


def test_an_installed_identifier_cannot_be_taken_at_run_time(site):
    install_card(site, "lab-a", "lab_a", "Taken")
    with pytest.raises(DuplicateIdentifier, match="already provided by lab-a"):
        registry.models.add(toy("TAKEN"))


def test_a_card_of_another_kind_is_refused():
    with pytest.raises(PluginError, match="not a DataCard"):
        registry.data.add(toy())


def test_an_option_nobody_takes_names_those_that_are():
    with (
        registry.models.temporary(toy()),
        pytest.raises(OptionError, match=r"did you mean size\? Its options are size"),
    ):
        registry.models.create("toy-model", sise=2)


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        ("no_such_module_here:build", "ModuleNotFoundError"),
        (f"{__name__}:no_such_thing", "AttributeError"),
        (f"{__name__}:CARD", "not callable"),
        (f"{__name__}:fail", "RuntimeError: weights are missing"),
        (f"{__name__}:leave", "sys.exit"),
    ],
)
def test_a_factory_that_fails_is_a_plugin_error_with_its_cause(factory, message):
    with registry.models.temporary(toy(factory=factory)):
        with pytest.raises(PluginError, match=message.replace("(", r"\(")):
            registry.models.create("toy-model")


def test_code_that_cannot_be_imported_is_found_without_creating_anything():
    with registry.models.temporary(toy(), toy("wrong", factory=f"{__name__}:no_such_thing")):
        assert registry.models.problems() == []
        (problem,) = [p for p in registry.models.unusable() if p.identifier == "wrong"]
        assert "no_such_thing" in problem.reason


def test_cards_are_found_by_their_fields():
    image = toy("sees", modalities=frozenset({"image"}))
    text = toy("reads", modalities=frozenset({"text"}))
    with registry.models.temporary(image, text):
        reading = [c.identifier for c in registry.models.where(modalities="text")]
        assert "reads" in reading and "sees" not in reading


def test_one_file_plugins_are_read_from_the_plugin_path(tmp_path, monkeypatch):
    (tmp_path / "my lab-model.py").write_text(
        textwrap.dedent("""
        from corteval.cards import ModelCard

        CARD = ModelCard(identifier="lab-file", factory=f"{__name__}:build", summary="s",
                         licence="MIT")

        def build(gain=2):
            return gain
        """)
    )
    (tmp_path / "broken.py").write_text("import a_package_nobody_has\n")
    (tmp_path / "_ignored.py").write_text("raise RuntimeError\n")
    monkeypatch.setenv("CORTEVAL_PLUGIN_PATH", os.pathsep.join([str(tmp_path), "/nowhere"]))
    registry.reload()
    try:
        assert registry.models.create("lab-file", gain=5) == 5
        assert registry.models.create("lab-file@my lab-model.py") == 2
        (problem,) = [p for p in registry.problems() if "broken.py" in p.source.value]
        assert "a_package_nobody_has" in problem.reason
    finally:
        monkeypatch.undo()
        registry.reload()


def test_find_looks_in_all_registries():
    data = DataCard(identifier="both", factory="a:b", summary="s", licence="MIT")
    with registry.models.temporary(toy("both")), registry.data.temporary(data):
        assert [kind for kind, _ in registry.find("BOTH")] == ["models", "data"]
    with pytest.raises(UnknownIdentifier):
        registry.find("nobody-has-this-one")


def test_reading_the_registry_imports_no_heavy_library():
    code = (
        "import sys; from corteval import registry; "
        "[list(r) for r in registry.KINDS.values()]; registry.problems(); "
        "print([m for m in ('numpy', 'pandas', 'xarray', 'requests') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
