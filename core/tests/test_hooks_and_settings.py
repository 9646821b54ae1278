import logging

import pytest

from corteval import hooks, settings
from corteval.cards import Resource
from corteval.errors import ConfigurationError, CortevalError
from corteval.hooks import CommandsWanted, FetchRequested, Progress, ScoreStarted, hookimpl

RESOURCE = Resource(url="https://x.org/f", sha256="0" * 64, size=1, licence="MIT")


class Listener:
    def __init__(self):
        self.heard = []

    @hookimpl
    def corteval_score_started(self, event):
        self.heard.append(event)


class Broken:
    @hookimpl
    def corteval_score_started(self, event):
        raise RuntimeError("observer is ill")


class NoArguments:
    called = False

    @hookimpl
    def corteval_progress(self):
        NoArguments.called = True


def test_every_observer_hears_and_one_that_raises_is_logged(caplog):
    first, last = Listener(), Listener()
    with hooks.observing(first), hooks.observing(Broken()), hooks.observing(last):
        with caplog.at_level(logging.WARNING):
            hooks.notify(ScoreStarted("m", "b"))
    assert first.heard == last.heard == [ScoreStarted("m", "b")]
    assert "observer is ill" in caplog.text


def test_an_observer_is_forgotten_after_its_block():
    listener = Listener()
    with hooks.observing(listener):
        pass
    hooks.notify(ScoreStarted("m", "b"))
    assert listener.heard == []


def test_an_implementation_may_leave_the_argument_out():
    with hooks.observing(NoArguments()):
        hooks.notify(Progress("task", 1, 2, "stimuli"))
    assert NoArguments.called


def test_the_first_provider_that_knows_wins_and_a_failing_one_is_named(tmp_path):
    class Knows:
        @hookimpl
        def corteval_fetch(self, event):
            return tmp_path / event.resource.filename

    class Silent:
        @hookimpl
        def corteval_fetch(self, event):
            return None

    class Fails:
        @hookimpl
        def corteval_fetch(self, event):
            raise OSError("disk on fire")

    with hooks.observing(Knows()), hooks.observing(Silent()):
        assert hooks.provide(FetchRequested(RESOURCE)) == tmp_path / "f"
    with hooks.observing(Fails()), pytest.raises(CortevalError, match="disk on fire"):
        hooks.provide(FetchRequested(RESOURCE))
    assert hooks.provide(FetchRequested(RESOURCE)) is None


def test_commands_are_collected():
    class Adds:
        @hookimpl
        def corteval_commands(self, event):
            event.add("dance", "lab.cli:dance", "Dance.")

    with hooks.observing(Adds()):
        wanted = CommandsWanted()
        hooks.notify(wanted)
    assert "dance" in [c.name for c in wanted.commands]


def test_every_hook_has_an_event_and_a_description():
    specified = {n for n in vars(hooks.Specifications) if n.startswith("corteval_")}
    assert specified == set(hooks._HOOK_OF.values())
    assert all(getattr(hooks.Specifications, name).__doc__ for name in specified)


@pytest.fixture
def folders(tmp_path, monkeypatch):
    for name in ("CORTEVAL_HOME", "CORTEVAL_MIRROR", "CORTEVAL_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    project, user = tmp_path / "project" / "deep", tmp_path / "config" / "corteval"
    project.mkdir(parents=True)
    user.mkdir(parents=True)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(settings, "_flags", {})
    monkeypatch.chdir(project)
    return tmp_path / "project" / "corteval.toml", user / "config.toml"


def test_flag_beats_environment_beats_project_beats_user_beats_default(folders, monkeypatch):
    project, user = folders
    assert settings.setting("mirror").origin == "default"
    user.write_text('mirror = "from-user"')
    assert settings.setting("mirror").value == "from-user"
    project.write_text('mirror = "from-project"')
    assert settings.setting("mirror").value == "from-project"
    assert settings.setting("mirror").origin == str(project)
    monkeypatch.setenv("CORTEVAL_MIRROR", "from-environment")
    assert settings.setting("mirror").value == "from-environment"
    settings.set_flag("mirror", "from-flag")
    assert settings.setting("mirror").value == "from-flag"


def test_a_project_file_cannot_make_corteval_import_code(folders):
    project, user = folders
    project.write_text('plugin_path = "/tmp/evil"')
    assert settings.plugin_path() == []
    user.write_text('plugin_path = ["a", "b"]')
    assert [p.name for p in settings.plugin_path()] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mirror = ", "cannot be read"),
        ("miror = 'x'", "sets miror"),
        ("mirror = 3", "should be text"),
    ],
)
def test_a_wrong_file_is_named(folders, text, message):
    folders[0].write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        settings.setting("mirror")


def test_offline_is_yes_or_no(folders):
    assert not settings.offline()
    folders[0].write_text("offline = true")
    assert settings.offline()
    folders[0].write_text("offline = 'maybe'")
    with pytest.raises(ConfigurationError, match="neither yes nor no"):
        settings.offline()
