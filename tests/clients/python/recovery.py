"""Calls of recovery.test.mjs by the openai package for Python: EXPECTED says what is asked of BASE_URL, and what has to arrive."""

import json
import os

import openai

expected = json.loads(os.environ["EXPECTED"])
client = openai.OpenAI(base_url=os.environ["BASE_URL"], api_key="unused", max_retries=0)
whole = 0
for call in expected["calls"]:
    for streams in call["streams"]:
        answer = client.chat.completions.create(model=call["id"], messages=expected["messages"], stream=streams)
        if streams:
            choices = [choice for chunk in answer for choice in chunk.choices]
            text = "".join(choice.delta.content or "" for choice in choices)
        else:
            choices = answer.choices
            text = choices[0].message.content
        finish = [choice.finish_reason for choice in choices if choice.finish_reason]
        assert (text, finish) == (call["text"], ["stop"]), (call["id"], streams, text, finish)
        whole += 1
client.close()
print(f"{whole} calls were whole")
