from __future__ import annotations

import pytest

from engine.errors import BotctlError, ConfigInvalid, Refused
from engine.host.env_file import read_env_file
from engine.host.secrets import Secrets, digest, workspace_salt
from engine.host.workspace import Workspace
from engine.spec.types import SecretRef

KEY = SecretRef(env="API_KEY")


def write_env(workspace: Workspace, text: str, mode: int = 0o600) -> None:
    workspace.env_file.write_text(text)
    workspace.env_file.chmod(mode)


def test_a_variable_is_found_in_the_env_file(workspace: Workspace) -> None:
    write_env(workspace, "API_KEY=hunter2\n")
    assert Secrets(workspace, shell={}).resolve("key", KEY) == "hunter2"


def test_a_supervised_bot_does_not_take_a_secret_from_the_shell(workspace: Workspace) -> None:
    with pytest.raises(ConfigInvalid, match="in this shell only") as refusal:
        Secrets(workspace, shell={"API_KEY": "hunter2"}).resolve("account a: api_key", KEY)
    assert "hunter2" not in f"{refusal.value}{refusal.value.hint}"
    assert ".env" in (refusal.value.hint or "")


def test_a_bot_in_the_foreground_takes_the_shell_s_value_first(workspace: Workspace) -> None:
    write_env(workspace, "API_KEY=from-file\n")
    secrets = Secrets(workspace, shell={"API_KEY": "from-shell"}, shell_allowed=True)
    assert secrets.resolve("key", KEY) == "from-shell"


def test_a_missing_secret_names_the_variable_and_where_to_put_it(workspace: Workspace) -> None:
    with pytest.raises(ConfigInvalid, match=r"account a: api_key: API_KEY is not in .*\.env"):
        Secrets(workspace, shell={}).resolve("account a: api_key", KEY)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_an_env_file_that_others_can_read_is_refused(workspace: Workspace, mode: int) -> None:
    write_env(workspace, "API_KEY=hunter2\n", mode)
    with pytest.raises(Refused, match="other users can read") as refusal:
        Secrets(workspace, shell={}).resolve("key", KEY)
    assert (refusal.value.hint or "").startswith("chmod 600")


def test_a_secret_file_is_read_from_the_workspace_and_stripped(workspace: Workspace) -> None:
    file = workspace.root / "key.txt"
    file.write_text("  hunter2\n")
    file.chmod(0o600)
    assert Secrets(workspace, shell={}).resolve("key", SecretRef(file="key.txt")) == "hunter2"


def test_a_secret_file_that_others_can_read_is_refused(workspace: Workspace) -> None:
    (workspace.root / "key.txt").write_text("hunter2")
    (workspace.root / "key.txt").chmod(0o644)
    with pytest.raises(Refused, match="other users can read"):
        Secrets(workspace, shell={}).resolve("key", SecretRef(file="key.txt"))


@pytest.mark.parametrize("content", [b"", b"   \n", b"\xff\xfe"])
def test_an_empty_or_binary_secret_file_is_an_error_without_its_content(
    workspace: Workspace, content: bytes
) -> None:
    file = workspace.root / "key.txt"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(ConfigInvalid):
        Secrets(workspace, shell={}).resolve("key", SecretRef(file="key.txt"))


def test_a_missing_secret_file_is_named(workspace: Workspace) -> None:
    with pytest.raises(ConfigInvalid, match=r"cannot read .*absent\.txt: FileNotFoundError"):
        Secrets(workspace, shell={}).resolve("key", SecretRef(file="absent.txt"))


def test_env_files_are_read_as_shells_write_them(workspace: Workspace) -> None:
    write_env(workspace, "# note\n\nA=1\nexport B='two words' \nC=\"x#y\"\nD=bare # remark\nE=\nA=last\nF=a=b#c\n")
    expected = {"A": "last", "B": "two words", "C": "x#y", "D": "bare", "E": "", "F": "a=b#c"}
    assert read_env_file(workspace.env_file) == expected


def test_a_broken_env_line_is_named_by_number_and_never_quoted(workspace: Workspace) -> None:
    write_env(workspace, "A=1\nhunter2 without a key\n")
    with pytest.raises(ConfigInvalid, match=r"\.env:2 is not") as refusal:
        read_env_file(workspace.env_file)
    assert "hunter2" not in str(refusal.value)


def test_no_error_of_the_resolver_shows_a_secret(workspace: Workspace) -> None:
    write_env(workspace, "OTHER=hunter2\nAPI_KEY=\n")
    with pytest.raises(BotctlError) as refusal:
        Secrets(workspace, shell={"API_KEY": "hunter2"}).resolve("key", KEY)
    assert "hunter2" not in f"{refusal.value!r}{refusal.value.hint}"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('K="a b" # mine', "a b"),
        ("K='a#b'", "a#b"),
        ("K=a#b # mine", "a#b"),
        ('K="it\'s"', "it's"),
        ("K=a=b==", "a=b=="),
        ("export K = ä€", "ä€"),
        ("\ufeffK=windows\r", "windows"),
    ],
)
def test_a_value_is_what_a_person_meant(workspace: Workspace, line: str, value: str) -> None:
    write_env(workspace, f"{line}\n")
    assert read_env_file(workspace.env_file) == {"K": value}


def test_a_digest_changes_with_the_secret_and_with_the_workspace(workspace: Workspace) -> None:
    salt = workspace_salt(workspace)
    assert digest("one", salt) == digest("one", workspace_salt(workspace))
    assert len({digest("one", salt), digest("two", salt), digest("one", b"another salt")}) == 3
