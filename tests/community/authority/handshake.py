"""Real TLS over the loopback: who lets whom in, and why not."""

from dataclasses import dataclass
from pathlib import Path
import socket
import ssl
import threading

from custom_components.carbon_meter.community.authority import keys
from custom_components.carbon_meter.community.authority.authority import Authority
from custom_components.carbon_meter.community.authority.credentials import Credentials


@dataclass
class Met:
    """What came of a handshake."""

    client: str | None = None
    """What the client complains about; None if it got an answer."""

    server: str | None = None
    """What the server complains about."""

    subject: str | None = None
    """Whom the server takes the client for."""

    @property
    def is_welcome(self) -> bool:
        return self.client is None and self.server is None


def server_context(
    folder: Path, authority: Authority, served: tuple[str, str], crl: str = ""
) -> ssl.SSLContext:
    """Return what a broker with these files does: it wants a certificate of its authorities."""
    folder.mkdir(exist_ok=True)
    chain = folder / "server.pem"
    chain.write_text("".join(served))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cadata=authority.bundle)
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.load_cert_chain(chain)
    if crl:
        (folder / "crl.pem").write_text(crl)
        context.load_verify_locations(folder / "crl.pem")
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    return context


def meet(client: ssl.SSLContext, server: ssl.SSLContext, host: str = "localhost") -> Met:
    """Let two contexts shake hands and exchange a word."""
    met = Met()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        thread = threading.Thread(target=_serve, args=(listener, server, met))
        thread.start()
        try:
            with (
                socket.create_connection(listener.getsockname(), timeout=10) as plain,
                client.wrap_socket(plain, server_hostname=host) as wrapped,
            ):
                # With TLS 1.3 the server looks at the client's certificate after this.
                if wrapped.recv(2) != b"ok":
                    met.client = "hung up"
        except OSError as err:
            met.client = str(err)
        thread.join()
    return met


def _serve(listener: socket.socket, context: ssl.SSLContext, met: Met) -> None:
    plain, _ = listener.accept()
    plain.settimeout(10)
    try:
        with plain, context.wrap_socket(plain, server_side=True) as wrapped:
            certificate = wrapped.getpeercert(binary_form=True)
            assert certificate is not None
            met.subject = keys.subject_of(ssl.DER_cert_to_PEM_cert(certificate))
            wrapped.sendall(b"ok")
    except OSError as err:
        met.server = str(err)


def home(folder: Path, authority: Authority, name: str, now: float, **period: int) -> Credentials:
    """Return the credentials of a home that has enrolled."""
    key = keys.new_key()
    certificate = authority.sign_client(keys.csr_for(key, name), name, now=now, **period)
    credentials = Credentials(folder)
    credentials.store(key, certificate, authority.bundle)
    return credentials
