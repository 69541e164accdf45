"""Calls of redaction.test.mjs by the openai package for Python: EXPECTED says what is asked of BASE_URL, and what has to arrive."""

import json
import os

import openai

expected = json.loads(os.environ["EXPECTED"])
client = openai.OpenAI(base_url=os.environ["BASE_URL"], api_key="unused", max_retries=0)
messages = [{"role": "user", "content": expected["text"]}]
for streams in (False, True):
    answer = client.chat.completions.create(model=expected["model"], messages=messages, stream=streams)
    if streams:
        text = "".join(choice.delta.content or "" for chunk in answer for choice in chunk.choices)
    else:
        text = answer.choices[0].message.content
        assert answer.usage.total_tokens > 0
    assert text == expected["text"], (streams, text)
client.close()
print("2 calls were whole")
