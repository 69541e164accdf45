"""What must be left alone: numbers of other kinds, wrong check digits, examples of documentation, words that are also names.

`NEGATIVES` maps a class to (maker, dev clauses, test clauses); `WORDS` maps one to whole sentences, of which every second is for the test
half. Numbers are drawn again while an oracle sees a card, a telephone or a document in them.
"""

import datetime
import ipaddress
import string
import uuid

import phonenumbers
from stdnum import ean, iban, imei, isbn, luhn
from stdnum.cn import ric, uscc
from stdnum.us import ssn

import clauses
import values
from values import digits, pick
from vendors import NO_SECRETS

HEX = "0123456789abcdef"


def harmless(maker):
    """Draws until no run of digits in the value is a card by its check digit, nor a Chinese mobile or identity number."""

    def made(rng):
        while True:
            text = maker(rng)
            runs = "".join(letter if letter.isdigit() else " " for letter in text).split()
            if not any(len(run) >= 11 and (luhn.is_valid(run) and run[0] in "23456" or ric.is_valid(run) or mobile(run)) for run in runs):
                return text

    return made


def mobile(run):
    return len(run) == 11 and run[0] == "1" and phonenumbers.is_valid_number(phonenumbers.parse(run, "CN"))


def wrong(kind, valid):
    """A value of the kind with one digit changed, so that the oracle refuses it."""

    def made(rng):
        while True:
            text = values.make(kind, rng)
            places = [at for at, letter in enumerate(text) if letter.isdigit()]
            at = rng.choice(places[-4:])
            changed = text[:at] + str((int(text[at]) + rng.randint(1, 9)) % 10) + text[at + 1 :]
            if not valid(changed):
                return changed

    return made


def hkid_valid(text):
    plain = text.translate(str.maketrans("", "", "()（）"))
    prefix = plain.rstrip(string.digits) if plain[-1] != "A" else plain[:-1].rstrip(string.digits)
    rest = plain[len(prefix) :]
    return values.hkid_check(prefix, rest[:6]) == rest[6:]


def twid_valid(text):
    from faker.providers.ssn.zh_TW import checksum

    return checksum(text) % 10 == 0


def wrong_ssn(rng):
    area, group, serial = f"{rng.randint(1, 665):03}", f"{rng.randint(1, 99):02}", f"{rng.randint(1, 9999):04}"
    # The groups of an ITIN (50 and more) are left out: those are real numbers of people.
    text = rng.choice([f"000-{group}-{serial}", f"666-{group}-{serial}", f"9{area[1:]}-{rng.randint(1, 49):02}-{serial}", f"{area}-00-{serial}", f"{area}-{group}-0000", "078-05-1120", "123-45-6789"])
    assert not ssn.is_valid(text) or text == "123-45-6789", text
    return text


def wrong_nino(rng):
    return rng.choice(["BG", "GB", "NK", "KN", "TN", "NT", "ZZ", "DA", "AF", "QQ", "AO"]) + digits(rng, 6) + rng.choice("ABCD")


def wrong_card(rng):
    while True:
        text = values.bankcard(rng)
        if text[0] != "6":
            text = text[:-1] + str((int(text[-1]) + rng.randint(1, 9)) % 10)
            if not luhn.is_valid(text):
                return text


def moment(rng):
    return rng.randint(1_500_000_000, 1_799_999_999)


def when(rng):
    return datetime.datetime.fromtimestamp(moment(rng), datetime.timezone.utc)


def private_ip(rng):
    return rng.choice(
        [f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}", f"192.168.{rng.randrange(256)}.{rng.randrange(1, 255)}", f"172.{rng.randint(16, 31)}.{rng.randrange(256)}.5",
         "127.0.0.1", "0.0.0.0", "::1", "fe80::1", f"fd00::{rng.randrange(4096):x}", f"169.254.{rng.randrange(256)}.{rng.randrange(256)}"]
    )  # fmt: skip


def documentation_ip(rng):
    text = rng.choice([f"192.0.2.{rng.randrange(256)}", f"198.51.100.{rng.randrange(256)}", f"203.0.113.{rng.randrange(256)}", f"2001:db8::{rng.randrange(65536):x}", "255.255.255.0"])
    assert not ipaddress.ip_address(text).is_global
    return text


def ean13(rng):
    body = rng.choice(["690", "692", "400", "501"]) + digits(rng, 9)
    return body + ean.calc_check_digit(body)


def isbn13(rng):
    body = "9787" + digits(rng, 8)
    number = body + ean.calc_check_digit(body)
    assert isbn.is_valid(number)
    return rng.choice([number, f"{number[:3]}-{number[3]}-{number[4:7]}-{number[7:12]}-{number[12]}"])


def version(rng):
    return rng.choice(["v{}.{}.{}", "{}.{}.{}", "{}.{}.{}-beta.1", "^{}.{}.{}", "v{}.{}.{}+build.7"]).format(rng.randrange(30), rng.randrange(30), rng.randrange(30))


def four_part(rng):
    return f"{rng.randint(1, 140)}.{rng.randint(0, 30)}.{rng.randint(0, 255)}.{rng.randint(0, 255)}"


def money(rng):
    amount = rng.randint(1_000, 99_999_999)
    return rng.choice([f"¥{amount:,}.00", f"${amount:,}", f"{amount}.{rng.randrange(100):02}元", f"人民币{amount:,}元", f"USD {amount:,}.50", f"{amount}万元"])


def decimal(rng):
    return rng.choice([f"{rng.random():.16f}", f"3.{digits(rng, 15)}", f"0.{digits(rng, 11)}", f"-{rng.randint(1, 99)}.{digits(rng, 12)}", f"{rng.random():.6e}", f"1.{digits(rng, 13, '3456789')}"])


def clock(rng):
    at = when(rng)
    return rng.choice([at.strftime("%Y-%m-%d %H:%M:%S"), at.strftime("%Y%m%d%H%M%S"), at.isoformat(), at.strftime("%H:%M:%S.%f"), at.strftime("%d/%b/%Y:%H:%M:%S +0800"), at.strftime("%Y年%m月%d日")])


def snowflake(rng):
    """A millisecond timestamp, a machine and a counter: 18 or 19 digits that begin with 1."""
    return str((rng.randint(250_000_000_000, 440_000_000_000) << 22) | rng.getrandbits(22))


def order(rng):
    at = when(rng)
    return rng.choice([at.strftime("%Y%m%d%H%M%S") + digits(rng, 6), at.strftime("%Y%m%d") + digits(rng, 8), at.strftime("%y%m%d") + digits(rng, 9), "DD" + digits(rng, 12)])


def waybill(rng):
    return rng.choice(["SF" + digits(rng, 13), "YT" + digits(rng, 13), "JD" + digits(rng, 13), digits(rng, 12, "479"), digits(rng, 15, "7"), "EMS" + digits(rng, 9) + "CN"])


def hexadecimal(rng):
    return rng.choice(["0x" + pick(rng, HEX, 16), "0x" + digits(rng, 11), pick(rng, HEX, 32), pick(rng, HEX, 64), "#" + pick(rng, HEX, 6), "sha256:" + pick(rng, HEX, 64), "\\x" + pick(rng, HEX, 2)])


def base64_blob(rng):
    import base64

    return rng.choice(["sha512-", "data:image/png;base64,iVBORw0KGgo", "sha256-"]) + base64.b64encode(rng.randbytes(rng.choice([32, 64]))).decode()


def oid(rng):
    return ".".join(str(rng.randint(0, 40)) for _ in range(rng.randint(5, 8)))


def fingerprint(rng):
    return ":".join(f"{rng.randrange(256):02x}" for _ in range(rng.choice([16, 20])))


def bare_area(rng):
    _, province, county = rng.choice(values.COUNTIES)
    return rng.choice([province, province + county, county])


def sequence(rng):
    return rng.choice(["[" + ", ".join(str(rng.randrange(1000)) for _ in range(12)) + "]", " ".join(digits(rng, rng.randint(2, 5)) for _ in range(6)), "1 2 3 4 5 6 7 8 9 10 11 12", "10000000000", "00000000000", "123456789", "99999999999999999999"])


def both(name):
    dev, test = clauses.KEYED[name]
    return clauses.BARE[0] + dev, clauses.BARE[1] + test


PLAIN = clauses.BARE
CODE = (["`{}`", "run {}", "{}"], ["用 {} 试试", "{} 是什么意思", "> {}\n"])


def row(maker, pair):
    return (maker, pair[0], pair[1])


NEGATIVES = {
    "timestamp-10": row(lambda rng: str(moment(rng)), (["时间戳{}", "ts={}", "{}"], ["timestamp: {}", "created_at {}", "截止到{}"])),
    "timestamp-13": row(lambda rng: str(moment(rng) * 1000 + rng.randrange(1000)), (["时间戳{}", "ts={}", "{}"], ["timestamp: {}", "updated at {}", "更新时间{}"])),
    "clock": row(clock, (["时间：{}", "{}", "at {} it failed"], ["发生于{}", "since {}", "开始时间 {}，结束时间未定"])),
    "snowflake": row(harmless(snowflake), (["消息ID {}", "{}", "tweet {}"], ["记录 {} 不存在", "id: {}", "主键是{}"])),
    "order": row(harmless(order), (["订单号{}", "订单：{}，请查收", "order {}"], ["您的订单{}已发货", "流水号 {}", "order no. {} shipped"])),
    "order-like-phone": row(lambda rng: values.phone_cn(rng), (["订单号{}", "流水号：{}"], ["订单编号：{}", "运单号{}"])),
    "waybill": row(harmless(waybill), (["快递单号{}", "运单号：{}"], ["运单{}已签收", "快递 {} 到哪了"])),
    "money": row(money, (["合计{}", "it costs {}", "{}"], ["报价{}，含税", "revenue of {}", "预算为{}"])),
    "decimal": row(decimal, (["loss={}", "结果是{}", "{}"], ["得到{}", "x = {}", "误差 {} 左右"])),
    "hex": row(harmless(hexadecimal), (["hash {}", "{}", "颜色{}"], ["摘要为{}", "addr {}", "digest: {}"])),
    "uuid": row(harmless(lambda rng: str(uuid.UUID(int=rng.getrandbits(128), version=4))), (["id {}", "{}", "请求{}失败"], ["trace={}", "会话 {} 已结束", "request id: {}"])),
    "git-sha": row(harmless(lambda rng: pick(rng, HEX, rng.choice([7, 12, 40]))), (["commit {}", "{}", "回滚到{}"], ["见提交 {}", "fixed in {}", "cherry-pick {}"])),
    "base64": row(base64_blob, (["integrity: {}", "{}"], ['"integrity": "{}"', "src={}"])),
    "version": row(version, (["版本{}", "upgrade to {}", "{}"], ["当前版本：{}", "since {}", "请升级到{}以上"])),
    "version-like-ip": row(four_part, (["版本{}", "version {}", "Chrome/{}", "v{}"], ["版本号：{}", "Edg/{} Safari", "version: {}", "固件版本 {}"])),
    "section": row(lambda rng: ".".join(str(rng.randint(1, 9)) for _ in range(rng.choice([2, 3]))), (["第{}节", "see §{}"], ["见{}节", "chapter {}"])),
    "oid": row(oid, (["OID {}", "{}"], ["oid: {}", "标识 {}"])),
    "isbn": row(isbn13, (["ISBN {}", "书号ISBN{}"], ["ISBN: {}", "ISBN：{}，人民邮电出版社"])),
    "ean": row(ean13, (["条码{}", "商品条码：{}"], ["条码 {} 扫不出来", "条码：{}"])),
    "hotline": row(lambda rng: rng.choice(["10086", "10010", "95588", "12306", "12315", "110", "120", "119", "400-" + digits(rng, 3) + "-" + digits(rng, 4), "400" + digits(rng, 7), "800-" + digits(rng, 3) + "-" + digits(rng, 4), "95" + digits(rng, 3)]), (["客服热线{}", "拨打{}", "hotline {}"], ["请致电{}咨询", "服务热线：{}", "有问题打{}"])),
    "short-number": row(lambda rng: digits(rng, rng.randint(3, 6)), (["{}", "验证码不要告诉别人，共{}人", "page {}"], ["房间{}", "第{}页", "row {}"])),
    "no-mobile": row(harmless(lambda rng: rng.choice(["10", "11", "12"]) + digits(rng, 9)), PLAIN),
    "twelve-digits": row(harmless(lambda rng: rng.choice([digits(rng, 12, "1"), digits(rng, 12, "1"), digits(rng, 20, "1"), digits(rng, 25, "7")])), PLAIN),
    "glued": row(lambda rng: rng.choice(["x", "id_", "A", "var"]) + values.phone_cn(rng) + rng.choice(["", "z", "_v2"]), (["{}", "字段{}", "see {}"], ["变量 {} 未定义", "{} is undefined", "文件{}"])),
    "sequence": row(harmless(sequence), (["{}", "数据：{}"], ["输入 {}", "vector {}"])),
    "wrong-id": row(harmless(wrong("ID_CN", ric.is_valid)), PLAIN),
    "wrong-id-date": row(harmless(lambda rng: rng.choice(values.COUNTIES)[0] + rng.choice(["19891345", "20000230", "19001301", "21990101"]) + digits(rng, 4)), PLAIN),
    "wrong-id-keyed": row(harmless(wrong("ID_CN", ric.is_valid)), both("ID_CN")),
    "wrong-card": row(wrong_card, PLAIN),
    "wrong-uscc": row(wrong("USCC", uscc.is_valid), PLAIN),
    "wrong-hkid": row(wrong("HKID", hkid_valid), PLAIN),
    "wrong-twid": row(wrong("TWID", twid_valid), PLAIN),
    "wrong-iban": row(harmless(wrong("IBAN", iban.is_valid)), both("IBAN")),
    "wrong-imei": row(harmless(wrong("IMEI", imei.is_valid)), both("IMEI")),
    "wrong-ssn": row(wrong_ssn, both("US_SSN")),
    "wrong-nino": row(wrong_nino, PLAIN),
    "no-context-passport": row(lambda rng: rng.choice(["E", "G"]) + digits(rng, 8), (["零件{}", "part {}"], ["型号 {}", "model {} is sold out"])),
    "no-context-15": row(harmless(lambda rng: digits(rng, 15, "7")), PLAIN),
    "ip-private": row(private_ip, (["服务器{}", "listening on {}", "{}"], ["连不上{}", "bind {}", "地址是{}"])),
    "ip-documentation": row(documentation_ip, (["例如{}", "e.g. {}"], ["比如 {}", "mask {}"])),
    "not-ip": row(lambda rng: rng.choice([f"{rng.randint(256, 999)}.1.2.3", "1.2.3", f"{rng.randint(300, 999)}.{rng.randint(300, 999)}.{rng.randint(300, 999)}.{rng.randint(300, 999)}", "std::vec::Vec", "a::b::c", "12:30:45"]), PLAIN),
    "fingerprint": row(fingerprint, (["fingerprint {}", "指纹 {}"], ["SHA1 {}", "MD5:{}"])),
    "git-remote": row(lambda rng: f"git@{rng.choice(['github.com', 'gitlab.com', 'gitee.com', 'git.intra.lan'])}:{rng.choice(values.WORDS)}/{rng.choice(values.WORDS)}.git", (["git clone {}", "{}", "地址 {}"], ["remote origin {}", "克隆{}", "url = {}"])),
    "git-ssh": row(lambda rng: f"git+ssh://git@{rng.choice(['github.com', 'gitlab.com'])}/{rng.choice(values.WORDS)}/{rng.choice(values.WORDS)}.git", CODE),
    "at-local": row(lambda rng: rng.choice(["user@localhost", "root@localhost", f"{rng.choice(values.WORDS)}@localhost", "root@server:~#", f"{rng.choice(values.WORDS)}@myhost:~$ ls"]), CODE),
    "at-sign": row(lambda rng: rng.choice(["@media (max-width: 600px)", "@app.route('/')", "@types/node@20.1.0", f"lodash@{version(rng)}", "actions/checkout@v4", "@张三 看一下", "icon@2x", "npm i -g pnpm@9", "a@b", "x @ y", "@Override", "foo@"]), CODE),
    "address-bare": row(bare_area, (["我来自{}", "{}的天气怎么样", "去{}出差"], ["{}有什么好玩的", "老家在{}", "{}分公司成立了"])),
    "date": row(lambda rng: values.dob_zh(rng), (["发布日期：{}", "合同签于{}", "{}开会"], ["有效期至{}", "截止{}", "活动时间是{}"])),
    "date-en": row(lambda rng: values.dob_en(rng), (["released on {}", "due {}"], ["last updated {}", "signed on {}"])),
    "no-plate": row(lambda rng: rng.choice(["京东618", "川菜馆", "鲁迅全集", "粤语A1级", "北京AI大会", "京A", "沪IPO2024", "新A股", "苏O12345", "晋I88888", "湘I23456"]), (["{}", "今天看{}"], ["关于{}", "{}很不错"])),
    "no-secret": row(lambda rng: rng.choice(NO_SECRETS), (["{}", "例如\n{}", "`{}`"], ["# {}", "示例：{}", "set it like this: {} "])),
    "identifier": row(lambda rng: rng.choice(["sk-container-fluid-layout-wrapper", "ask-me-anything-about-this-product-launch", "getUserAuthenticationTokenFromRequestHeaders", "AKIRA", "hf_transfer", "npm_config_registry", "npm_lifecycle_event", "pypi-publish", "SG.Resources", "xoxo", "ghp_", "LTAI", "AIza", "eyJ", "eyJhbGciOi", "kebab-case-name-that-is-long-enough-for-anything", "X-Request-Id", "sk-SK", "glpat-", "data-testid", "AKIDs"]), CODE),
}  # fmt: skip

WORDS = {
    "surname-words": [
        "我很高兴认识大家", "任何人都可以参加这次活动", "这样比较方便", "黄金价格又涨了", "我马上就到", "温馨提示：请保管好随身物品", "周末一起吃饭吧", "高速公路今天很堵", "白天上班，晚上学习", "方案已经通过了",
        "王国的历史很悠久", "李子和苹果都很甜", "石头剪刀布", "水平有待提高", "马路上车很多", "林业部门发布了通知", "江南好，风景旧曾谙", "金额不能为空", "常用的方法有三种", "和平与发展是主题",
        "安全第一，预防为主", "单位证明已经开好了", "华为发布了新手机", "牛奶要冷藏", "时间不早了，休息吧", "成功的关键在于坚持", "雷声很大，雨点很小", "项目经理会议改到下午", "张贴通知之前请先审批", "陈述理由要充分",
        "吴语区的范围很广", "孙子兵法值得一读", "周期比较长，请耐心等待", "何必这么着急呢", "许多同学报名了", "于是我们决定放弃", "郑重承诺，假一赔十", "谢谢老师的指导", "杨树和柳树都发芽了", "朱红色的大门",
        "老师您好，请问作业什么时候交", "先生们，女士们，大家晚上好", "请联系客服处理", "联系人不能为空", "姓名字段最长二十个字", "医生建议多休息", "经理同意了这个方案", "我叫了外卖", "我叫不出名字", "叫车很方便",
    ],
    "english-names-as-words": [
        "Will you mark the bill as paid in May?", "Grace and hope are all we need.", "A rose is a rose.", "The jack is under the table.", "Please mark this as done.", "Faith moves mountains.", "Frank feedback is welcome.",
        "I may drew a conclusion too early.", "Chase the dream.", "Summer in Austin is hot.", "The art of war", "Don't rob the bank.", "Sue them if you must.", "Pat the dog gently.", "April showers bring May flowers.",
        "Ruby and Python are languages.", "Jenkins builds the project, Maven resolves it.", "Dear customer, your parcel is here.", "Dear all, the meeting is moved.", "Best regards, the support team", "Hi there, hope you are well.", "Apache Spark runs on Kubernetes.",
    ],
    "account-words": [
        "微信支付成功", "打开微信小程序", "微信群里说一下", "QQ音乐会员到期了", "QQ群已满", "wx.request 返回失败", "wx.login(options)", "微信公众号开发文档", "用微信扫一扫", "vx 是什么", "微信：暂无", "QQ邮箱怎么登录", "加微信请备注", "微信 weixin 登录",
        "手机号格式不正确", "请输入身份证号", "电话打不通", "银行卡丢了怎么办", "护照过期了", "邮箱不能为空", "车牌识别算法", "社保怎么转移", "公积金可以提取吗", "医保卡余额查询", "出生率下降", "生日快乐！", "地址栏里输入网址", "IP 地址有两种版本", "MAC 电脑很好用",
        "港澳通行证怎么办理", "信用代码在哪里查", "passport renewal takes weeks", "my phone is broken", "SSN is required", "the IBAN is missing", "your email address is invalid", "call me maybe", "born to run", "tel aviv",
    ],
    "prose": [
        "机器学习是人工智能的一个分支。", "The quick brown fox jumps over the lazy dog.", "请把下面的文字翻译成英文。", "def add(a, b):\n    return a + b", "SELECT id, name FROM users WHERE age > 18 LIMIT 100;", "const total = items.reduce((sum, x) => sum + x.price, 0);",
        "三国演义第一百二十回", "一二三四五，上山打老虎", "二〇二四年一月一日起施行", "人口达到一千四百万", "百分之九十九点九", "一九四九年十月一日", "2024年GDP增长5.2%", "π≈3.14159265358979", "速度为299792458米每秒", "6.02214076e23", "共3,000,000人参加", "圆周率小数点后100位",
        "http://localhost:8080/index.html", "https://docs.rs/serde/1.0.219/serde/", "https://www.w3.org/2000/svg", "xmlns=\"http://www.w3.org/1999/xhtml\"", "/usr/local/bin/python3.11", "C:\\Windows\\System32\\drivers", "Content-Length: 1048576", "User-Agent: Mozilla/5.0 (X11; Linux x86_64)", "ETag: \"33a64df551425fcc\"", "rgb(255, 255, 255)", "M10 20 L30 40 Z", "1920x1080@60Hz",
        "A4纸210×297毫米", "比分3-2", "2024-2025学年", "8:30-17:30", "第13届全国人大", "GB 11643-1999", "ISO 8601", "RFC 9110", "CVE-2024-12345", "T恤尺码XL", "B2B业务", "4G/5G网络", "H2O和CO2", "COVID-19", "iPhone 15 Pro Max 256GB", "RTX4090",
    ],
}  # fmt: skip
