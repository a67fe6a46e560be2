"""Ways to a person: a webhook, Telegram, e-mail. Each raises Unavailable when a message was not taken.

No address, token or password is ever said in an error.
"""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

import httpx

from engine.control.alerts.message import Message
from engine.control.metrics.place import is_loopback
from engine.errors import Unavailable
from engine.host.secrets import Secrets
from engine.spec.types import ChannelSpec, EmailSpec, TelegramSpec
from engine.transport.tls import client_context

TIMEOUT_S = 10.0
SUBMISSION_PORTS = {"smtps": 465, "smtp": 587}


def send(channel: ChannelSpec, name: str, secrets: Secrets, fleet_id: str, message: Message) -> None:
    """Over whichever of the ways the channel is. ConfigInvalid when its secret is missing."""
    what = f"alerts: channel {name}"
    if channel.webhook is not None:
        document = {"fleet": fleet_id, "subject": message.subject, "text": message.text, "content": message.text}
        _post(secrets.resolve(what, channel.webhook), document)
    elif channel.telegram is not None:
        _telegram(channel.telegram, secrets.resolve(what, channel.telegram.token), message)
    elif channel.email is not None:
        password = secrets.resolve(what, channel.email.password) if channel.email.password else None
        _email(channel.email, password, message)


def beat(address: str) -> None:
    """Tell whoever waits for a sign of life that there is one."""
    _taken(lambda client: client.get(address))


def _post(address: str, document: dict[str, Any]) -> None:
    _taken(lambda client: client.post(address, json=document))


def _taken(ask: Any) -> None:
    try:
        with httpx.Client(timeout=TIMEOUT_S, follow_redirects=False) as client:
            answer: httpx.Response = ask(client)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unavailable(f"it cannot be reached: {type(error).__name__}") from error
    if not answer.is_success:
        raise Unavailable(f"it answered {answer.status_code}")


def _telegram(spec: TelegramSpec, token: str, message: Message) -> None:
    """Bot API, sendMessage; the token is part of the address."""
    words = {"chat_id": spec.chat, "text": message.text, "disable_web_page_preview": True}
    _post(f"{spec.url}/bot{token}/sendMessage", words)


def _email(spec: EmailSpec, password: str | None, message: Message) -> None:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = message.subject, spec.sender, ", ".join(spec.to)
    mail.set_content(message.text)
    try:
        with _mail_server(spec.server) as server:
            if spec.user and password:
                server.login(spec.user, password)
            server.send_message(mail)
    except (OSError, smtplib.SMTPException) as error:
        raise Unavailable(f"the mail server did not take it: {type(error).__name__}") from error


def _mail_server(url: str) -> smtplib.SMTP:
    """Over TLS from the start (`smtps`), or from STARTTLS on (`smtp`); in clear only to this host."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or SUBMISSION_PORTS[parts.scheme]
    if parts.scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=client_context())
    server = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
    if not is_loopback(host):
        server.starttls(context=client_context())
    return server
