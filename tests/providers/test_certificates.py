"""Whom encrypted connections trust, against a real TLS server whose certificate a real authority of the test's has signed."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import permutations
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from deepsel.clock import SystemClock
from deepsel.errors import AttemptFailed, ConfigError
from deepsel.providers import transport
from deepsel.providers.calls import Call, Timeouts, Trust
from deepsel.providers.certificates import Certificates, system_folder

pytestmark = pytest.mark.skipif(not shutil.which("openssl") and not os.environ.get("CI"), reason="needs openssl")
PATIENT = Timeouts(connect_s=60, first_token_s=60, progress_s=60, idle_s=60)


def openssl(folder: Path, *arguments: str) -> str:
    """Run openssl in a folder."""
    done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority (ca.pem), a certificate of 127.0.0.1 that it has signed, and a folder that names the authority by hash."""
    folder = tmp_path_factory.mktemp("authority")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl(folder, "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test CA", "-days", "2")
    openssl(folder, "req", *key, "-keyout", "host.key", "-out", "host.csr", "-subj", "/CN=127.0.0.1")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    signing = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names", "-days", "2")
    openssl(folder, "x509", "-req", "-in", "host.csr", "-out", "host.pem", *signing)
    (folder / "by-hash").mkdir()
    digest = openssl(folder, "x509", "-in", "ca.pem", "-noout", "-hash")
    shutil.copy(folder / "ca.pem", folder / "by-hash" / f"{digest}.0")
    return folder


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that nobody has signed (host.pem), and an authority called as the other one that has signed nothing."""
    folder = tmp_path_factory.mktemp("strangers")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    openssl(folder, "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test CA")
    openssl(
        folder, "req", "-x509", *key, "-keyout", "host.key", "-out", "host.pem", "-subj", "/CN=127.0.0.1",
        "-addext", "subjectAltName=IP:127.0.0.1",
    )  # fmt: skip
    return folder


class _Hello(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Answer."""
        self.send_response(200)
        self.send_header("content-length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(authority: Path) -> Iterator[ThreadingHTTPServer]:
    """An HTTPS server on loopback whose certificate the authority has signed."""
    with serving(authority) as made:
        yield made


@contextmanager
def serving(folder: Path, *, clients: Path | None = None) -> Iterator[ThreadingHTTPServer]:
    """Run an HTTPS server on loopback with the certificate in a folder; `clients`: who has to have signed theirs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if clients is not None:
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(folder / "host.pem", folder / "host.key")
    made = ThreadingHTTPServer(("127.0.0.1", 0), _Hello)
    made.socket = context.wrap_socket(made.socket, server_side=True, do_handshake_on_connect=False)
    made.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that does not trust it hangs up
    thread = Thread(target=made.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.shutdown()
        thread.join(5)
        made.server_close()


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Make a transport that tries a folder first and has a bundle behind it; counts how often the bundle is loaded."""
    def make(folder: Path | None, bundle: Path | None) -> tuple[transport.HttpTransport, list[int]]:
        loads: list[int] = []

        def load(env: Mapping[str, str]) -> ssl.SSLContext:
            loads.append(1)
            return ssl.create_default_context(cafile=str(bundle)) if bundle else httpx.create_ssl_context()

        monkeypatch.setattr(transport, "system_folder", lambda env: str(folder) if folder else None)
        monkeypatch.setattr(transport, "bundle", load)
        return transport.HttpTransport(SystemClock(), env={}), loads

    return make


def _ask(made: transport.HttpTransport, server: ThreadingHTTPServer) -> bytes:
    call = Call("POST", f"https://127.0.0.1:{server.server_port}/", {}, b"{}")
    with made, made.open(call, timeouts=PATIENT) as response:
        return b"".join(response.iter_bytes())


def _is_answered(made: transport.Transport, server: ThreadingHTTPServer, trust: Trust | None = None) -> bool:
    call = Call("POST", f"https://127.0.0.1:{server.server_port}/", {}, b"{}", trust=trust)
    try:
        with made.open(call, timeouts=PATIENT) as response:
            return b"".join(response.iter_bytes()) == b"hello"
    except AttemptFailed as error:
        if "not trusted" not in error.message:
            raise
        return False


def test_the_folder_is_enough(server: ThreadingHTTPServer, authority: Path, trusting: Callable[..., Any]) -> None:
    """Where the system's folder has the authority, no bundle is loaded."""
    made, loads = trusting(authority / "by-hash", None)
    assert _ask(made, server) == b"hello"
    assert not loads


def test_what_only_the_bundle_trusts_is_trusted(
    server: ThreadingHTTPServer, authority: Path, tmp_path: Path, trusting: Callable[..., Any]
) -> None:
    """A folder without the authority costs one more connection, not the answer."""
    made, loads = trusting(tmp_path, authority / "ca.pem")
    assert _ask(made, server) == b"hello"
    assert loads == [1]


@pytest.mark.parametrize("has_folder", [True, False])
def test_what_nobody_trusts_is_refused(
    server: ThreadingHTTPServer, tmp_path: Path, trusting: Callable[..., Any], has_folder: bool
) -> None:
    """A certificate of an unknown authority ends the call, with a hint, after both have been asked."""
    made, loads = trusting(tmp_path if has_folder else None, None)
    with pytest.raises(AttemptFailed, match="not trusted") as caught:
        _ask(made, server)
    assert "SSL_CERT_FILE" in caught.value.hint
    assert loads == [1]


@pytest.mark.parametrize("has_namesake", [False, True])
def test_trust_does_not_depend_on_the_order(
    server: ThreadingHTTPServer, authority: Path, strangers: Path, trusting: Callable[..., Any], has_namesake: bool
) -> None:
    """A host of the folder's authority stays trusted after another host was refused, whatever authorities the bundle has."""
    made, loads = trusting(authority / "by-hash", strangers / "ca.pem" if has_namesake else None)
    with serving(strangers) as stranger, made:
        for target, is_trusted in ((stranger, False), (server, True), (stranger, False), (server, True)):
            made.drop_connections()
            assert _is_answered(made, target) is is_trusted
        assert loads == [1]
    again, loads = trusting(authority / "by-hash", strangers / "ca.pem" if has_namesake else None)
    with serving(strangers) as stranger, again:
        for target, is_trusted in ((server, True), (stranger, False), (server, True)):
            again.drop_connections()
            assert _is_answered(again, target) is is_trusted
        assert loads == [1]


def test_what_the_bundle_adds_stays(
    server: ThreadingHTTPServer, authority: Path, strangers: Path, tmp_path: Path, trusting: Callable[..., Any]
) -> None:
    """Hosts that only the folder or only the bundle trusts are trusted in any order, and again, with one load of the bundle."""
    digest = openssl(strangers, "x509", "-in", "host.pem", "-noout", "-hash")
    shutil.copy(strangers / "host.pem", tmp_path / f"{digest}.0")
    with serving(strangers) as other:
        for order in permutations([server, other, server, other], 4):
            made, loads = trusting(tmp_path, authority / "ca.pem")
            with made:
                for target in order:
                    made.drop_connections()
                    assert _is_answered(made, target)
            assert loads == [1]


def test_threads_that_meet_the_bundle_together_all_use_it(
    server: ThreadingHTTPServer, authority: Path, tmp_path: Path, trusting: Callable[..., Any]
) -> None:
    """Of many first calls at once to a host that only the bundle trusts every one is answered."""
    made, loads = trusting(tmp_path, authority / "ca.pem")
    with made, ThreadPoolExecutor(16) as pool:
        assert [*pool.map(lambda _: _is_answered(made, server), range(32))] == [True] * 32
    assert loads == [1]


def test_a_wrong_name_is_refused(server: ThreadingHTTPServer, authority: Path, trusting: Callable[..., Any]) -> None:
    """A trusted authority's certificate for another name is not enough."""
    made, _ = trusting(authority / "by-hash", authority / "ca.pem")
    call = Call("POST", f"https://localhost:{server.server_port}/", {}, b"{}")
    with made, pytest.raises(AttemptFailed, match="not trusted"), made.open(call, timeouts=PATIENT):
        pass


def test_the_environment_comes_first(
    monkeypatch: pytest.MonkeyPatch, server: ThreadingHTTPServer, authority: Path
) -> None:
    """Certificates named by the environment are the only ones; a file that is missing is a configuration error."""
    paths = ssl.get_default_verify_paths()._replace(capath=str(authority / "by-hash"))
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    assert system_folder({}) == str(authority / "by-hash")
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        assert system_folder({name: "/nonexistent/ca.pem"}) is None
    with pytest.raises(ConfigError, match="SSL_CERT_FILE"):
        _ask(transport.HttpTransport(SystemClock(), env={"SSL_CERT_FILE": "/nonexistent/ca.pem"}), server)


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_the_environment_that_is_handed_in_is_trusted(name: str, server: ThreadingHTTPServer, authority: Path) -> None:
    """A server whose authority the environment names is trusted, whatever the process's own environment says."""
    named = authority / ("ca.pem" if name == "SSL_CERT_FILE" else "by-hash")
    made = transport.HttpTransport(SystemClock(), env={name: str(named)})
    assert _ask(made, server) == b"hello"


def test_a_folder_without_hashes_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder OpenSSL cannot look up by hash, or that is not there, is not used."""
    paths = ssl.get_default_verify_paths()
    (tmp_path / "ca.pem").write_text("")
    for folder in (str(tmp_path), "/nonexistent", None):
        monkeypatch.setattr(ssl, "get_default_verify_paths", lambda found=folder: paths._replace(capath=found))
        assert system_folder({}) is None


@pytest.mark.parametrize("folder", [True, False])
def test_every_context_checks(authority: Path, folder: bool) -> None:
    """Both kinds check certificates and names."""
    context = Certificates(httpx.create_ssl_context, str(authority / "by-hash") if folder else None).context()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.fixture(scope="module")
def loose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority and a certificate of 127.0.0.1 that does not name the authority's key, as RFC 5280 wants it."""
    folder = tmp_path_factory.mktemp("loose")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl(folder, "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Corp CA", "-days", "2")
    openssl(folder, "req", *key, "-keyout", "host.key", "-out", "host.csr", "-subj", "/CN=127.0.0.1")
    names = "subjectAltName=IP:127.0.0.1\nauthorityKeyIdentifier=none\nsubjectKeyIdentifier=none\n"
    (folder / "names").write_text(names)
    signing = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names", "-days", "2")
    openssl(folder, "x509", "-req", "-in", "host.csr", "-out", "host.pem", *signing)
    return folder


def test_a_certificate_of_loose_form_is_trusted(loose: Path) -> None:
    """What the named authority has signed is trusted whatever this Python thinks of its form, as since 3.13 it does."""

    def strict(env: Mapping[str, str]) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=env["SSL_CERT_FILE"])
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    with pytest.MonkeyPatch.context() as patch, serving(loose) as server:
        patch.setattr(transport, "bundle", strict)
        made = transport.HttpTransport(SystemClock(), env={"SSL_CERT_FILE": str(loose / "ca.pem")})
        assert _ask(made, server) == b"hello"


def test_the_advice_knows_what_is_set(server: ThreadingHTTPServer, strangers: Path) -> None:
    """Whoever has named certificates is not told to name some, but that they are not those."""
    made = transport.HttpTransport(SystemClock(), env={"SSL_CERT_FILE": str(strangers / "ca.pem")})
    with pytest.raises(AttemptFailed, match="not trusted") as caught:
        _ask(made, server)
    assert caught.value.hint.startswith("SSL_CERT_FILE is set, and nothing it names")


@pytest.mark.parametrize("named", ["", "strangers"])
def test_a_provider_s_own_authority_is_trusted_there_alone(
    server: ThreadingHTTPServer, authority: Path, strangers: Path, named: str
) -> None:
    """`ca_file` is the only one trusted for its provider's calls, whatever the environment names, and for no other call."""
    env = {"SSL_CERT_FILE": str(strangers / "ca.pem")} if named else {}
    with transport.HttpTransport(SystemClock(), env=env) as made:
        for _ in range(2):
            assert _is_answered(made, server, Trust(str(authority / "ca.pem")))
            assert not _is_answered(made, server, Trust(str(strangers / "ca.pem")))
            assert not _is_answered(made, server)


def test_a_host_that_asks_for_a_client_s_certificate(authority: Path, strangers: Path) -> None:
    """`client_cert` is shown to it; without one the call fails, and what cannot be loaded is told by its key."""
    own = authority / "client.pem"
    own.write_text((authority / "host.pem").read_text() + (authority / "host.key").read_text())
    ca_file = str(authority / "ca.pem")
    with serving(authority, clients=authority / "ca.pem") as server, transport.HttpTransport(SystemClock(), env={}) as made:
        assert _is_answered(made, server, Trust(ca_file, str(own)))
        with pytest.raises(AttemptFailed, match="wants a certificate"):
            _is_answered(made, server, Trust(ca_file))
        for wrong in (Trust(ca_file, str(strangers / "nope.pem")), Trust(str(authority / "host.key"))):
            with pytest.raises(ConfigError, match="of a provider"):
                _is_answered(made, server, wrong)
