"""What an integrator writes after guide A: one bearer token, plain and batched completions, a socket that streams, a dataset, an image.

Only HOST, the key and its secret differ from the guide's own host. Every step prints one line of JSON with its name and what it got.
"""

import asyncio
import base64
import json
import os
import time

import jwt
import requests
import websockets
from websockets.sync.client import connect

HOST = os.environ.get("HOST", "127.0.0.1:8787")
API_KEY = os.environ["API_KEY"]
API_SECRET = os.environ["API_SECRET"]
#: What fails on purpose, to see the circuit breaker at work.
BROKEN_MODEL = os.environ.get("BROKEN_MODEL", "deepseek-r1+status-500")

TIMEOUT_S = 30
PNG = base64.b64encode(
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0\x1f\x15\xc4\x89"
    b"\0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\5\0\1\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82"
).decode()


def token():
    """An hour's token that carries the key, signed with the secret."""
    now = int(time.time())
    claims = {"iss": "guide-a-app", "iat": now, "exp": now + 3600, "api_key": API_KEY}
    return jwt.encode(claims, API_SECRET, algorithm="HS256")


class CircuitOpen(Exception):
    """The server failed too often: it is left alone for a while."""


class CircuitBreaker:
    """Opens after so many server errors in a row, and lets one call through when it has waited."""

    def __init__(self, threshold=5, recovery_s=30.0):
        self.threshold = threshold
        self.recovery_s = recovery_s
        self.failures = 0
        self.opened_at = None

    def call(self, function, *args):
        if self.opened_at is not None and time.monotonic() - self.opened_at < self.recovery_s:
            raise CircuitOpen()
        try:
            result = function(*args)
        except requests.HTTPError as error:
            if error.response.status_code >= 500:
                self.failures += 1
                if self.failures >= self.threshold:
                    self.opened_at = time.monotonic()
            raise
        self.failures = 0
        self.opened_at = None
        return result


def complete(bearer, **body):
    response = requests.post(
        f"http://{HOST}/v1/complete", json=body, headers={"Authorization": f"Bearer {bearer}"}, timeout=TIMEOUT_S
    )
    response.raise_for_status()
    return response.json()


REQUEST = {"model": "deepseek-r1", "prompt": "Why is the sky blue?", "stream": True, "max_tokens": 2048}


def stream_sync():
    """The socket with blocking calls: the text, how it ended, and the number of messages."""
    text, messages = "", 0
    with connect(f"ws://{HOST}/v1/stream") as socket:
        socket.send(json.dumps(REQUEST))
        while True:
            response = json.loads(socket.recv(timeout=TIMEOUT_S))
            messages += 1
            text += response["choices"][0]["text"]
            if "finish_reason" in response:
                return text, response["finish_reason"], messages, response.get("usage")


async def stream_async(questions):
    """The socket with asyncio: several questions one after the other."""
    answers = []
    async with websockets.connect(f"ws://{HOST}/v1/stream") as socket:
        for question in questions:
            await socket.send(json.dumps({**REQUEST, "prompt": question}))
            text = ""
            async for message in socket:
                response = json.loads(message)
                text += response["choices"][0]["text"]
                if "finish_reason" in response:
                    break
            answers.append(text)
    return answers


def batch(prompts):
    """As the guide has it: without credentials."""
    response = requests.post(f"http://{HOST}/v1/batch", json={"prompts": prompts}, timeout=TIMEOUT_S)
    response.raise_for_status()
    return response.json()


def upload(bearer, lines):
    content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    response = requests.post(
        f"http://{HOST}/v1/datasets",
        files={"file": ("dataset.jsonl", content.encode())},
        headers={"Authorization": f"Bearer {bearer}"},
        timeout=TIMEOUT_S,
    )
    response.raise_for_status()
    return response.json()["dataset_id"]


def say(step, **found):
    print(json.dumps({"step": step, **found}, ensure_ascii=False), flush=True)


def main():
    bearer = token()
    say("complete", answer=complete(bearer, prompt="Name one river."))
    say("complete with the key itself", answer=complete(API_KEY, prompt="Name one river."))

    for credential, name in ((bearer[:-2] + "AA", "an edited token"), ("sgk_live_unknown", "an unknown key")):
        try:
            complete(credential, prompt="Name one river.")
        except requests.HTTPError as error:
            say(name, status=error.response.status_code, error=error.response.json()["error"])

    breaker = CircuitBreaker()
    statuses, is_open = [], False
    for _ in range(5):
        try:
            breaker.call(lambda: complete(bearer, model=BROKEN_MODEL, prompt="Hello"))
        except requests.HTTPError as error:
            statuses.append(error.response.status_code)
    try:
        breaker.call(lambda: complete(bearer, prompt="Hello"))
    except CircuitOpen:
        is_open = True
    say("breaker", statuses=statuses, is_open=is_open)

    text, finish_reason, messages, usage = stream_sync()
    say("stream", text=text, finish_reason=finish_reason, messages=messages, usage=usage)
    say("stream, asyncio", answers=asyncio.run(stream_async(["First: one?", "Second: two?"])))

    prompts = [f"Question number {number}: what is it?" for number in range(32)]
    say("batch", answers=batch(prompts))
    try:
        batch(prompts + ["one too many"])
    except requests.HTTPError as error:
        say("batch of 33", status=error.response.status_code, error=error.response.json()["error"])

    examples = [{"prompt": f"question {number} 问", "completion": "answer 答"} for number in range(200)]
    say("dataset", dataset_id=upload(bearer, examples))

    inputs = [{"type": "text", "data": "What is in this picture?"}, {"type": "image", "data": PNG}]
    say("multimodal", answer=complete(bearer, model="deepseek-r1-multimodal", inputs=inputs))


if __name__ == "__main__":
    main()
