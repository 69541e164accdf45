"""chunk-invariance against a gate: whatever the pieces in which an upstream sends its answer, what arrives is the same.

BASE_URL is the gate, PORT where the upstream is to be that stands behind it, TEXTS the answers to send: a JSON array. In them, `{0}` is the
token that the upstream got in place of the first number of PROMPT, and so on.
"""

import json
import os
import re
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from chunk_invariance import assert_chunk_invariant

PROMPT = os.environ["PROMPT"]
state = {"chunks": [], "tokens": []}


def event(delta, finish=None):
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode()


class Upstream(BaseHTTPRequestHandler):
    """Answers with the chunks of the moment, an event each, or with all of them in one body."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        state["tokens"] = re.findall("⟦[^⟦⟧]*⟧", body["messages"][0]["content"])
        text = "".join(state["chunks"])
        if body.get("stream"):
            parts = [event({"content": part}) for part in state["chunks"]]
            payload, kind = b"".join([*parts, event({}, "stop"), b"data: [DONE]\n\n"]), "text/event-stream"
        else:
            choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
            whole = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
            payload, kind = json.dumps(whole).encode(), "application/json"
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_):
        pass


def ask(stream):
    body = json.dumps({"model": "m", "stream": stream, "messages": [{"role": "user", "content": PROMPT}]}).encode()
    request = urllib.request.Request(
        os.environ["BASE_URL"] + "/chat/completions", body, {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.read().decode()


def stream_filter(chunks):
    state["chunks"] = list(chunks)
    for line in ask(True).splitlines():
        if line.startswith("data: {"):
            yield json.loads(line[6:])["choices"][0]["delta"].get("content") or ""


def whole_filter(text):
    state["chunks"] = [text]
    return json.loads(ask(False))["choices"][0]["message"]["content"]


server = ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Upstream)
threading.Thread(target=server.serve_forever, daemon=True).start()
checked = 0
for answer in json.loads(os.environ["TEXTS"]):
    whole_filter("hello")
    text = answer["says"].format(*state["tokens"])
    assert whole_filter(text) == answer["becomes"], (whole_filter(text), answer["becomes"])
    checked += assert_chunk_invariant(stream_filter, whole_filter, text)
server.shutdown()
print(f"{checked} splits made no difference")
