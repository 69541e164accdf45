"""Uploads as Python's clients write them: `python generate.py > python.json` (requests 2.34, urllib3 2.7, httpx 0.28).

The boundaries are random in life; here they are what the clients draw from a seed, so that the file can be made again.
"""

import hashlib
import json
import random

import httpx
import requests
import urllib3.filepost

CHAT = '{"messages": [{"role": "user", "content": "你好"}, {"role": "assistant", "content": "您好！"}]}'
TWO = '{"prompt": "1+1=", "completion": "2"}\n{"prompt": "2+2=", "completion": "4"}\n'
CRLF = '{"text": "--b"}\r\n{"text": "\\r\\n--b"}\r\n'
MARKED = '\ufeff{"instruction": "Say hello", "output": "Hello"}\n\n'


def escaped(filename):
    """As the HTML standard writes names into form data."""
    return filename.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def case(name, client, headers, body, parts, shape):
    file = next(part["content"] for part in parts if part["name"] == "file").encode()
    stored = b"".join(line for line in file.removeprefix(b"\xef\xbb\xbf").splitlines(True) if line.strip())
    summary = {
        "bytes": len(stored),
        "lines": len(stored.splitlines()),
        "sha256": hashlib.sha256(stored).hexdigest(),
        "shape": shape,
    }
    return {"name": name, "client": client, "content_type": headers["content-type"], "body": body.decode(), "parts": parts, "summary": summary}


def with_requests(name, filename, content, shape, data=None, kind=None):
    file = (filename, content.encode()) if kind is None else (filename, content.encode(), kind)
    prepared = requests.Request("POST", "http://gate.test/v1/datasets", files={"file": file}, data=data).prepare()
    parts = [{"name": key, "filename": None, "content": value} for key, value in (data or {}).items()]
    parts.append({"name": "file", "filename": escaped(filename), "content": content})
    return case(name, "requests", {"content-type": prepared.headers["Content-Type"]}, prepared.body, parts, shape)


def with_urllib3(name, boundary, content, shape):
    body, kind = urllib3.filepost.encode_multipart_formdata({"file": ("dataset.jsonl", content)}, boundary=boundary)
    parts = [{"name": "file", "filename": "dataset.jsonl", "content": content}]
    return case(name, "urllib3", {"content-type": kind}, body, parts, shape)


def with_httpx(name, filename, content, shape, data=None):
    request = httpx.Request("POST", "http://gate.test/v1/datasets", files={"file": (filename, content.encode())}, data=data)
    parts = [{"name": key, "filename": None, "content": value} for key, value in (data or {}).items()]
    parts.append({"name": "file", "filename": escaped(filename), "content": content})
    return case(name, "httpx", {"content-type": request.headers["content-type"]}, request.read(), parts, shape)


def main():
    draw = random.Random(5)
    # Both draw their boundaries from here.
    urllib3.filepost.os.urandom = httpx._multipart.os.urandom = draw.randbytes
    cases = [
        with_requests("the guide's upload", "dataset.jsonl", TWO, "completion"),
        with_requests("a purpose before the file", "dataset.jsonl", CHAT, "messages", data={"purpose": "fine-tune"}),
        with_requests("a name in Chinese", "训练集 1.jsonl", CHAT, "messages"),
        with_requests("a name with quotes", 'a"b.jsonl', CRLF, "text"),
        with_requests("a type that is said", "page.html", MARKED, "instruction", kind="text/html; charset=utf-8"),
        with_urllib3("the shortest boundary", "b", CRLF, "text"),
        with_urllib3("the longest boundary", "'()+_-./:=?" + "x" * 59, CRLF, "text"),
        with_httpx("httpx and CRLF", "dataset.jsonl", CRLF, "text"),
        with_httpx("httpx and a purpose", "naïve.jsonl", TWO, "completion", data={"purpose": "fine-tune"}),
    ]
    print(json.dumps(cases, ensure_ascii=False, indent=1))


main()
