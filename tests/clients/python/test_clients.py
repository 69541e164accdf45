"""The openai package for Python against the scripted upstream, or against what BASE_URL puts in front of it.

    python3 -m venv env && env/bin/pip install -r requirements.txt && env/bin/python -m unittest -v test_clients.py

BASE_URL, UPSTREAM_URL and API_KEY mean the same as for the JavaScript suites (see ../setup.mjs). Without BASE_URL a scripted
upstream is started with Node.
"""

import asyncio
import json
import os
import pathlib
import subprocess
import time
import unittest
import urllib.parse
import urllib.request

import openai

UPSTREAM_CLI = pathlib.Path(__file__).parents[2] / "upstream" / "cli.mjs"
PATIENCE_S = 3.0

SYSTEM = ("You are a careful assistant. " * 14).strip()
CHAT = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "Say hello to the gate, and to 门 too. 🙂"}]
TOOL_CHAT = [{"role": "user", "content": "Use each tool for “Zürich”, 北京 and 🙂."}]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "parameters": {"type": "object", "properties": {"place": {"type": "string"}, other: {"type": kind}}},
        },
    }
    for name, other, kind in [("weather", "days", "integer"), ("clock", "exact", "boolean")]
]


class Connection:
    """Where the clients talk to, and where the upstream's log is."""

    def __init__(self):
        self.process = None
        self.base_url = os.environ.get("BASE_URL")
        self.gated = self.base_url is not None
        if not self.gated:
            command = ["node", str(UPSTREAM_CLI), "--port", "0", "--pace", "0"]
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            self.base_url = self.process.stdout.readline().split()[-1]
        self.upstream_url = os.environ.get("UPSTREAM_URL", self.base_url)
        self.api_key = os.environ.get("API_KEY", "scripted")

    def ask_upstream(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.parse.urljoin(self.upstream_url, path), data=data, timeout=10) as answer:
            return json.load(answer)

    def expected(self, **body):
        return self.ask_upstream("/__expected", body)

    def aborted(self, tag):
        """Whether the upstream sees, soon, that the request with this word was given up."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            for record in self.ask_upstream("/__requests")["requests"]:
                if tag in json.dumps(record["body"]) and record["aborted"]:
                    return True
            time.sleep(0.02)
        return False

    def close(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=5)
            self.process.stdout.close()


def tag_for(name):
    """A word that no other request has, in letters only, so that nothing takes it for a number to hide."""
    return name + "".join("abcdefghij"[int(digit)] for digit in f"{os.getpid()}{time.time_ns()}")


class PythonClientTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.connection = Connection()
        cls.addClassCleanup(cls.connection.close)
        cls.client = openai.OpenAI(base_url=cls.connection.base_url, api_key=cls.connection.api_key, max_retries=0)
        cls.addClassCleanup(cls.client.close)

    def read(self, **request):
        """A stream put together, in the form of `expected`."""
        got = {"text": "", "reasoning": "", "tool_calls": [], "finish_reason": None, "usage": None}
        options = {"include_usage": True}
        for chunk in self.client.chat.completions.create(stream=True, stream_options=options, **request):
            if chunk.usage:
                got["usage"] = chunk.usage.model_dump(exclude_none=True)
            for choice in chunk.choices:
                got["text"] += choice.delta.content or ""
                got["reasoning"] += getattr(choice.delta, "reasoning_content", None) or ""
                got["finish_reason"] = choice.finish_reason or got["finish_reason"]
                for call in choice.delta.tool_calls or []:
                    if call.index == len(got["tool_calls"]):
                        function = {"name": call.function.name, "arguments": ""}
                        got["tool_calls"].append({"id": call.id, "type": "function", "function": function})
                    got["tool_calls"][call.index]["function"]["arguments"] += call.function.arguments or ""
        return got

    def whole(self, **request):
        """A unary answer in the same form."""
        reply = self.client.chat.completions.create(**request)
        [choice] = reply.choices
        calls = [
            {"id": call.id, "type": call.type, "function": {"name": call.function.name, "arguments": call.function.arguments}}
            for call in choice.message.tool_calls or []
        ]
        return {
            "text": choice.message.content or "",
            "reasoning": getattr(choice.message, "reasoning_content", None) or "",
            "tool_calls": calls,
            "finish_reason": choice.finish_reason,
            "usage": reply.usage.model_dump(exclude_none=True),
        }

    def assert_as_expected(self, got, **request):
        expected = self.connection.expected(**request)
        for field in ("text", "reasoning", "tool_calls", "finish_reason"):
            self.assertEqual(got[field], expected[field], field)
        for field in ("prompt_tokens", "completion_tokens", "total_tokens"):
            self.assertEqual(got["usage"][field], expected["usage"][field], field)
        cached = expected["usage"]["prompt_tokens_details"]["cached_tokens"]
        reasoning = expected["usage"]["completion_tokens_details"]["reasoning_tokens"]
        self.assertEqual(got["usage"]["prompt_tokens_details"]["cached_tokens"], cached)
        self.assertEqual(got["usage"].get("completion_tokens_details", {}).get("reasoning_tokens", 0), reasoning)

    def test_answers_arrive_as_the_model_gave_them(self):
        requests = [
            {"model": "scripted-chat", "messages": CHAT},
            {"model": "scripted-r1", "messages": CHAT},
            {"model": "scripted-r1+split-utf8", "messages": CHAT},
            {"model": "scripted-r1", "messages": TOOL_CHAT, "tools": TOOLS},
        ]
        for request in requests:
            for way in (self.whole, self.read):
                with self.subTest(model=request["model"], tools="tools" in request, way=way.__name__):
                    self.assert_as_expected(way(**request), **request)

    def test_parallel_tool_calls_are_two_with_parsable_arguments(self):
        got = self.read(model="scripted-r1", messages=TOOL_CHAT, tools=TOOLS)
        arguments = [json.loads(call["function"]["arguments"]) for call in got["tool_calls"]]
        self.assertEqual([set(each) for each in arguments], [{"place", "days"}, {"place", "exact"}])

    def test_a_refusal_is_a_typed_error_with_status_and_message(self):
        cases = [
            ("scripted-chat+context-overflow", openai.BadRequestError, 400, "maximum context length"),
            ("scripted-chat+status-429-retryms-10", openai.RateLimitError, 429, "Rate limit"),
        ]
        for model, kind, status, words in cases:
            for way in (self.whole, self.read):
                with self.subTest(model=model, way=way.__name__):
                    with self.assertRaises(kind) as caught:
                        way(model=model, messages=CHAT)
                    self.assertEqual(caught.exception.status_code, status)
                    self.assertRegex(str(caught.exception), r"\w{3}" if self.connection.gated else words)

    def test_the_clients_own_retry_gets_the_answer_after_one_refusal(self):
        messages = [{"role": "user", "content": tag_for("retry")}]
        model = "scripted-chat+status-429-retryms-10-once"
        reply = self.client.with_options(max_retries=2).chat.completions.create(model=model, messages=messages)
        self.assertEqual(reply.choices[0].message.content, self.connection.expected(model=model, messages=messages)["text"])

    def test_an_error_inside_a_stream_is_raised(self):
        with self.assertRaises(openai.APIError):
            self.read(model="scripted-r1+error-in-stream-9", messages=CHAT)

    def test_a_stream_that_is_cut_is_raised(self):
        models = ["scripted-r1+cut-9"]
        # The client alone takes a clean end without a finish for a success; a gateway may not let that pass.
        if self.connection.gated:
            models.append("scripted-r1+eof-9")
        for model in models:
            with self.subTest(model=model), self.assertRaises(Exception) as caught:
                self.read(model=model, messages=CHAT)
            self.assertNotIsInstance(caught.exception, AssertionError)

    def test_leaving_a_stream_reaches_the_upstream(self):
        tag = tag_for("leave")
        messages = [{"role": "user", "content": tag}]
        stream = self.client.chat.completions.create(model="scripted-chat+endless+rate-200", messages=messages, stream=True)
        with stream:
            for _, _chunk in zip(range(4), stream):
                pass
        self.assertTrue(self.connection.aborted(tag))

    def test_cancelling_an_asynchronous_stream_reaches_the_upstream(self):
        tag = tag_for("cancel")

        async def read_some():
            async with openai.AsyncOpenAI(base_url=self.connection.base_url, api_key=self.connection.api_key, max_retries=0) as client:
                started = asyncio.Event()

                async def read():
                    messages = [{"role": "user", "content": tag}]
                    stream = await client.chat.completions.create(model="scripted-chat+endless+rate-200", messages=messages, stream=True)
                    async with stream:
                        async for _ in stream:
                            started.set()

                task = asyncio.create_task(read())
                await asyncio.wait_for(started.wait(), PATIENCE_S)
                task.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await task

        asyncio.run(read_some())
        self.assertTrue(self.connection.aborted(tag))


if __name__ == "__main__":
    unittest.main()
