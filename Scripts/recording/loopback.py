"""A small API on loopback, the requests of a browser to it, and servers that stand in front of it."""
import http.server, os, signal, socket, socketserver, subprocess, threading, time

APP, OTHER = "https://app.example.com", "https://other.example.com"
AGENT = ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 "
         "Safari/537.36")


class API(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self):
        origin = self.headers.get("Origin")
        is_preflight = self.command == "OPTIONS"
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, fields = (204 if is_preflight else 200), []
        if self.path.startswith("/orders") and origin == APP:
            fields += [("Access-Control-Allow-Origin", origin), ("Vary", "Origin")]
            fields += [("Access-Control-Allow-Credentials", "true")]
            if is_preflight:
                fields += [("Access-Control-Allow-Methods", "GET, PUT"),
                           ("Access-Control-Allow-Headers", "content-type"), ("Access-Control-Max-Age", "600")]
        elif self.path.startswith("/public"):
            fields += [("Access-Control-Allow-Origin", "*")]
        elif self.path.startswith("/twice"):
            fields += [("Access-Control-Allow-Origin", origin or "*"), ("Access-Control-Allow-Origin", "*")]
        elif self.path.startswith("/auth") and is_preflight:
            status = 401
        elif self.path.startswith("/broken"):
            status = 500
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", "3")
        self.end_headers()
        if status != 204 and self.command != "HEAD":
            self.wfile.write(b"ok\n")

    do_GET = do_PUT = do_DELETE = do_OPTIONS = answer


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, *_):
        """Servers close connections that they keep open when they end."""


def send(port, method, path, origin=APP, asks=None, names=None, more=()):
    fields = {"Host": "api.example.com", "User-Agent": AGENT, "Connection": "close"}
    if origin:
        fields |= {"Origin": origin, "Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "cross-site"}
    if asks:
        fields["Access-Control-Request-Method"] = asks
    if names:
        fields["Access-Control-Request-Headers"] = names
    fields |= dict(more)
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in fields.items()) + "\r\n"
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.settimeout(5)
        connection.sendall(head.encode())
        while connection.recv(65536):
            pass
    time.sleep(0.02)


def drive(port):
    """The requests, and what a browser's verdict on each call is."""
    send(port, "OPTIONS", "/orders/1", asks="PUT", names="content-type")
    send(port, "PUT", "/orders/1", more=[("Content-Length", "0"), ("Content-Type", "application/json")])
    send(port, "GET", "/orders?page=1")
    send(port, "GET", "/orders/3", more=[("Cookie", "sid=1")])
    send(port, "OPTIONS", "/orders/4", origin=OTHER, asks="PUT", names="content-type")
    send(port, "OPTIONS", "/orders/5", asks="PUT", names="content-type,traceparent")
    send(port, "OPTIONS", "/orders/6", asks="PATCH")
    send(port, "GET", "/orders/7", origin=OTHER)
    send(port, "GET", "/public/8")
    send(port, "GET", "/twice/9")
    send(port, "OPTIONS", "/auth/10", asks="GET", names="authorization")
    send(port, "GET", "/broken/11")
    send(port, "GET", "/orders/12", origin=None)
    blocked = {"/orders/4", "/orders/5", "/orders/6", "/orders/7", "/twice/9", "/auth/10", "/broken/11"}
    allowed = {"/orders/1", "/orders?page=1", "/orders/3", "/public/8"}
    return {path: "blocked" for path in blocked} | {path: "allowed" for path in allowed}


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            time.sleep(0.05)
    return False


def serve(handler=API):
    """Starts the API, or another handler, on a port of its own."""
    server = Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def start(command, folder, **options):
    """Starts a server as the leader of a group of its own, and keeps what it says in a file."""
    output = open(f"{folder}/output", "a")
    environment = os.environ | {"PATH": os.environ["PATH"] + ":/usr/sbin", "HOME": folder}
    return subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True,
                            env=environment, **options)


def stop(process):
    """Ends what was started here: its own group of processes."""
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(30)
