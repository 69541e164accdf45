"""Writes tests/vectors/access/tokens.json: `pip install -r requirements.txt && python vectors.py OUT`.

Tokens as clients make them come from PyJWT; malformed ones, derived secrets and keys from the standard library's hmac, zlib and hashlib.
Nothing here asks the gate. The same versions give the same bytes.
"""

import base64
import datetime
import hashlib
import hmac
import json
import sys
import zlib

import jwt

NOW = 1_800_000_000
ISSUER = "https://gate.example"
ROOT = "Kk3vT9zQ1mW7xB5nR8cY2dF6gH4jL0pS-root"
PREVIOUS = "u8Ejq2Zx6VnP0sLw4CkRt7YbGh3MfDaX-before"
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
GUIDE_SECRET = "a-secret-that-the-operator-chose-2f9c41d7"


def base62(data, length):
    number, digits = int.from_bytes(data, "big"), ""
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits = DIGITS[digit] + digits
    return digits


def mac(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def api_secret(root, key_id, version):
    return "sgs_" + base62(mac(root.encode(), f"sluicegate/apisecret/v1\0{key_id}\0{version}".encode()), 43)


def signing_key(root, typ):
    return mac(root.encode(), b"sluicegate/token/v1\0" + typ.encode())


def key(kind, random):
    body = f"sgk_{kind}_" + base62(random[:32], 30)
    text = body + base62(zlib.crc32(body.encode()).to_bytes(4, "big"), 6)
    return {
        "kind": kind,
        "random": random.hex(),
        "id": "key_" + base62(random[32:], 16),
        "key": text,
        "prefix": text[:13],
        "last4": text[-4:],
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }


KEYS = [
    key("live", bytes(48)),
    key("test", b"\xff" * 48),
    key("live", b"".join(hashlib.sha256(bytes([n])).digest() for n in range(2))[:48]),
    key("test", b"".join(hashlib.sha256(bytes([n])).digest() for n in range(2, 4))[:48]),
]
KEY_ID, KEY = KEYS[2]["id"], KEYS[2]["key"]
VERSION = 3
SECRET = api_secret(ROOT, KEY_ID, VERSION)


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def raw(header, payload, secret, signature=None):
    """A token of any bytes: of what no library would make."""
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    payload = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    signed = b64(header) + "." + b64(payload)
    secret = secret.encode() if isinstance(secret, str) else secret
    return signed + "." + b64(mac(secret, signed.encode()) if signature is None else signature)


ASSERTION = "client-assertion+jwt"
GOOD = {"iss": KEY_ID, "sub": KEY_ID, "aud": ISSUER, "iat": NOW, "exp": NOW + 300, "jti": "n-1"}
HEADER = {"alg": "HS256", "typ": ASSERTION}
assertions = []


def but(claims, **change):
    changed = {**claims, **change}
    return {name: value for name, value in changed.items() if value is not ...}


def case(name, token, strict, guide, **more):
    """`strict` and `guide`: "ok", or why the profile refuses. `now` and `secrets` where they are not the usual."""
    assertions.append({"name": name, "token": token, "strict": strict, "guide": guide, **more})


def pyjwt(claims, secret=SECRET, **headers):
    return jwt.encode(claims, secret, algorithm="HS256", headers=headers or None)


def utc(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)


# As clients make them.
case("strict, by PyJWT", pyjwt(GOOD, typ=ASSERTION), "ok", "ok", named=KEY_ID, jti="n-1")
case("with a key id", pyjwt(GOOD, typ=ASSERTION, kid="any"), "ok", "ok", named=KEY_ID, jti="n-1")
case("with claims of others", pyjwt(but(GOOD, scope="a b", groups=["x"], nested={"a": [1]}), typ=ASSERTION), "ok", "ok", named=KEY_ID, jti="n-1")
case("guide A", pyjwt({"iss": "your-app", "iat": NOW, "exp": NOW + 3600, "api_key": KEY}), "Type", "ok", named=KEY)
case("guide A with a key's id", pyjwt({"iss": "your-app", "iat": NOW, "exp": NOW + 3600, "api_key": KEY_ID}), "Type", "ok", named=KEY_ID)
case("guide A with time.time()", pyjwt({"iss": "your-app", "iat": NOW + 0.4375, "exp": NOW + 3600.4375, "api_key": KEY}), "Type", "ok", named=KEY)
case("guide A with datetime", pyjwt({"iss": "your-app", "iat": utc(NOW), "exp": utc(NOW + 3600), "api_key": KEY}), "Type", "ok", named=KEY)
case("guide B", pyjwt({"iss": KEY, "iat": NOW, "exp": NOW + 86400}), "Type", "ok", named=KEY)
case("guide B with datetime", pyjwt({"iss": KEY, "iat": utc(NOW), "exp": utc(NOW) + datetime.timedelta(hours=24)}), "Type", "ok", named=KEY)
case("guide B with a clock read twice", pyjwt({"iss": KEY, "iat": NOW, "exp": NOW + 86401}), "Type", "ok", named=KEY)
case("guide B with a key of the configuration", pyjwt({"iss": "my-api-key", "iat": NOW, "exp": NOW + 86400}, GUIDE_SECRET), "Type", "ok", named="my-api-key", secrets=[GUIDE_SECRET])
case("guide B without typ", pyjwt({"iss": KEY, "iat": NOW, "exp": NOW + 60}, typ=None), "Type", "ok", named=KEY)
case("guide B, small letters of typ", pyjwt({"iss": KEY, "iat": NOW, "exp": NOW + 60}, typ="jwt"), "Type", "ok", named=KEY)
case("guide B that says whom for", pyjwt({"iss": KEY, "aud": ISSUER, "iat": NOW, "exp": NOW + 60}), "Type", "ok", named=KEY)
case("strict in what a guide writes", pyjwt({"iss": KEY, "iat": NOW, "exp": NOW + 60}, typ=ASSERTION), "Issuer", "ok", named=KEY)
case("RFC 7515 whitespace and escapes", raw(b'{"typ":"client-assertion\\u002bjwt",\r\n "alg":"HS256"}', json.dumps(GOOD, indent=1).encode(), SECRET), "ok", "ok", named=KEY_ID, jti="n-1")

# Row 1: the algorithm is not for the token to choose. Signed rightly all the same.
for alg in ["none", "None", "NONE", "nOnE", "", "HS384", "HS512", "RS256", "ES256", "EdDSA", "hs256", "HS256 ", "\0HS256", None, 1, ["HS256"], {"a": "HS256"}, True]:
    # A NUL is refused with the JSON that holds it.
    reason = "Header" if alg == "\0HS256" else "Algorithm"
    case(f"alg {json.dumps(alg)}", raw({"alg": alg, "typ": ASSERTION}, GOOD, SECRET), reason, reason)
case("no alg", raw({"typ": ASSERTION}, GOOD, SECRET), "Algorithm", "Algorithm")
case("alg none without a signature", raw({"alg": "none", "typ": ASSERTION}, GOOD, SECRET, b""), "Form", "Form")
case("alg none with a signature's length", raw({"alg": "none", "typ": ASSERTION}, GOOD, SECRET, bytes(32)), "Algorithm", "Algorithm")
case("HS512's signature", raw(HEADER, GOOD, SECRET, hmac.new(SECRET.encode(), b"x", hashlib.sha512).digest()), "Form", "Form")
case("PyJWT, HS512", jwt.encode(GOOD, SECRET + SECRET, algorithm="HS512", headers={"typ": ASSERTION}), "Form", "Form", secrets=[SECRET + SECRET])
case("PyJWT, none", jwt.encode(GOOD, None, algorithm="none"), "Form", "Form")

# Row 3: types, and what else a header may not hold.
WRONG = [b'"9999999999"', b"1e400", b"1e10", b"-1", b"0", b"-0", b"null", b"[]", b"{}", b"true", b'""', b"18446744073709551616", b"1800000000000", b"01800000100"]
for claim in ("exp", "iat", "nbf"):
    for value in WRONG:
        claims = json.dumps(but(GOOD, **{claim: "@"})).encode().replace(b'"@"', value)
        case(f"{claim} {value.decode()}", raw(HEADER, claims, SECRET), "Claims", "Claims")
    claims = json.dumps(but(GOOD, **{claim: "@"})).encode()
    near = {"exp": b"1800000100.5", "iat": b"1799999990.5", "nbf": b"1799999990.5"}[claim]
    case(f"{claim} with a fraction", raw(HEADER, claims.replace(b'"@"', near), SECRET), "Claims", "ok", named=KEY_ID, jti="n-1")
    case(f"{claim} with an exponent behind a fraction", raw(HEADER, claims.replace(b'"@"', b"1.8e9"), SECRET), "Claims", "Claims")
    case(f"{claim} 9999999999.5", raw(HEADER, claims.replace(b'"@"', b"9999999999.5"), SECRET), "Claims", "Lifetime" if claim == "exp" else "Early")
for claim in ("iat", "exp"):
    case(f"no {claim}", raw(HEADER, but(GOOD, **{claim: ...}), SECRET), "Claims", "Claims")
for claim in ("iss", "sub", "aud", "jti", "api_key"):
    for value in (1, None, [], [ISSUER], {}, True, "", "x" * 513):
        shown = "513 bytes" if value == "x" * 513 else json.dumps(value)
        case(f"{claim} {shown}", raw(HEADER, but(GOOD, **{claim: value}), SECRET), "Claims", "Claims")
for name, value in {"crit": ["x"], "b64": False, "jwk": {"kty": "oct", "k": "AAAA"}, "jku": "https://evil.example/", "x5u": "https://evil.example/", "x5c": ["AAAA"], "zip": "DEF", "cty": "JWT", "enc": "A128GCM", "nonce": "x", "": 1}.items():
    case(f"header with {name or 'an empty name'}", raw({**HEADER, name: value}, GOOD, SECRET), "Header", "Header")
for name, value in {"kid": 1, "typ": 1}.items():
    case(f"header with {name} {value}", raw({**HEADER, name: value}, GOOD, SECRET), "Header", "Header")
case("kid that would be a path or SQL", raw({**HEADER, "kid": "../../dev/null' OR 1=1--"}, GOOD, SECRET), "ok", "ok", named=KEY_ID, jti="n-1")
for name, header in {
    "alg twice": b'{"alg":"none","typ":"client-assertion+jwt","alg":"HS256"}',
    "alg twice, escaped": b'{"alg":"HS256","typ":"client-assertion+jwt","\\u0061lg":"none"}',
    "an array": b'["HS256"]',
    "a text": b'"HS256"',
    "nothing": b" ",
    "a comma too many": b'{"alg":"HS256",}',
    "more behind it": b'{"alg":"HS256","typ":"client-assertion+jwt"}{}',
    "a byte order mark": b'\xef\xbb\xbf{"alg":"HS256","typ":"client-assertion+jwt"}',
    "a lone surrogate": b'{"alg":"HS256","typ":"client-assertion+jwt","kid":"\\ud800"}',
    "100 arrays": b'{"alg":"HS256","kid":' + b"[" * 100 + b"]" * 100 + b"}",
}.items():
    case(f"header: {name}", raw(header, GOOD, SECRET), "Header", "Header")
case("header: no UTF-8", raw(b'{"alg":"HS256","kid":"\xff"}', GOOD, SECRET), "Form", "Form")
good = json.dumps(GOOD).encode()
for name, payload in {
    "exp twice": good[:-1] + b',"exp":1800000299}',
    "exp twice, escaped": good[:-1] + b',"e\\u0078p":1800000299}',
    "an array": b"[]",
    "a number": b"1",
    "null": b"null",
    "no JSON": b"{exp:1}",
    "more behind it": good + b"{}",
    "an infinite number elsewhere": good[:-1] + b',"x":1e999}',
    "deep": good[:-1] + b',"x":' + b"[" * 60 + b"]" * 60 + b"}",
    "two to the 64 elsewhere in it": good[:-1] + b',"exp":{"exp":1}}',
}.items():
    case(f"payload: {name}", raw(HEADER, payload, SECRET), "Claims", "Claims")
case("payload: no UTF-8", raw(HEADER, good[:-1] + b',"x":"\xff"}', SECRET), "Form", "Form")

# Row 4: lifetimes, at their edges.
for name, change, now, strict, guide in [
    ("in its last second of leeway", {}, NOW + 330, "ok", "ok"),
    ("a second later", {}, NOW + 331, "Expired", "Expired"),
    ("issued 30 s ahead", {"iat": NOW + 30}, NOW, "ok", "ok"),
    ("issued 31 s ahead", {"iat": NOW + 31}, NOW, "Early", "Early"),
    ("not before 30 s ahead", {"nbf": NOW + 30}, NOW, "ok", "ok"),
    ("not before 31 s ahead", {"nbf": NOW + 31}, NOW, "Early", "Early"),
    ("for 301 s", {"exp": NOW + 301}, NOW, "Lifetime", "ok"),
    ("for a day and the leeway", {"exp": NOW + 86430}, NOW, "Lifetime", "ok"),
    ("for a second more", {"exp": NOW + 86431}, NOW, "Lifetime", "Lifetime"),
    ("over before it began", {"iat": NOW, "exp": NOW - 10}, NOW, "Lifetime", "Lifetime"),
    ("over as it began", {"iat": NOW, "exp": NOW}, NOW, "Lifetime", "Lifetime"),
    ("for ever", {"exp": 99_999_999_999}, NOW, "Lifetime", "Lifetime"),
]:
    accepted = {"named": KEY_ID, "jti": "n-1"} if "ok" in (strict, guide) else {}
    case(name, raw(HEADER, but(GOOD, **change), SECRET), strict, guide, now=now, **accepted)
case("a guide's, a day and the leeway later", pyjwt({"iss": KEY, "iat": NOW, "exp": NOW + 86400}), "Type", "ok", named=KEY, now=NOW + 86430)
case("a guide's, a second later still", pyjwt({"iss": KEY, "iat": NOW, "exp": NOW + 86400}), "Type", "Expired", now=NOW + 86431)

# Rows 5 and 6: whose, and whom for.
case("no jti", raw(HEADER, but(GOOD, jti=...), SECRET), "Claims", "ok", named=KEY_ID)
case("no aud", raw(HEADER, but(GOOD, aud=...), SECRET), "Audience", "ok", named=KEY_ID, jti="n-1")
for aud in ["https://staging.example", ISSUER + "/", ISSUER.upper(), ISSUER + "#api", ISSUER + " ", "*"]:
    case(f"aud {aud}", raw(HEADER, but(GOOD, aud=aud), SECRET), "Audience", "Audience")
case("aud with the right one among others", raw(HEADER, but(GOOD, aud=[ISSUER, "https://evil.example"]), SECRET), "Claims", "Claims")
case("no sub", raw(HEADER, but(GOOD, sub=...), SECRET), "Issuer", "ok", named=KEY_ID, jti="n-1")
case("another sub", raw(HEADER, but(GOOD, sub=KEYS[3]["id"]), SECRET), "Issuer", "ok", named=KEY_ID, jti="n-1")
case("no iss", raw(HEADER, but(GOOD, iss=...), SECRET), "Issuer", "Issuer")
case("strict, naming another key", raw(HEADER, but(GOOD, api_key=KEYS[3]["id"]), SECRET), "Issuer", "ok", named=KEYS[3]["id"], jti="n-1")
for iss in ["' OR 1=1--", "key_" + "a" * 15, "key_" + "a" * 15 + "é", "sgk_live_" + "a" * 36, KEY[:-1] + ("0" if KEY[-1] != "0" else "1"), "a b", "x" * 257]:
    # None names a key; those of printable letters could be of the configuration.
    other = iss.startswith("key_") and iss.isascii()
    shown = iss if len(iss) < 99 else "of 257 letters"
    case(f"iss {shown}", raw(HEADER, but(GOOD, iss=iss, sub=iss), SECRET), "Issuer", "ok" if other else "Issuer", **({"named": iss, "jti": "n-1"} if other else {}))

# Row 7: one spelling only.
token = raw(HEADER, GOOD, SECRET)
header, payload, tag = token.split(".")
last = DIGITS + "-_"
order = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
for name, changed in {
    "spare bits in the signature": token[:-1] + order[order.index(token[-1]) + 1],
    "padding": token + "=",
    "padding of the header": header + "=." + payload + "." + tag,
    "a newline behind it": token + "\n",
    "a space before it": " " + token,
    "a newline in it": header + "." + payload[:9] + "\n" + payload[9:] + "." + tag,
    "the other alphabet": header + "." + payload + "." + base64.b64encode(b"\xff" * 32).decode().rstrip("="),
    "31 bytes of signature": header + "." + payload + "." + b64(b"x" * 31),
    "33 bytes of signature": header + "." + payload + "." + b64(b"x" * 33),
    "no signature": header + "." + payload + ".",
    "two segments": header + "." + payload,
    "one segment": header,
    "four segments": token + "." + tag,
    "an empty segment in the middle": header + "." + payload + ".." + tag,
    "no payload": header + ".." + tag,
    "no header": "." + payload + "." + tag,
    "nothing": "",
    "dots": "..",
    "five parts, as if encrypted": ".".join([header, "", payload, tag, tag]),
    "JSON, as another serialisation": json.dumps({"payload": payload, "protected": header, "signature": tag}),
}.items():
    case(f"form: {name}", changed, "Form", "Form")
case("form: 5 KiB", token + "A" * 5120, "Length", "Length")
case("form: 5 KiB, rightly signed", raw(HEADER, but(GOOD, x="y" * 5000), SECRET), "Length", "Length")
case("form: 10 MB would be the same", token + "." * 4096, "Length", "Length")
for name, changed in {
    "truncated payload": raw(HEADER, GOOD, SECRET, mac(SECRET.encode(), token[:40].encode())),
    "the signature of other claims": header + "." + b64(json.dumps(but(GOOD, exp=NOW + 299)).encode()) + "." + tag,
    "the signature of another header": b64(json.dumps({**HEADER, "kid": "x"}).encode()) + "." + payload + "." + tag,
    "zeros": raw(HEADER, GOOD, SECRET, bytes(32)),
}.items():
    case(f"signature: {name}", changed, "Signature", "Signature")

# Row 8 and rotation: whose secret.
case("the empty key", raw(HEADER, GOOD, b""), "Signature", "Signature")
case("32 zeros", raw(HEADER, GOOD, bytes(32)), "Signature", "Signature")
case("zeros, and nobody known", raw(HEADER, GOOD, bytes(32)), "Signature", "Signature", secrets=[])
case("a good one, and nobody known", token, "Signature", "Signature", secrets=[])
case("signed with the bearer key", raw(HEADER, GOOD, KEY), "Signature", "Signature")
case("signed with the stored digest", raw(HEADER, GOOD, hashlib.sha256(KEY.encode()).digest()), "Signature", "Signature")
case("signed with another key's secret", raw(HEADER, GOOD, api_secret(ROOT, KEYS[3]["id"], VERSION)), "Signature", "Signature")
case("signed with the version before", raw(HEADER, GOOD, api_secret(ROOT, KEY_ID, VERSION - 1)), "Signature", "Signature")
case("the version before, during a rotation", raw(HEADER, GOOD, api_secret(ROOT, KEY_ID, VERSION - 1)), "ok", "ok", named=KEY_ID, jti="n-1", secrets=[SECRET, api_secret(ROOT, KEY_ID, VERSION - 1)])
case("the root before, during a rotation", raw(HEADER, GOOD, api_secret(PREVIOUS, KEY_ID, VERSION)), "ok", "ok", named=KEY_ID, jti="n-1", secrets=[SECRET, api_secret(PREVIOUS, KEY_ID, VERSION)])

# Row 2: the gate's own kinds; each is also offered everywhere else.
KINDS = {"access": ("at+jwt", "#api", 3600), "session": ("session+jwt", "#admin", 3600), "ticket": ("ws-ticket+jwt", "#socket", 30)}
tokens = []


def own(kind, **change):
    typ, audience, life = KINDS[kind]
    claims = {"iss": ISSUER, "sub": KEY_ID, "aud": ISSUER + audience, "iat": NOW, "exp": NOW + life, "jti": base62(bytes(range(16)), 22), "ver": VERSION}
    if kind == "ticket":
        claims["origin"] = "https://app.example"
    return but(claims, **change)


def offered(name, kind, token, result, **more):
    tokens.append({"name": name, "kind": kind, "token": token, "result": result, **more})


for kind, (typ, audience, life) in KINDS.items():
    secret = signing_key(ROOT, typ)
    sign = lambda claims, typ=typ, secret=secret: jwt.encode(claims, secret, algorithm="HS256", headers={"typ": typ})
    offered(f"{kind}, by PyJWT", kind, sign(own(kind)), "ok")
    offered(f"{kind} of the root before", kind, sign(own(kind), secret=signing_key(PREVIOUS, typ)), "ok")
    offered(f"{kind} in its last second", kind, sign(own(kind)), "ok", now=NOW + life - 1)
    offered(f"{kind} on its exp", kind, sign(own(kind)), "Expired", now=NOW + life)
    offered(f"{kind} from 30 s ahead", kind, sign(own(kind)), "ok", now=NOW - 30)
    offered(f"{kind} from 31 s ahead", kind, sign(own(kind)), "Early", now=NOW - 31)
    longest = 30 if kind == "ticket" else 86400
    offered(f"{kind} as long as may be", kind, sign(own(kind, exp=NOW + longest)), "ok")
    offered(f"{kind} a second longer", kind, sign(own(kind, exp=NOW + longest + 1)), "Lifetime")
    offered(f"{kind} of another issuer", kind, sign(own(kind, iss="https://evil.example")), "Issuer")
    for claim, reason in {"iss": "Issuer", "sub": "Claims", "aud": "Audience", "iat": "Claims", "exp": "Claims", "jti": "Claims", "ver": "Claims"}.items():
        offered(f"{kind} without {claim}", kind, sign(own(kind, **{claim: ...})), reason)
    for value in ("3", -1, 3.5, None, [3], 1 << 64):
        offered(f"{kind} with ver {json.dumps(value)}", kind, raw({"alg": "HS256", "typ": typ}, own(kind, ver=value), secret), "Claims")
    offered(f"{kind} with times of a fraction", kind, sign(own(kind, exp=NOW + 20.5)), "Claims")
    offered(f"{kind} without typ", kind, sign(own(kind), typ=None), "Type")
    offered(f"{kind} with typ JWT", kind, sign(own(kind), typ="JWT"), "Type")
    offered(f"{kind} signed with the root itself", kind, sign(own(kind), secret=ROOT.encode()), "Signature")
    offered(f"{kind} signed with an API secret", kind, sign(own(kind), secret=SECRET.encode()), "Signature")
    for other, (their_typ, their_audience, _) in KINDS.items():
        if other == kind:
            continue
        offered(f"{kind} with the typ of {other}", kind, sign(own(kind), typ=their_typ), "Type")
        offered(f"{other}, only typed as {kind}", kind, sign(own(other), secret=signing_key(ROOT, their_typ)), "Signature")
        offered(f"{kind} with the key of {other}", kind, sign(own(kind), secret=signing_key(ROOT, their_typ)), "Signature")
        offered(f"{kind} with the aud of {other}", kind, sign(own(kind, aud=ISSUER + their_audience)), "Audience")
    offered(f"{kind} with the aud of an assertion", kind, sign(own(kind, aud=ISSUER)), "Audience")
    offered(f"{kind}: an assertion", kind, raw(HEADER, GOOD, SECRET), "Type")
offered("ticket from another origin", "ticket", jwt.encode(own("ticket"), signing_key(ROOT, "ws-ticket+jwt"), headers={"typ": "ws-ticket+jwt"}), "Origin", origin="https://evil.example")
offered("ticket of a page, from no page", "ticket", jwt.encode(own("ticket"), signing_key(ROOT, "ws-ticket+jwt"), headers={"typ": "ws-ticket+jwt"}), "Origin", origin=None)
offered("ticket of no page, from no page", "ticket", jwt.encode(own("ticket", origin=""), signing_key(ROOT, "ws-ticket+jwt"), headers={"typ": "ws-ticket+jwt"}), "ok", origin=None)
offered("ticket of no page, from a page", "ticket", jwt.encode(own("ticket", origin=""), signing_key(ROOT, "ws-ticket+jwt"), headers={"typ": "ws-ticket+jwt"}), "Origin")
offered("ticket without origin", "ticket", jwt.encode(own("ticket", origin=...), signing_key(ROOT, "ws-ticket+jwt"), headers={"typ": "ws-ticket+jwt"}), "Origin", origin=None)

vectors = {
    "now": NOW,
    "issuer": ISSUER,
    "root": ROOT,
    "previous_root": PREVIOUS,
    "key_id": KEY_ID,
    "version": VERSION,
    "origin": "https://app.example",
    "secret": SECRET,
    "keys": KEYS,
    "secrets": [
        {"root": root, "key_id": each["id"], "version": version, "secret": api_secret(root, each["id"], version)}
        for root in (ROOT, PREVIOUS)
        for each in KEYS
        for version in (0, 1, 12, 2**64 - 1)
    ],
    "assertions": assertions,
    "tokens": tokens,
}
names = [each["name"] for each in assertions + tokens]
assert len(names) == len(set(names)), [name for name in names if names.count(name) > 1]
with open(sys.argv[1], "w", encoding="utf-8") as out:
    lists = {"keys", "secrets", "assertions", "tokens"}
    head = [f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in vectors.items() if name not in lists]
    tail = [f"  {json.dumps(name)}: [\n" + ",\n".join("    " + json.dumps(each) for each in vectors[name]) + "\n  ]" for name in vectors if name in lists]
    out.write("{\n" + ",\n".join(head + tail) + "\n}\n")
