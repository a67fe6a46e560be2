"""The ways to a person, over real sockets: what they are sent, and what is said when it is not taken."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message as Mail
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MailHandler
from aiosmtpd.smtp import AuthResult, LoginPassword

from engine.control.alerts.channels import beat, send
from engine.control.alerts.message import Message
from engine.errors import ConfigInvalid, Unavailable
from engine.host.secrets import Secrets
from engine.host.workspace import Workspace
from engine.spec.types import ChannelSpec, EmailSpec, SecretRef, TelegramSpec
from engine.transport.tls import client_context
from tests.control.heard import Heard
from tests.transport.conftest import certificate, server_context
from tests.transport.loopback import free_port

__all__ = ["certificate", "server_context"]

NEWS = Message(subject="botctl demo: 1 new", text="botctl demo: 1 new\nnew: sol is failed")
SECRET = SecretRef(env="SECRET")
TOKEN = "123456:a-token-of-some-length"
PASSWORD = "correct horse"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(root=tmp_path)


def tell(workspace: Workspace, channel: ChannelSpec, secret: str) -> None:
    workspace.env_file.write_text(f"SECRET={secret}\n")
    workspace.env_file.chmod(0o600)
    send(channel, "ops", Secrets(workspace, shell={}), "demo", NEWS)


class Box(MailHandler):
    """A mail server's users and what came for them."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[Mail] = []

    def handle_message(self, message: Mail) -> None:
        self.mails.append(message)


def authenticator(
    _server: object, _session: object, _envelope: object, _mechanism: str, data: object
) -> AuthResult:
    is_known = isinstance(data, LoginPassword) and (data.login, data.password) == (b"bot", PASSWORD.encode())
    return AuthResult(success=is_known)


@pytest.fixture
def box() -> Box:
    return Box()


@contextmanager
def taking(box: Box, **options: Any) -> Iterator[int]:
    controller = Controller(box, "127.0.0.1", free_port(), **options)
    controller.start()
    yield controller.port
    controller.stop()


@pytest.fixture
def plain_server(box: Box) -> Iterator[str]:
    with taking(box, authenticator=authenticator, auth_require_tls=False) as port:
        yield f"smtp://127.0.0.1:{port}"


@pytest.fixture
def tls_server(box: Box, server_context: ssl.SSLContext) -> Iterator[str]:
    with taking(box, ssl_context=server_context) as port:
        yield f"smtps://127.0.0.1:{port}"


def mail_to(server: str, *, password: bool = False) -> ChannelSpec:
    login = {"user": "bot", "password": SECRET} if password else {}
    return ChannelSpec(email=EmailSpec(server=server, sender="bot@desk.example", to=("me@desk.example",), **login))


def test_a_webhook_gets_the_words_where_chat_services_look_for_them(heard: Heard, workspace: Workspace) -> None:
    tell(workspace, ChannelSpec(webhook=SECRET), f"{heard.url}/hook")
    ((path, _, body),) = heard.told
    assert path == "/hook"
    assert body == {"fleet": "demo", "subject": NEWS.subject, "text": NEWS.text, "content": NEWS.text}


def test_telegram_is_asked_by_its_bot_api(heard: Heard, workspace: Workspace) -> None:
    tell(workspace, ChannelSpec(telegram=TelegramSpec(token=SECRET, chat="-100123", url=heard.url)), TOKEN)
    ((path, _, body),) = heard.told
    assert path == f"/bot{TOKEN}/sendMessage"
    assert (body["chat_id"], body["text"]) == ("-100123", NEWS.text)


def test_mail_is_sent_with_a_login(plain_server: str, box: Box, workspace: Workspace) -> None:
    tell(workspace, mail_to(plain_server, password=True), PASSWORD)
    (mail,) = box.mails
    assert (mail["Subject"], mail["From"], mail["To"]) == (NEWS.subject, "bot@desk.example", "me@desk.example")
    assert str(mail.get_payload()).splitlines() == NEWS.text.splitlines()


def test_mail_over_tls_goes_to_a_server_that_proves_its_name_and_to_no_other(
    tls_server: str, box: Box, workspace: Workspace, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client_context.cache_clear()
    with pytest.raises(Unavailable, match="SSLCertVerificationError"):
        tell(workspace, mail_to(tls_server), "")
    assert box.mails == []
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    client_context.cache_clear()
    tell(workspace, mail_to(tls_server), "")
    client_context.cache_clear()
    assert len(box.mails) == 1


@pytest.mark.parametrize("status", [302, 401, 500])
def test_what_is_not_taken_is_unavailable_and_no_secret_is_said(
    heard: Heard, workspace: Workspace, status: int
) -> None:
    heard.answer = status
    with pytest.raises(Unavailable) as refused:
        tell(workspace, ChannelSpec(telegram=TelegramSpec(token=SECRET, chat="1", url=heard.url)), TOKEN)
    assert refused.value.message == f"it answered {status}"


def test_a_wrong_password_is_not_said(plain_server: str, workspace: Workspace) -> None:
    with pytest.raises(Unavailable) as refused:
        tell(workspace, mail_to(plain_server, password=True), "wrong and secret")
    assert refused.value.message.startswith("the mail server did not take it: SMTP")
    assert "secret" not in refused.value.message


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/x-secret", "no address", "http://[/x-secret"])
def test_who_cannot_be_reached_is_unavailable_and_not_said(workspace: Workspace, address: str) -> None:
    with pytest.raises(Unavailable) as refused:
        tell(workspace, ChannelSpec(webhook=SECRET), address)
    assert "secret" not in refused.value.message


def test_a_secret_that_is_missing_is_named(workspace: Workspace) -> None:
    with pytest.raises(ConfigInvalid, match="channel ops"):
        send(ChannelSpec(webhook=SECRET), "ops", Secrets(workspace, shell={}), "demo", NEWS)


def test_a_heartbeat_is_a_question(heard: Heard) -> None:
    heard.answer = 200
    beat(f"{heard.url}/ping/abc")
    assert heard.asked == ["/ping/abc"]
