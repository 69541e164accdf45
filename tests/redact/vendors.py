"""Made-up secrets in the formats that vendors publish, and what looks like one and is none.

`SECRETS` maps a vendor's name to a maker that gives (text, secret): the secret stands in the text, which may be longer (`Authorization: Bearer …`).
Nothing here was ever a key: every character behind a prefix comes from the generator's seeded random numbers.
"""

import base64
import hashlib
import hmac
import json
import string

ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
URLSAFE = ALNUM + "-_"


def pick(rng, alphabet, count):
    return "".join(rng.choice(alphabet) for _ in range(count))


def plain(prefix, alphabet, *counts):
    """A key that is a prefix and so many characters of an alphabet; it ends as keys do that readers copy, in a letter or digit."""

    def made(rng):
        key = prefix + pick(rng, alphabet, rng.choice(counts))
        key = key if key[-1].isalnum() else key[:-1] + rng.choice(ALNUM)
        return key, key

    return made


def parts(*makers):
    def made(rng):
        key = "".join(part if isinstance(part, str) else part(rng) for part in makers)
        return key, key

    return made


def some(alphabet, count):
    return lambda rng: pick(rng, alphabet, count)


def one_of(*choices):
    return lambda rng: rng.choice(choices)


def jwt(rng):
    def part(value):
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    header = {"alg": "HS256", "typ": "JWT"} if rng.random() < 0.6 else {"typ": "JWT", "alg": "HS256", "kid": pick(rng, HEX, 8)}
    claims = {"sub": pick(rng, string.digits, 10), "iat": rng.randint(1_600_000_000, 1_790_000_000), "scope": rng.choice(["read", "write", "admin"])}
    signed = ".".join(part(json.dumps(value, separators=(",", ":")).encode()) for value in (header, claims))
    token = f"{signed}.{part(hmac.new(rng.randbytes(16), signed.encode(), hashlib.sha256).digest())}"
    return token, token


def pem(rng):
    kind = rng.choice(["RSA PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY"])
    body = base64.b64encode(rng.randbytes(rng.choice([121, 608, 1190]))).decode()
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    text = f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----"
    return text, text


STORES = [
    ("postgres", "db.internal:5432/app"), ("mysql", "10.2.0.7:3306/shop"), ("redis", "cache:6379/0"), ("mongodb+srv", "cluster0.mongo.local/app"),
    ("https", "repo.intra.lan/x.git"), ("amqp", "queue:5672/"),
]  # fmt: skip


def connection(rng):
    scheme, host = rng.choice(STORES)
    password = pick(rng, ALNUM, rng.randint(10, 20)) + rng.choice(["", "!", "_9", "$k"])
    return f"{scheme}://{rng.choice(['app', 'admin', 'svc_user', 'root'])}:{password}@{host}", password


def bearer(rng):
    token = pick(rng, URLSAFE, rng.randint(24, 60)) + rng.choice(ALNUM)
    return f"Authorization: Bearer {token}", token


def basic(rng):
    token = base64.b64encode(f"{rng.choice(['api', 'ops', 'deploy'])}:{pick(rng, ALNUM, rng.randint(10, 22))}".encode()).decode()
    return f"Authorization: Basic {token}", token


def typed_password(rng):
    """As people choose one: no word of a dictionary alone, eight to sixteen characters."""
    word = rng.choice(["Tr0ub", "Xk9", "pZ7q", "Gr4nite", "w1nd", "Q8k"])
    return word + pick(rng, ALNUM, rng.randint(4, 8)) + rng.choice(["", "!", "#7", "@k2"])


def assigned(value, *shapes):
    def made(rng):
        secret = value(rng)
        return rng.choice(shapes).format(secret), secret

    return made


SECRETS = {
    "openai": parts("sk-", some(ALNUM, 20), "T3BlbkFJ", some(ALNUM, 20)),
    "openai-project": plain("sk-proj-", URLSAFE, 48, 124, 156),
    "openai-service": plain("sk-svcacct-", URLSAFE, 48, 124),
    "anthropic": parts("sk-ant-api03-", some(URLSAFE, 93), "AA"),
    "dashscope": plain("sk-", HEX, 32),
    "siliconflow": plain("sk-", string.ascii_lowercase, 48),
    "moonshot": plain("sk-", ALNUM, 48),
    "zhipu": parts(some(HEX, 32), ".", some(ALNUM, 16)),
    "aws": plain("AKIA", string.ascii_uppercase + "234567", 16),
    "aws-session": plain("ASIA", string.ascii_uppercase + "234567", 16),
    "aws-secret": assigned(lambda rng: pick(rng, ALNUM + "/+", 39) + rng.choice(ALNUM), "aws_secret_access_key = {}", "AWS_SECRET_ACCESS_KEY={}"),
    "github": parts(one_of("ghp_", "gho_", "ghu_", "ghs_"), some(ALNUM, 36)),
    "github-refresh": plain("ghr_", ALNUM, 76),
    "github-fine": parts("github_pat_", some(ALNUM, 22), "_", some(ALNUM, 59)),
    "gitlab": plain("glpat-", URLSAFE, 20),
    "slack": parts(one_of("xoxb-", "xoxp-", "xoxa-", "xoxr-"), some("123456789", 11), "-", some("123456789", 12), "-", some(ALNUM, 24)),
    "google": plain("AIza", URLSAFE, 35),
    "huggingface": plain("hf_", string.ascii_letters, 34),
    "aliyun": parts("LTAI", one_of("", "5t"), some(ALNUM, 12), one_of("", "4Gx8Kp")),
    "tencent": plain("AKID", ALNUM, 32),
    "npm": plain("npm_", ALNUM, 36),
    "pypi": plain("pypi-AgEIcHlwaS5vcmc", URLSAFE, 150, 180),
    "sendgrid": parts("SG.", some(ALNUM, 22), ".", some(ALNUM, 43)),
    "stripe": parts(one_of("sk_live_", "rk_live_"), some(ALNUM, 24)),
    "jwt": jwt,
    "pem": pem,
    "connection": connection,
    "bearer": bearer,
    "basic": basic,
    "password-zh": assigned(typed_password, "密码：{}", "密码是{}", "口令: {}", "登录密码:{}", "密码={}"),
    "password-en": assigned(typed_password, "password: {}", "password={}", "passwd = {}", "secret={}", "Password: {}"),
    "token-assigned": assigned(lambda rng: pick(rng, ALNUM, rng.randint(20, 40)), "token: {}", "access_token={}", "api_key = {}", "secret_key: {}"),
}  # fmt: skip

# What documentation shows in a key's place, vendors' own examples, and words around keys.
NO_SECRETS = [
    "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "YOUR_API_KEY", "your-api-key-here", "<your-api-key>", "<API_KEY>", "${OPENAI_API_KEY}", "$DEEPSEEK_API_KEY",
    "{{ secrets.NPM_TOKEN }}", "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "sk-YOUR_KEY_HERE", "sk-...", "sk-ant-...", "hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "api_key=YOUR_API_KEY", "password: ********", "password=${DB_PASSWORD}",
    "token: process.env.API_TOKEN", "password = os.environ['DB_PASSWORD']", "password: string", "token: string | undefined", "secret: null", "password=<password>",
    "密码：******", "密码：（请填写）", "Authorization: Bearer <token>", "Authorization: Bearer $TOKEN", "Authorization: Bearer ${token}", "Authorization: Bearer YOUR_API_KEY",
    "postgres://user:password@localhost:5432/db", "mysql://root:${MYSQL_PASSWORD}@db/app", "https://user:<password>@host/path", "redis://:****@cache:6379",
    "LTAIxxxxxxxxxxxxxxxx", "AIzaXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX", "sk_live_xxxxxxxxxxxxxxxxxxxxxxxx", "xoxb-your-token-here", "glpat-xxxxxxxxxxxxxxxxxxxx",
    "npm_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "max_tokens: 4096", "token = tokens[index]", "tokens: 128", "passwordField.value", "password: ''",
    "task-management-and-planning-for-everyone", "disk-usage-of-the-whole-server-room", "risk-assessment-for-critical-infrastructure", "sk-learn", "the key is under the mat",
    "-----BEGIN PUBLIC KEY-----", "-----BEGIN CERTIFICATE-----", "密码错误，请重新输入", "密码是什么？", "忘记密码怎么办", "请设置密码：至少8位，包含字母和数字", "token 是什么意思",
    "password must be at least 12 characters", "Password: (leave blank to keep)", "secret: true", "key: value", "token: invalid", "password: required",
]  # fmt: skip
