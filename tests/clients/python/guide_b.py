"""What an integrator writes after guide B: an access token for a signed assertion, inference whole and streamed, a model's status.

Only HOST, the key and its secret differ from the guide's own host. Every step prints one line of JSON with its name and what it got.
"""

import json
import os
import time

import jwt
import requests

HOST = os.environ.get("HOST", "127.0.0.1:8787")
API_KEY = os.environ["API_KEY"]
API_SECRET = os.environ["API_SECRET"]

BASE = f"http://{HOST}"
TIMEOUT_S = 30
DAY_S = 86_400


def assertion():
    now = int(time.time())
    return jwt.encode({"iss": API_KEY, "iat": now, "exp": now + DAY_S}, API_SECRET, algorithm="HS256")


def access_token():
    response = requests.post(
        f"{BASE}/auth/token",
        headers={"Authorization": f"Bearer {assertion()}", "Content-Type": "application/json"},
        json={"grant_type": "client_credentials"},
        timeout=TIMEOUT_S,
    )
    response.raise_for_status()
    return response.json()


class Client:
    """Calls with an access token, and gets a new one when it is over."""

    def __init__(self):
        self.session = requests.Session()
        self.renew()

    def renew(self):
        granted = access_token()
        self.expires_at = time.time() + granted["expires_in"]
        self.session.headers["Authorization"] = f"Bearer {granted['access_token']}"
        self.granted = granted

    def infer(self, prompt, **parameters):
        if time.time() > self.expires_at - 60:
            self.renew()
        response = self.session.post(
            f"{BASE}/v1/models/r1/infer",
            json={"prompt": prompt, **parameters},
            stream=parameters.get("stream", False),
            timeout=TIMEOUT_S,
        )
        response.raise_for_status()
        return response

    def status(self):
        response = self.session.get(f"{BASE}/v1/models/r1/status", timeout=TIMEOUT_S)
        response.raise_for_status()
        return response.json()


def streamed(response):
    """The chunks of an event stream, and whether it said that it was over."""
    chunks = []
    for line in response.iter_lines(decode_unicode=True):
        if not line or not line.startswith("data:"):
            continue
        data = line[len("data:") :].strip()
        if data == "[DONE]":
            return chunks, True
        chunks.append(json.loads(data))
    return chunks, False


def say(step, **found):
    print(json.dumps({"step": step, **found}, ensure_ascii=False), flush=True)


def main():
    client = Client()
    granted = client.granted
    say("token", type=granted["token_type"], expires_in=granted["expires_in"], parts=granted["access_token"].count(".") + 1)

    say("infer", answer=client.infer("Explain tides in one sentence.").json())
    whole = client.infer(
        "Explain tides in one sentence.", temperature=0.3, max_tokens=512, top_p=0.85, stop_sequences=["\n\n"]
    )
    say("infer with parameters", answer=whole.json())

    response = client.infer("解释潮汐。", stream=True)
    response.encoding = "utf-8"
    chunks, done = streamed(response)
    text = "".join(choice["text"] for chunk in chunks for choice in chunk["choices"])
    finish = [choice["finish_reason"] for chunk in chunks for choice in chunk["choices"] if choice.get("finish_reason")]
    usage = [chunk["usage"] for chunk in chunks if chunk.get("usage")]
    say("infer, streamed", type=response.headers["content-type"], text=text, finish=finish, usage=usage, first=chunks[0], done=done)

    say("status", status=client.status())

    try:
        client.infer("Hello", temperature=1.5)
    except requests.HTTPError as error:
        say("a temperature out of range", status=error.response.status_code, error=error.response.json()["error"])
    try:
        client.infer("")
    except requests.HTTPError as error:
        say("an empty prompt", status=error.response.status_code, error=error.response.json()["error"])
    stranger = requests.post(f"{BASE}/v1/models/r1/infer", json={"prompt": "Hello"}, headers={"Authorization": "Bearer wrong"}, timeout=TIMEOUT_S)
    say("a wrong token", status=stranger.status_code, error=stranger.json()["error"])


if __name__ == "__main__":
    main()
