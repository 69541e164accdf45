"""True values of every entity, each made and checked by an oracle that is not ours.

`make(entity, rng)` gives one value as text in its plain form. Check digits come from python-stdnum and Faker, telephone
numbers from phonenumbers, names from Faker, places from the gazetteer in python-stdnum; the rest follows the issuers'
published formats. The same `random.Random` gives the same values.
"""

import datetime
import ipaddress
import string

import phonenumbers
from faker import Faker
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from stdnum import iban, imei, imsi, luhn, numdb
from stdnum.cn import ric, uscc
from stdnum.us import ssn

UPPER_NO_IO = "ABCDEFGHJKLMNPQRSTUVWXYZ"
PLATE_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"


def digits(rng, count, first="0123456789"):
    return rng.choice(first) + "".join(rng.choice(string.digits) for _ in range(count - 1))


def pick(rng, alphabet, count):
    return "".join(rng.choice(alphabet) for _ in range(count))


# Telephones.


def numbered(rng, region, kind):
    """A number that phonenumbers itself holds to be valid and of the kind: its example with other last digits."""
    example = phonenumbers.example_number_for_type(region, kind)
    national = phonenumbers.national_significant_number(example)
    # Countries that share a numbering plan tell their mobile numbers apart by more than we change.
    kinds = (kind, PhoneNumberType.FIXED_LINE_OR_MOBILE)
    for _ in range(200):
        keep = rng.randint(2, 4)
        number = phonenumbers.parse(national[:keep] + digits(rng, len(national) - keep), region)
        if phonenumbers.is_valid_number(number) and phonenumbers.number_type(number) in kinds:
            return number
    return example


def phone_cn(rng):
    while True:
        number = phonenumbers.parse("1" + digits(rng, 1, "3456789") + digits(rng, 9), "CN")
        if phonenumbers.is_valid_number(number) and phonenumbers.number_type(number) == PhoneNumberType.MOBILE:
            return phonenumbers.national_significant_number(number)


AREAS = "010 021 022 023 024 025 027 028 029 0311 0371 0411 0512 0531 0571 0591 0731 0755 0756 0757 0769 0771 0851 0871 0898 0931 0951 0991".split()


def tel_cn(rng):
    while True:
        area = rng.choice(AREAS)
        local = digits(rng, 8 if len(area) == 3 or area in ("0512", "0571", "0755", "0769", "0371", "0731", "0757") else 7, "2345678")
        number = phonenumbers.parse(area + local, "CN")
        if phonenumbers.is_valid_number(number) and phonenumbers.number_type(number) == PhoneNumberType.FIXED_LINE:
            break
    shape = rng.choice(["{a}-{l}", "{a}{l}", "({a}){l}", "{a} {l}", "{a}-{l}转{e}", "（{a}）{l}"])
    return shape.format(a=area, l=local, e=digits(rng, rng.randint(2, 4), "123456789"))


ABROAD = "US GB DE FR JP KR SG HK TW AU CA IN BR RU IT ES NL SE CH MY TH VN PH ID AE ZA MX".split()


def phone_intl(rng):
    region = rng.choice(ABROAD)
    kind = rng.choice([PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE, PhoneNumberType.FIXED_LINE_OR_MOBILE])
    if phonenumbers.example_number_for_type(region, kind) is None:
        return phone_intl(rng)
    shape = rng.choice([PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL])
    # Among the countries that share +1, an example may be valid for a neighbour.
    return phonenumbers.format_number(numbered(rng, region, kind), shape)


def phone_nanp(rng):
    number = numbered(rng, "US", PhoneNumberType.FIXED_LINE_OR_MOBILE)
    text = phonenumbers.national_significant_number(number)
    shape = rng.choice(["({0}) {1}-{2}", "{0}-{1}-{2}", "({0}) {1}-{2}", "{0}.{1}.{2}"])
    return shape.format(text[:3], text[3:6], text[6:])


# Documents.


def _counties():
    found = []
    for line in open(numdb.__file__.replace("numdb.py", "cn/loc.dat"), encoding="utf-8"):
        if line[:2].isdigit():
            province, name = line[:2], line.split('"')[1]
        elif line.startswith("  ") and not line.strip().startswith("#"):
            code, county = line.strip()[:4], line.split('"')[1]
            if "[" not in county and "," not in county and not code.endswith("00") and county not in ("市辖区", "县"):
                found.append((province + code, name, county))
    return found


COUNTIES = _counties()


def birth(rng, first=1945, last=2012):
    day = datetime.date(first, 1, 1) + datetime.timedelta(days=rng.randrange((last - first) * 365))
    return day


def id_cn(rng):
    """County codes of today's table, and some that the table lost or that stand for residents from outside the mainland."""
    prefix = rng.choice(["810000", "820000", "830000", "320219"]) if rng.random() < 0.08 else rng.choice(COUNTIES)[0]
    number = prefix + birth(rng).strftime("%Y%m%d") + digits(rng, 3)
    number += ric.calc_check_digit(number + "0")
    assert prefix[0] == "8" or prefix == "320219" or ric.is_valid(number), number
    return number


def id_cn15(rng):
    return rng.choice(COUNTIES)[0] + birth(rng, 1930, 1985).strftime("%y%m%d") + digits(rng, 3)


ISSUERS = [
    ("621226", 19), ("622202", 19), ("621700", 19), ("622848", 19), ("621661", 19), ("623052", 19), ("625955", 16), ("622588", 16),
    ("621483", 16), ("622600", 16), ("4", 16), ("4", 16), ("51", 16), ("55", 16), ("2221", 16), ("2720", 16), ("34", 15), ("37", 15),
    ("3528", 16), ("3589", 16), ("300", 14), ("36", 14), ("38", 14), ("6011", 16), ("65", 16),
]


def bankcard(rng):
    prefix, length = rng.choice(ISSUERS)
    body = prefix + digits(rng, length - len(prefix) - 1)
    number = body + luhn.calc_check_digit(body)
    assert luhn.is_valid(number)
    return number


def uscc_code(rng):
    kind = rng.choice(["91", "91", "91", "92", "93", "11", "12", "51", "52", "53"])
    body = kind + rng.choice(COUNTIES)[0] + pick(rng, "0123456789ABCDEFGHJKLMNPQRTUWXY", 9)
    number = body + uscc.calc_check_digit(body + "0")
    assert uscc.is_valid(number), number
    return number


def imei_number(rng):
    body = rng.choice(["35", "86", "01", "99"]) + digits(rng, 12)
    number = body + luhn.calc_check_digit(body)
    assert imei.is_valid(number)
    return number


def imsi_number(rng):
    while True:
        number = rng.choice(["46000", "46001", "46011", "310260", "23415", "44010", "26201"])
        number += digits(rng, 15 - len(number))
        if imsi.is_valid(number):
            return number


def hkid_check(prefix, number):
    """Immigration Department: weights 9 to 2, a space before a single letter counts 36, A to Z count 10 to 35; the sum is 0 mod 11."""
    values = [36 if letter == " " else ord(letter) - 55 for letter in prefix.rjust(2)] + [int(digit) for digit in number]
    rest = -sum(weight * value for weight, value in zip(range(9, 1, -1), values)) % 11
    return "A" if rest == 10 else str(rest)


assert hkid_check("A", "123456") == "3" and hkid_check("AB", "987654") == "3"


def hkid(rng):
    prefix = pick(rng, "ABCDEFGHKMNPRSTVYZ", 1) if rng.random() < 0.75 else rng.choice(["WX", "EC", "XA", "XH", "AB"])
    number = digits(rng, 6)
    check = hkid_check(prefix, number)
    return rng.choice([f"{prefix}{number}({check})", f"{prefix}{number}({check})", f"{prefix}{number}{check}", f"{prefix}{number}（{check}）"])


def moid(rng):
    head, body, tail = rng.choice("157"), digits(rng, 6), digits(rng, 1)
    return rng.choice([f"{head}{body}({tail})", f"{head}/{body}/{tail}", f"{head}{body}{tail}"])


def twid(rng):
    from faker.providers.ssn.zh_TW import checksum

    while True:
        body = rng.choice(string.ascii_uppercase) + rng.choice("1289") + digits(rng, 7)
        number = body + str(-checksum(body) % 10)
        if checksum(number) % 10 == 0:
            return number


def passport_cn(rng):
    return rng.choice([lambda: "E" + digits(rng, 8), lambda: rng.choice("GDSP") + digits(rng, 8), lambda: "E" + rng.choice(UPPER_NO_IO) + digits(rng, 7)])()


def eep(rng):
    return "C" + digits(rng, 8) if rng.random() < 0.6 else "C" + rng.choice(UPPER_NO_IO) + digits(rng, 7)


def hrp(rng):
    return rng.choice("HM") + digits(rng, rng.choice([8, 10]))


def mtp(rng):
    return digits(rng, rng.choice([8, 8, 10]))


def plate(rng):
    head = rng.choice(PLATE_PROVINCES) + rng.choice(UPPER_NO_IO) + rng.choice(["", "", "·", "-", " ", "."])
    kind = rng.random()
    if kind < 0.25:
        return head + rng.choice("DF") + pick(rng, "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", 1) + digits(rng, 4)
    if kind < 0.33:
        return head + digits(rng, 4) + rng.choice("挂学警")
    while True:
        tail = pick(rng, string.digits * 3 + UPPER_NO_IO, 5)
        if sum(letter.isalpha() for letter in tail) <= 2:
            return head + tail


# Nets and accounts.


def iban_number(rng):
    country = rng.choice(["DE", "FR", "GB", "NL", "CH", "AT", "PL", "SE", "IE", "BE", "LU", "DK"])
    while True:
        body = bban(rng, country)
        number = country + iban.calc_check_digits(country + "00" + body) + body
        if iban.is_valid(number):
            return number


def bban(rng, country):
    """An account number by the structure that python-stdnum's table gives to the country."""
    structure = iban._ibandb.info(country + "00")[0][1]["bban"]
    body, count = "", ""
    for letter in structure:
        if letter.isdigit():
            count += letter
        elif letter in "nac":
            alphabet = {"n": string.digits, "a": string.ascii_uppercase, "c": string.digits + string.ascii_uppercase}[letter]
            body, count = body + pick(rng, alphabet, int(count)), ""
    return body


def us_ssn(rng):
    while True:
        number = f"{rng.randint(1, 899):03}-{rng.randint(1, 99):02}-{rng.randint(1, 9999):04}"
        if ssn.is_valid(number):
            return number


def uk_nino(rng):
    """HMRC: no D F I Q U V, no O as the second letter, not these prefixes; the suffix is A to D."""
    while True:
        prefix = rng.choice("ABCEGHJKLMNOPRSTWXYZ") + rng.choice("ABCEGHJKLMNPRSTWXYZ")
        if prefix not in ("BG", "GB", "NK", "KN", "TN", "NT", "ZZ"):
            return prefix + digits(rng, 6) + rng.choice("ABCD")


def ip(rng):
    if rng.random() < 0.7:
        while True:
            address = ipaddress.IPv4Address(rng.getrandbits(32))
            if address.is_global and not address.is_multicast and not str(address).startswith(("8.8.", "1.1.", "1.0.0")):
                return str(address)
    while True:
        address = ipaddress.IPv6Address((rng.choice([0x2001, 0x2400, 0x240E, 0x2408, 0x2A00, 0x2606]) << 112) | rng.getrandbits(112))
        if address.is_global and not address.is_multicast:
            groups = address.exploded.split(":")
            if rng.random() < 0.5:
                groups[3:7] = ["0000"] * 4
            return str(ipaddress.IPv6Address(":".join(groups)))


def mac(rng):
    octets = [f"{rng.randrange(256):02x}" for _ in range(6)]
    octets[0] = f"{rng.randrange(1, 64) * 4:02x}"
    text = rng.choice([":".join(octets), "-".join(octets), ":".join(octets).upper(), "-".join(octets).upper()])
    return text if rng.random() < 0.9 else f"{octets[0]}{octets[1]}.{octets[2]}{octets[3]}.{octets[4]}{octets[5]}"


WORDS = "sunny maple river stone orbit pixel delta lotus amber cedar falcon nova quill tiger willow zephyr coral ember frost grove".split()
DOMAINS = (
    "gmail.com qq.com 163.com 126.com outlook.com foxmail.com sina.cn hotmail.co.uk yahoo.co.jp icloud.com proton.me mail.tsinghua.edu.cn "
    "novatech.io brightlab.dev hengxin.com.cn meridian-group.de staff.northwind.org"
).split()


def email(rng):
    kind = rng.random()
    word = rng.choice(WORDS)
    if kind < 0.08:
        return rng.choice(["张三", "王小明", "李雷", "客服部"]) + "@" + rng.choice(["例子.公司", "例子.中国", "邮箱.网址", "公司.cn"])
    local = rng.choice(
        [f"{word}{digits(rng, 3)}", f"{word}.{rng.choice(WORDS)}", f"{word}_{rng.choice(WORDS)}", f"{word}+{rng.choice(WORDS)}", f"{word[0]}{rng.choice(WORDS)}",
         digits(rng, 9, "123456789"), f"{word.title()}-{digits(rng, 2)}"]
    )
    return local + "@" + rng.choice(DOMAINS)


def email_spelled(rng):
    name, host = f"{rng.choice(WORDS)}{digits(rng, 2)}", rng.choice(["gmail.com", "outlook.com", "163.com", "novatech.io"])
    at = rng.choice(["[at]", " [at] ", "(at)", " (at) "])
    return name + at + host


def wechat(rng):
    head = rng.choice(["wxid_" + pick(rng, string.ascii_lowercase + string.digits, 12)] + [rng.choice(WORDS) + digits(rng, 4)] * 3 + [rng.choice(WORDS) + "_" + digits(rng, 3)] * 2 + [rng.choice(WORDS).title() + "-" + rng.choice(WORDS)])
    return head[:20]


def qq(rng):
    return digits(rng, rng.randint(6, 10), "123456789")


def social(rng):
    return digits(rng, rng.choice([9, 10, 12]), "123456789")


# People and places.

ZH = Faker("zh_CN")
EN = Faker("en_US")


def seed(number):
    ZH.seed_instance(number)
    EN.seed_instance(number)


COMPOUND = ["欧阳", "司马", "上官", "诸葛", "慕容", "皇甫"]
MINORITY = ["买买提", "阿卜杜", "古丽", "热合曼", "艾山江", "迪丽", "努尔兰", "帕提古丽", "扎西", "多吉", "卓玛", "次仁", "艾力", "吐尔逊"]


def person_zh(rng):
    kind = rng.random()
    if kind < 0.12:
        return "·".join(rng.sample(MINORITY, 2))
    if kind < 0.2:
        return rng.choice(COMPOUND) + ZH.first_name()
    return ZH.name()


def person_en(rng):
    return f"{EN.first_name()} {EN.last_name()}"


ROADS = ["人民路", "中山北路", "解放大道", "建设三路", "文化西路", "长江路", "滨河大道", "新华街", "学院南路", "科技二路", "朝阳门外大街", "迎宾路"]
ESTATES = ["阳光花园", "金色家园", "紫荆苑", "锦绣江南", "翠湖小区", "望京新城", "万象公寓", "清华园"]


def address_zh(rng):
    _, province, county = rng.choice(COUNTIES)
    area = province + county
    road = rng.choice(ROADS) + f"{rng.randint(1, 999)}号"
    detail = rng.choice(
        [
            f"{rng.choice(ESTATES)}{rng.randint(1, 30)}栋{rng.randint(1, 6)}单元{rng.randint(1, 30)}{rng.randint(1, 9):02}室",
            f"{rng.choice(ESTATES)}{rng.randint(1, 30)}号楼{rng.randint(101, 2999)}",
            f"{rng.randint(1, 60)}弄{rng.randint(1, 30)}号{rng.randint(101, 1999)}室",
            f"{rng.choice(['A', 'B', 'C'])}座{rng.randint(3, 30)}层",
            "",
        ]
    )
    return area + road + detail


def address_en(rng):
    street = f"{rng.randint(2, 9999)} {EN.last_name()} {rng.choice(['Street', 'Ave', 'Road', 'Lane', 'Blvd', 'Drive'])}"
    unit = rng.choice(["", f", Apt {rng.randint(1, 40)}", f", Suite {rng.randint(100, 900)}"])
    state = rng.choice(["CA", "NY", "TX", "WA", "IL", "MA"])
    city = rng.choice(["Springfield", "Oakland", "Austin", "Seattle", "Boston", "Chicago"])
    return f"{street}{unit}, {city}, {state} {digits(rng, 5)}"


def dob_zh(rng):
    day = birth(rng)
    return rng.choice([day.isoformat(), day.strftime("%Y/%m/%d"), f"{day.year}年{day.month}月{day.day}日", day.strftime("%Y%m%d"), day.strftime("%Y.%m.%d")])


def dob_en(rng):
    day = birth(rng)
    return rng.choice([day.isoformat(), day.strftime("%m/%d/%Y"), f"{day.strftime('%B')} {day.day}, {day.year}", f"{day.day} {day.strftime('%b')} {day.year}"])


MAKERS = {
    "PHONE_CN": phone_cn, "TEL_CN": tel_cn, "PHONE_INTL": phone_intl, "PHONE_INTL:nanp": phone_nanp, "ID_CN": id_cn, "ID_CN15": id_cn15,
    "BANKCARD": bankcard, "EMAIL": email, "EMAIL:spelled": email_spelled, "IP": ip, "MAC": mac, "IMEI": imei_number, "IMSI": imsi_number,
    "USCC": uscc_code, "PASSPORT_CN": passport_cn, "EEP": eep, "HRP": hrp, "MTP": mtp, "HKID": hkid, "MOID": moid, "TWID": twid, "PLATE": plate,
    "WECHAT": wechat, "QQ": qq, "SOCIAL": social, "IBAN": iban_number, "US_SSN": us_ssn, "UK_NINO": uk_nino,
    "PERSON": person_zh, "PERSON:en": person_en, "ADDRESS": address_zh, "ADDRESS:en": address_en, "DOB": dob_zh, "DOB:en": dob_en,
}  # fmt: skip


def make(kind, rng):
    return MAKERS[kind](rng)
