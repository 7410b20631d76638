"""Tells Weir of a sign-in, a sign-out or a failed sign-in. Python 3.8 or newer, no package.

    from weir_events import Weir
    weir = Weir("https://weir.example.org:8443/v1/events", "/etc/weir-client/token", "/var/spool/weir/events.ndjson")
    weir.event("sign-in", account, address, port)          # also "sign-out", "failure"

What cannot be sent at once goes into the spool file; ship.sh sends it later. In WSGI the address and the port are
environ["REMOTE_ADDR"] and environ["REMOTE_PORT"]; in ASGI scope["client"]; behind a proxy, what the proxy hands on.
"""

import datetime
import fcntl
import json
import os
import ssl
import sys
import urllib.error
import urllib.request
import uuid


class Weir:
    def __init__(self, url, token_file, spool, ca=None, timeout=2.0):
        with open(token_file, encoding="ascii") as file:
            self.token = file.read().strip()
        self.url, self.spool, self.timeout = url, spool, timeout
        self.tls = ssl.create_default_context(cafile=ca) if url.startswith("https:") else None

    def event(self, action, account, address, port=None, **more):
        time = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
        event = {"time": time, "action": action, "account": account, "address": address, "port": port, **more}
        line = json.dumps(event, ensure_ascii=False).encode() + b"\n"
        status = self.post(line)
        # 422: the line is wrong and stays so; the answer said why. Anything else may be better later.
        if status not in (200, 422):
            with open(os.open(self.spool, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as spool:
                fcntl.flock(spool, fcntl.LOCK_EX)
                spool.write(line)
        return status == 200

    def post(self, body):
        head = {
            "Authorization": "Bearer " + self.token,
            "Content-Type": "application/x-ndjson",
            "Idempotency-Key": uuid.uuid4().hex,
        }
        request = urllib.request.Request(self.url, data=body, headers=head, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=self.timeout, context=self.tls) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0


if __name__ == "__main__":
    # weir_events.py URL TOKEN_FILE SPOOL ACTION ACCOUNT ADDRESS [PORT]
    url, token_file, spool, action, account, address, *port = sys.argv[1:]
    sent = Weir(url, token_file, spool, ca=os.environ.get("WEIR_CA")).event(action, account, address, *map(int, port))
    sys.exit(0 if sent else 1)
