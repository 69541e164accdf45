"""The openai package for Python with a virtual key: what counts, and the typed errors of what does not. Called by keys.test.mjs."""

import os

import openai

BASE_URL = os.environ["BASE_URL"]
MESSAGES = [{"role": "user", "content": "Hello"}]


def client(key):
    return openai.OpenAI(base_url=BASE_URL, api_key=key, max_retries=0)


def fails(error, function):
    try:
        function()
    except error as found:
        return found
    raise AssertionError(f"{error.__name__} was expected")


def ask(key, model="scripted-chat", **more):
    return client(key).chat.completions.create(model=model, messages=MESSAGES, **more)


for credential in (os.environ["KEY"], os.environ["TOKEN"]):
    assert [model.id for model in client(credential).models.list()], "no models"
    assert ask(credential).choices[0].finish_reason == "stop"
    chunks = list(ask(credential, stream=True))
    assert chunks[-1].choices[0].finish_reason == "stop"

found = fails(openai.AuthenticationError, lambda: ask("sgk_live_wrong"))
assert (found.status_code, found.code) == (401, "unauthorized"), found
found = fails(openai.AuthenticationError, lambda: ask(os.environ["DISABLED"]))
assert (found.status_code, found.code) == (401, "unauthorized"), found
found = fails(openai.PermissionDeniedError, lambda: ask(os.environ["NARROW"], model="scripted-r1"))
assert (found.status_code, found.code) == (403, "forbidden"), found
found = fails(openai.PermissionDeniedError, lambda: ask(os.environ["AUDITOR"]))
assert (found.status_code, found.code) == (403, "forbidden"), found
assert ask(os.environ["LIMITED"]).choices
found = fails(openai.RateLimitError, lambda: ask(os.environ["LIMITED"]))
assert (found.status_code, found.code) == (429, "rate_limit_exceeded"), found
assert int(found.response.headers["retry-after"]) >= 1
print("all as it should be")
