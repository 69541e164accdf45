#!/usr/bin/env python3
"""Writes check.json: what each validator of src/redact/check must say yes and no to.

The oracles are other people's: PyPI python-stdnum and phonenumbers, Python's ipaddress, datetime and math, and (for
numbers that those do not know) npm validator, stdnum and taiwan-id-validator. Every row that is marked by an oracle went through it; rows
that are stated by hand are facts of a published rule, and say which.

    pip install python-stdnum==2.2 phonenumbers==9.0.43
    npm install validator@13 stdnum@1 taiwan-id-validator@2 --prefix DIR
    python3 generate-check.py DIR > check.json
"""

import base64
import datetime
import ipaddress
import json
import math
import os
import random
import re
import subprocess
import sys
from collections import Counter

import phonenumbers
import stdnum
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumberType
from stdnum import iban, imei, luhn
from stdnum.be import nn
from stdnum.br import cpf
from stdnum.cn import ric, uscc
from stdnum.de import idnr
from stdnum.dk import cpr
from stdnum.es import dni, nie
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.in_ import aadhaar
from stdnum.it import codicefiscale
from stdnum.jp import in_ as my_number
from stdnum.kr import rrn
from stdnum.nl import bsn
from stdnum.pl import pesel
from stdnum.pt import nif
from stdnum.se import personnummer
from stdnum.us import itin, ssn

chance = random.Random(20261122)
rows = {}


def put(check, text, holds):
    rows.setdefault(check, {"yes": [], "no": []})["yes" if holds else "no"].append(text)


def pick(alphabet, count):
    return "".join(chance.choice(alphabet) for _ in range(count))


def digits(count):
    return pick("0123456789", count)


def birthday(first=1900, last=2020):
    return datetime.date(first, 1, 1) + datetime.timedelta(chance.randrange((datetime.date(last, 12, 31) - datetime.date(first, 1, 1)).days))


def judged(check, valid, make, count=8, alphabet="0123456789", place=-1):
    """`count` numbers that the oracle accepts, and each again with one place (the last by default) altered and refused."""
    found = 0
    while found < count:
        text = make()
        if not valid(text):
            continue
        found += 1
        put(check, text, True)
        at = place % len(text)
        wrong = [text[:at] + c + text[at + 1 :] for c in alphabet if c != text[at]]
        wrong = [w for w in wrong if not valid(w)]
        for w in chance.sample(wrong, min(2, len(wrong))):
            put(check, w, False)
    put(check, text[:-1], False)
    put(check, text + "0", False)
    put(check, "", False)


def node(script, texts):
    answer = subprocess.run(["node", "-e", script, json.dumps(texts)], cwd=sys.argv[1], capture_output=True, check=True)
    return json.loads(answer.stdout)


def judged_by_node(check, script, make, count=8):
    """The same for an oracle of npm; it is asked about all candidates at once."""
    texts = [make() for _ in range(4000)]
    verdicts = node(script, texts)
    good = [t for t, ok in zip(texts, verdicts) if ok]
    bad = [t for t, ok in zip(texts, verdicts) if not ok]
    for text in chance.sample(good, count):
        put(check, text, True)
    for text in chance.sample(bad, 2 * count):
        put(check, text, False)


VALIDATOR = "const v=require('validator');console.log(JSON.stringify(JSON.parse(process.argv[1]).map(t=>%s)))"
TAIWAN = "const v=require('taiwan-id-validator');console.log(JSON.stringify(JSON.parse(process.argv[1]).map(t=>v.isIdCardNumber(t))))"
STDNUM = "const {stdnum:s}=require('stdnum');console.log(JSON.stringify(JSON.parse(process.argv[1]).map(t=>%s.validate(t).isValid)))"

# Documents of the mainland. python-stdnum looks counties up in a table that ends early; Beijing's and Guangdong's that
# are made from here are in it. Its check is separate from that table and is what the rest is judged by.
counties = ["110101", "110105", "310101", "440106", "440305", "510107", "330106", "650102"]
judged("id_cn", ric.is_valid, lambda: chance.choice(counties) + birthday().strftime("%Y%m%d") + (s := digits(3)) + pick("0123456789X", 1), 16, "0123456789X")
for place in ["810000", "820000", "830000", "320219", "911124", "931840"]:
    body = place + birthday(1950).strftime("%Y%m%d") + digits(3)
    put("id_cn", body + ric.calc_check_digit(body + "0"), True)
    put("id_cn", (body + ric.calc_check_digit(body + "0")).lower(), True)
    put("id_cn", body + next(c for c in "0123456789X" if c != ric.calc_check_digit(body + "0")), False)
for body in ["11010519491331002", "11010519490230002", "11010518991231002", "16010519491231002", "99010519491231002", "91100019491231002", "84000019491231002", "00000000000000000", "11010521001231002"]:
    put("id_cn", body + ric.calc_check_digit(body + "0"), False)
put("id_cn", "11010519491231002X", True)
put("id_cn", "11010519491231002x", True)
for text in ["110105491231002", "440305800229123", "650102991231999"]:
    put("id_cn15", text, True)
for text in ["160105491231002", "110105491331002", "440305810229123", "810105491231002", "11010549123100", "1101054912310022"]:
    put("id_cn15", text, False)
judged("uscc", uscc.is_valid, lambda: "9" + pick("123", 1) + chance.choice(counties) + pick("0123456789ABCDEFGHJKLMNPQRTUWXY", 10), 10, "0123456789ABCDEFGHJKLMNPQRTUWXY")
for i in range(0, 18, 3):  # one place altered, anywhere
    judged("uscc", uscc.is_valid, lambda: "91" + chance.choice(counties) + pick("0123456789ABCDEFGHJKLMNPQRTUWXY", 10), 1, "0123456789", i if i > 1 and i < 8 else 9)
put("uscc", "91110105I0000000XX", False)

# Hong Kong, Taiwan, Singapore.
letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
judged_by_node("hkid", VALIDATOR % "v.isIdentityCard(t,'zh-HK')", lambda: pick(letters, 1) + digits(6) + pick("0123456789A", 1), 20)
# npm stdnum refuses the letter O, validator takes it; no rule of the issuer says either.
judged_by_node("hkid", STDNUM % "s.HK.hkid", lambda: pick(letters.replace("O", ""), 2) + digits(6) + pick("0123456789A", 1), 20)
for text in ["A1234563", "a1234563", "G123456A"]:
    put("hkid", text, True)
for text in ["A1234564", "A123456", "A12345633", "1234563", "A123456X"]:
    put("hkid", text, False)
judged_by_node("twid", VALIDATOR % "v.isIdentityCard(t,'zh-TW')", lambda: pick(letters, 1) + pick("12", 1) + digits(8), 52)
judged_by_node("twid", TAIWAN, lambda: pick(letters, 1) + pick("89", 1) + digits(8), 26)
judged_by_node("tw_arc", TAIWAN, lambda: pick(letters, 1) + pick("ABCD", 1) + digits(8), 26)
for text in ["15021303", "50000001", "71234567", "12345678"]:
    put("moid", text, True)
for text in ["25021303", "1502130", "150213034", "A5021303"]:
    put("moid", text, False)
# No oracle for Singapore's letters is in the registries: published test numbers, and each with other letters.
for text in ["S1234567D", "T0123456G", "F1234567N", "G1234567X"]:  # published test numbers
    put("sg_nric", text, True)
    for letter in letters:
        if letter != text[-1]:
            put("sg_nric", text[:-1] + letter, False)

# Travel documents: shapes of the exit and entry administration.
for check, yes, no in [
    ("passport_cn", ["E12345678", "G12345678", "EA1234567", "EJ1234567", "D12345678", "S12345678", "P12345678", "PE1234567", "SE1234567", "DE1234567", "e12345678"], ["EI1234567", "EO1234567", "A12345678", "E1234567", "E123456789", "EAB123456", "GA1234567", "12345678E"]),
    ("eep", ["C12345678", "CA1234567", "W12345678", "T12345678", "L12345678", "CD7654321"], ["CI1234567", "CO1234567", "C1234567", "C123456789", "B12345678", "CAA123456"]),
    ("hrp", ["H12345678", "M12345678", "H1234567801", "M1234567802"], ["H1234567", "H123456789", "A12345678", "HA1234567"]),
    ("mtp", ["12345678", "0123456789"], ["1234567", "123456789", "12345678901", "T1234567"]),
]:
    for text in yes:
        put(check, text, True)
    for text in no:
        put(check, text, False)

# Telephones.


def china(text, kind):
    number = phonenumbers.parse(text, "CN")
    return phonenumbers.number_type(number) == kind and phonenumbers.is_valid_number(number)


for prefix in range(100, 200):
    for middle in ["0", "5"] + (["00", "05", "06"] if prefix in (161, 174) else []):
        text = f"{prefix}{middle}" + "1234567890"[: 8 - len(middle)]
        put("mobile_cn", text, china(text, PhoneNumberType.MOBILE))
for text in ["+8613812345678", "8613812345678", "008613812345678", "08613812345678", "+008613812345678"]:
    put("mobile_cn", text, True)
for text in ["1381234567", "138123456789", "+8513812345678", "86 13812345678", "0008613812345678", "+8612012345678", "1a812345678"]:
    put("mobile_cn", text, False)
for text in ["1400123456789", "1440123456789", "1064912345678"]:
    put("iot_cn", text, True)
for text in ["1450123456789", "1700000000000", "140012345678", "10649123456789"]:
    put("iot_cn", text, False)
for kind, length in [("seven", 7), ("eight", 8)]:  # every area code there could be
    areas = [a for a in list(range(10, 30)) + list(range(300, 1000)) if china(f"0{a}" + "23456789"[:length], PhoneNumberType.FIXED_LINE)]
    rows.setdefault("areas", {})[kind] = areas
for text in ["01062345678", "02161234567", "075586541234", "05718765432" + "1", "+861062345678", "008675586541234", "086075586541234", "+86075586541234", "08916345678", "01012345678", "075512345678"]:
    put("landline_cn", text, china(text.replace("0860", "+86", 1) if text.startswith("0860") else text, PhoneNumberType.FIXED_LINE))
for text in ["4008123456", "8008101234", "95588", "01095588", "02112345", "0106234567", "010623456789", "04123456789" + "0", "62345678", "13812345678", "013812345678", "03001234567"]:
    put("landline_cn", text, False)
rows["calling"] = {}
for code, regions in sorted(COUNTRY_CODE_TO_REGION_CODE.items()):
    data = [PhoneMetadata.metadata_for_nongeo_region(code) if r == "001" else PhoneMetadata.metadata_for_region(r) for r in regions]
    rows["calling"][str(code)] = sorted({n for d in data for n in d.general_desc.possible_length})
    for region in regions[:1]:
        for kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE):
            number = phonenumbers.example_number_for_type(region, kind) if region != "001" else phonenumbers.example_number_for_non_geo_entity(code)
            if number and phonenumbers.is_valid_number(number):
                put("phone_intl", phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), True)
for text in ["+4402071234567", "00442071234567", "+390612345678", "+12125550123", "+8613812345678", "+8675586541234"]:
    put("phone_intl", text, True)
for text in ["+11234567890", "+12110550123", "+12129110123", "+1212555012", "+121255501234", "+8612345678901", "+9991234567", "+2101234567", "+331234567", "+33123456789012", "12125550123", "+", "+1", "+12a25550123", "+852123456789012"]:
    put("phone_intl", text, False)
for text in ["2125550123", "12125550123", "4158675309"]:
    put("nanp", text, True)
for text in ["1125550123", "2121550123", "2129110123", "9112345678", "2925550123", "212555012", "22125550123"]:
    put("nanp", text, False)

# Bank cards: Luhn by python-stdnum; issuers and lengths as the networks publish them.
for start, lengths in {"62": [16, 17, 18, 19], "4": [13, 16, 19], "51": [16], "55": [16], "2221": [16], "2720": [16], "34": [15], "37": [15], "3528": [16], "3589": [16], "300": [14], "305": [14], "36": [14], "38": [14], "6011": [16], "65": [16], "955880": [19], "95599": [19], "601382": [19], "2200": [16], "81": [16]}.items():
    for length in lengths:
        body = start + digits(length - 1 - len(start))
        right = luhn.calc_check_digit(body)
        put("card", body + right, True)
        put("card", body + str((int(right) + chance.randrange(1, 10)) % 10), False)
for start, lengths in {"62": [13, 14, 15], "4": [14, 15, 17, 18], "51": [15, 17, 19], "50": [13], "34": [16], "37": [13], "3527": [16], "3590": [16], "2220": [16], "2721": [16], "1": [13, 16, 19], "0": [16], "7": [16, 19], "84": [16], "9": [16, 19], "306": [14]}.items():
    for length in lengths:
        body = start + digits(length - 1 - len(start))
        put("card", body + luhn.calc_check_digit(body), False)
for text in ["4111111111111111", "5555555555554444", "378282246310005", "30569309025904", "6011111111111117", "3530111333300000", "2223003122003222"]:  # the networks' test numbers
    put("card", text, True)
for text in ["0" * 16, "4" * 16, "6" * 16, "1700000000000", "1234567890123456", "411111111111111a", ""]:
    put("card", text, False)
for text in ["6222021234567890123", "6217001234567890", "62284801234567890", "9558801234567890123", "6013821234567890123"]:
    put("card_shape", text, True)
for text in ["622202123456789", "62220212345678901234", "1234567890123456", "6200000000000000", "4111111111111111", "6222222222222222222"]:
    put("card_shape", text, False)

# IBAN: one or two for every country, each with a wrong check digit, a wrong length and another country.
with open(os.path.join(os.path.dirname(stdnum.__file__), "iban.dat"), encoding="utf-8") as file:
    for line in file:
        if line[:1] in "#\n":
            continue
        structure = re.search('bban="(.*?)"', line)[1]
        make = lambda: "".join(pick({"n": "0123456789", "a": letters, "c": "0123456789" + letters}[k], int(n)) for n, k in re.findall(r"(\d+)!([nac])", structure))
        country, body = line[:2], make()
        text = country + iban.calc_check_digits(country + "00" + body) + body
        assert iban.is_valid(text, check_country=False), text
        put("iban", text, True)
        wrong = text[:3] + str((int(text[3]) + 1) % 10) + text[4:]
        assert not iban.is_valid(wrong, check_country=False)
        put("iban", wrong, False)
        put("iban", country + iban.calc_check_digits(country + "00" + body + "0") + body + "0", False)
for text in ["GB82WEST12345698765432", "gb82west12345698765432", "DE89370400440532013000"]:
    put("iban", text, iban.is_valid(text))
for text in ["US82WEST12345698765432", "GB82", "", "GB82WEST1234569876543!", "GBXXWEST12345698765432"]:
    put("iban", text, False)

# Persons elsewhere.
judged("us_ssn", ssn.is_valid, lambda: digits(9), 10)
for text in ["000123456", "666123456", "900123456", "123004567", "123450000", "078051120", "219099999", "457555462"]:
    put("us_ssn", text, ssn.is_valid(text))
put("us_ssn", "123456789", False)  # redaction's own list: everybody's example
judged("us_itin", itin.is_valid, lambda: "9" + digits(2) + pick("789", 1) + digits(5), 10, "12345678", 0)
for text in ["900890000", "900930000", "900660000", "900490000"]:
    put("us_itin", text, itin.is_valid(text))
judged_by_node("uk_nino", STDNUM % "s.GB.nino", lambda: pick(letters, 2) + digits(6) + pick("ABCDE", 1), 16)
for text in ["BG123456A", "GB123456A", "KN123456A", "NK123456A", "NT123456A", "TN123456A", "ZZ123456A", "DA123456A", "AO123456A", "AB123456E", "AB12345A"]:
    put("uk_nino", text, False)
judged("uk_nhs", nhs.is_valid, lambda: digits(10))


def german():
    """Ten digits of which one comes twice, anywhere, and a check digit by chance."""
    ten = chance.sample("0123456789", 9)
    ten.insert(chance.randrange(10), chance.choice(ten))
    return "".join(ten) + digits(1)


judged("de_steuer_id", idnr.is_valid, german, 10)
for text in ["12345678903", "11234567891", "36574261809", "11123456789", "01123456789"]:
    put("de_steuer_id", text, idnr.is_valid(text))
judged("fr_nir", nir.is_valid, lambda: (lambda b: b + nir.calc_check_digits(b + "00"))(pick("12", 1) + digits(2) + f"{chance.randrange(1, 13):02}" + chance.choice(["75", "2A", "2B", "13", "97"]) + digits(6)), 14)
judged("es_dni", dni.is_valid, lambda: digits(8) + pick("TRWAGMYFPDXBNJZSQVHLCKE", 1), 8, letters)
judged("es_nie", nie.is_valid, lambda: pick("XYZ", 1) + digits(7) + pick("TRWAGMYFPDXBNJZSQVHLCKE", 1), 8, letters)
judged("it_codice_fiscale", codicefiscale.is_valid, lambda: (lambda b: b + codicefiscale.calc_check_digit(b))(pick(letters, 6) + pick("0123456789L", 2) + pick("ABCDEHLMPRST", 1) + chance.choice(["01", "28", "41", "68", "15", "MR"]) + pick(letters, 1) + pick("0123456789V", 3)), 12, letters)
for text in ["RCCMNL83S18D969H", "RCCMNL83S32D969H", "RCCMNL83F18D969H"]:
    put("it_codice_fiscale", text, codicefiscale.is_valid(text))
judged("nl_bsn", bsn.is_valid, lambda: digits(9))
judged("be_nn", nn.is_valid, lambda: birthday(1930, 2020).strftime("%y%m%d") + digits(5), 12)
judged("pl_pesel", pesel.is_valid, lambda: (lambda d: f"{d.year % 100:02}{d.month + (20 if d.year >= 2000 else 0):02}{d.day:02}")(birthday()) + digits(5), 10)
for text in ["44051401359", "02070803628", "44053201359", "44131401359"]:
    put("pl_pesel", text, pesel.is_valid(text))
judged("se_personnummer", personnummer.is_valid, lambda: birthday(1930, 2020).strftime(chance.choice(["%y%m%d", "%Y%m%d"])) + digits(4), 10)
judged("pt_nif", nif.is_valid, lambda: pick("123", 1) + digits(8))
judged("dk_cpr", cpr.is_valid, lambda: birthday(1930, 1999).strftime("%d%m%y") + pick("0123", 1) + digits(3), 8, "4567", 0)
judged("in_aadhaar", aadhaar.is_valid, lambda: digits(12), 16)
put("in_aadhaar", "222222222222", False)
put("in_aadhaar", "012345678901", False)
judged("br_cpf", cpf.is_valid, lambda: (lambda b: b + digits(2))(digits(9)), 8)
judged("kr_rrn", rrn.is_valid, lambda: birthday(1930, 2015).strftime("%y%m%d") + pick("12", 1) + "1" + digits(5), 10)
judged("jp_my_number", my_number.is_valid, lambda: digits(12), 10)

# Devices.
judged("imei", imei.is_valid, lambda: pick("3", 1) + "5" + digits(13), 8)
for text in ["490154203237518", "356938035643809", "868932036356090"]:
    put("imei", text, imei.is_valid(text))
for text in ["000000000000000", "490154203237519", "49015420323751", "4901542032375180"]:
    put("imei", text, False)
for text in ["460001234567890", "460110123456789", "310150123456789", "454061234567890", "234150999999999"]:
    put("imsi", text, True)
for text in ["100001234567890", "199001234567890", "000001234567890", "46000123456789", "4600012345678901", "800001234567890"]:
    put("imsi", text, False)
for text in ["00:1a:2B:3c:4D:5e", "00-1A-2B-3C-4D-5E", "001a.2b3c.4d5e", "ff:ff:ff:ff:ff:fe"]:
    put("mac", text, True)
for text in ["00:00:00:00:00:00", "FF-FF-FF-FF-FF-FF", "00:1a:2b:3c:4d", "00:1a:2b:3c:4d:5e:6f", "00:1a-2b:3c:4d:5e", "00:1g:2b:3c:4d:5e", "001a2b3c4d5e", "001a.2b3c:4d5e", "0:1a:2b:3c:4d:5e9", "0000.0000.0000", "12:34:56"]:
    put("mac", text, False)

# Addresses, by Python's ipaddress.
v4 = ["0.0.0.0", "8.8.8.8", "10.0.0.1", "127.0.0.1", "169.254.1.1", "172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0", "192.168.1.1", "192.0.2.1", "192.0.3.1", "198.17.255.255", "198.18.0.1", "198.19.255.255", "198.20.0.0", "198.51.100.7", "203.0.113.9", "203.0.114.0", "223.255.255.255", "224.0.0.1", "255.255.255.255", "100.64.0.1", "100.127.255.255", "100.128.0.0", "114.114.114.114", "256.1.1.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.04", "1..2.3", "1.2.3.", ".1.2.3", "1.2.3.4a", "1.2.3.-4", "", "1.2.3.1000", "0x1.2.3.4", "1.2.3.999999999999"]
v6 = ["::", "::1", "::2", "1::", "fe80::1", "fec0::1", "fd00::1", "fc00::", "ff02::1", "2001:db8::1", "2001:4860:4860::8888", "2001:0db8:0000:0000:0000:ff00:0042:8329", "240e:33d:8a00:1::5", "3fff::1", "3fff:fff::1", "3fff:1000::1", "4000::", "::ffff:8.8.8.8", "::ffff:10.0.0.1", "::ffff:808:808", "64:ff9b::8.8.8.8", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1::3:4:5:6:7:8", "1:2:3:4::5:6:7:8", "1::2::3", ":::", ":", "1:", ":1", "1:2", "12345::", "g::1", "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3", "::1.2.3.4:5", "1.2.3.4::", "::256.1.1.1", "2001:db8::1:", ":2001:db8::1", "fe80::1%eth0", "100::1", "::1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8::", "::ffff:1:2", "1::1.2.3.4", "2001:2::1", "10:20:30", ""]
for _ in range(40):
    v4.append(str(ipaddress.IPv4Address(chance.getrandbits(32))))
    parts = [f"{chance.getrandbits(chance.choice([1, 16])):x}" for _ in range(8)]
    v6.append(":".join(parts))
    v6.append(str(ipaddress.IPv6Address(":".join(parts))))
for check, texts, kind in [("ipv4", v4, ipaddress.IPv4Address), ("ipv6", v6, ipaddress.IPv6Address)]:
    for text in dict.fromkeys(texts):
        try:
            address = kind(text) if "%" not in text else None
        except ValueError:
            address = None
        put(check, text, address is not None)
        if address is None:
            put("ip_kept", text, False)
            continue
        inner = getattr(address, "ipv4_mapped", None)
        if kind is ipaddress.IPv6Address and address in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        address = inner or address
        # IANA's registry has no site-local block any more; the documentation block of RFC 9637 is younger than this Python.
        kept = not address.is_global or address.is_multicast
        if address.version == 6 and (address.is_reserved or address.is_site_local or address in ipaddress.ip_network("3fff::/20")):
            if address in ipaddress.ip_network("3fff::/20"):
                kept = True
            elif int(address) not in (0, 1) and not address.is_private:
                continue
        put("ip_kept", text, kept)

# Plates: GA 36.
for text in ["京A12345", "粤B1234学", "沪C1234警", "粤Z1234港", "粤Z1234澳", "津D1234挂", "川AB1234", "鲁A123BC", "京AD12345", "粤BF12345", "苏E12345D", "浙A12345F", "沪AA12345", "京ADA1234", "京O12345"]:
    put("plate_cn", text, text[1] != "O")
for text in ["京A1234", "京A123456", "京I12345", "京AI2345", "京A1234O", "国A12345", "A12345", "京", "京A1234使使", "京AZ12345", "京ABCDEF", "京A12345D6", "京1A2345", "京AD1234I", "京A挂1234", ""]:
    put("plate_cn", text, False)

# E-mail: RFC 5321, RFC 6531.
for text in ["a@b.co", "first.last+tag@sub.example-site.com", "张三@例子.公司", "user@例子.中国", "x_y-z@mail.qq.com", "o'brien@example.ie", "user@xn--fiqs8s.xn--55qx5d", "USER@EXAMPLE.COM", "用户.名@例子.广告", "a" * 64 + "@b.co", "a@" + "b" * 63 + ".co", "12345678@qq.com", "δοκιμή@παράδειγμα.ελ", "ü@bücher.de"]:
    put("email", text, True)
for text in ["user@localhost", "a@b", "a..b@c.com", ".a@b.com", "a.@b.com", "@b.com", "a@", "a@b..com", "a@.com", "a@b.com.", "a@-b.com", "a@b-.com", "a@b.c", "a@b.c1", "a@b.12", "a b@c.com", "a@b@c.com", "a" * 65 + "@b.co", "a@" + "b" * 64 + ".co", "a@" + ("b" * 60 + ".") * 5 + "com", "icon@2x.png", "logo@3x.jpg", "张三@例子", "a，b@c.com", "a@b。com", "user@192.168.1.1", "a@b_c.com", ""]:
    put("email", text, False)

# Dates, by Python's datetime.
for _ in range(30):
    day = birthday(1900, 2099)
    for form in ["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%Y%m%d", "%y-%m-%d", "%b %d, %Y", "%d %B %Y", "%B %d, %Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%b-%Y"]:
        if chance.random() < 0.15:
            put("birth_date", day.strftime(form), True)
for year, month, day in [(1990, 2, 29), (1992, 2, 29), (1900, 2, 29), (2000, 2, 29), (1990, 4, 31), (1990, 13, 1), (1990, 0, 1), (1990, 1, 0), (1990, 12, 31), (1990, 1, 32), (1990, 6, 30)]:
    try:
        datetime.date(year, month, day)
        real = True
    except ValueError:
        real = False
    for text in [f"{year}-{month:02}-{day:02}", f"{year}年{month}月{day}日", f"{year}{month:02}{day:02}"]:
        put("birth_date", text, real)
for text in ["1990-1-2", "1990年1月2日", "1990年1月2号", "1990年 1月 2日", "90-01-02", "Jan 2, 1990", "Jan. 2nd, 1990", "2nd January 1990", "sept 3 1988", "1990年1月", "1990-01", "31/12/1990", "12/31/1990", "00-02-29", "1990 Jan 2"]:
    put("birth_date", text, True)
for text in ["1899-12-31", "2100-01-01", "1990-01-02-03", "13/13/1990", "Foo 2, 1990", "Janu 2, 1990", "1990", "", "-", "Jan", "1.2.3", "1990-001-02", "99999999999999999999-01-01", "Jan Feb 1990", "1990-01-02T10", "199-01-02", "st 2 1990", "90-13-41"]:
    put("birth_date", text, False)

# Secrets. Header and entropy by Python's base64, json and math.
def shannon(text):
    data = text.encode()
    counts = Counter(data)
    return math.floor(-sum(c / len(data) * math.log2(c / len(data)) for c in counts.values()) * 100 + 0.5) if data else 0


texts = ["", "a", "aa", "ab", "abcdefghijklmnop", "0123456789abcdef", "password", "密码密码", "aab", "hunter2", "correct horse battery staple"]
texts += [pick("0123456789abcdef", 32) for _ in range(6)] + [pick(letters + letters.lower() + "0123456789", n) for n in (16, 20, 40, 51, 100, 1000)]
rows["entropy"] = [[text, shannon(text)] for text in texts]

for header in [{"alg": "HS256", "typ": "JWT"}, {"typ": "JWT", "alg": "RS256"}, {"kid": "a1", "alg": "ES256"}, {"alg": "none"}]:
    for separators in [(",", ":"), (", ", ": ")]:
        text = base64.urlsafe_b64encode(json.dumps(header, separators=separators).encode()).decode().rstrip("=")
        put("jwt_header", text, True)
        put("jwt_header", text + ".eyJzdWIiOiIxIn0.c2ln", True)
        put("jwt_header", text[: len(text) - 1 if header.get("alg") == "none" else 24 if "kid" not in header and "typ" != next(iter(header)) else len(text)], True)
put("jwt_header", base64.urlsafe_b64encode(json.dumps({"alg": "HS256"}, indent=2).encode()).decode().rstrip("="), True)
for text in ["", "eyJ", "eyJhbGc", "abc", base64.b64encode(b'{"typ":"JWT"}').decode(), base64.b64encode(b'["alg"]').decode(), base64.b64encode(b'x{"alg":1}').decode(), "eyJ0eXAiOiJKV1QifQ.eyJhbGciOiJIUzI1NiJ9", "中文", "eyJhb GciOi"]:
    put("jwt_header", text, False)

for text in ["xxxxxxxxxxxxxxxx", "sk-xxxxxxxx", "sk-XXXX", "YOUR_API_KEY", "your-api-key", "your_key_here", "<your key>", "<API_KEY>", "****", "sk-****", "${API_KEY}", "$API_KEY", "{{ api_key }}", "{{token}}", "changeme", "change_me", "test", "password", "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "sk-1234567890abcdef", "sk-abcdefghijklmnop", "0123456789abcdef0123456789abcdef", "process.env.OPENAI_API_KEY", "os.environ['KEY']", "OPENAI_API_KEY", "%API_KEY%", "sk-...", "sk-....", "null", "None", "undefined", "string", "00000000000000000000", "你的密钥", "您的API密钥", "在此处填写密钥", "fake_key_for_docs", "\"YOUR_TOKEN\"", "sk_test_4eC39HqLyjWDarjtT1zdp7dc", "sk-ant-…", ""]:
    put("is_placeholder", text, text != "sk-...")
for text in ["sk-proj-Zq8vK2mN4pR7tX1wB5yD9fH3jL6", "AKIAJ7Q2M4XW6ZB3T5KD", "ghp_a8Fk2LmQ9zXcV4bNwE7rTyU1iOpS5dGh3JkL", "hunter2", "Tr0ub4dor&3", "P@ssw0rd!", "MyPassword123", "我的口令123", "latest-release-7f3a", "sk_test_51Hq8ZkLwNoXqRaTuBc", "$ecret!42"]:
    put("is_placeholder", text, False)

# Right-hand sides of assignments as they stand in code, and passwords that resemble them.
for text in ["req.body.password", "self.token", "self.token,", "config::SECRET_KEY", "this->token", "user?.token", "getpass()", "get_secret(\"db\",", "os.environ['KEY']", "settings[\"key\"]", "settings['key'];", "&token", "&self.token)", "!token", "data.token;", "fetchToken(user);", "options.password)", "props.token}", "new_password", "webIdentityToken,", "scanner2.next();"]:
    put("is_code", text, True)
for text in ["", "hunter2", "password", "my-secret-pass", "Tr0ub4dor&3", "pass.w0rd", "abc(12", "(secret)", "a&b", "&", ".", "...", "::", "中文.密码", "sk-proj-Zq8vK2mN4pR7", "abc;def", "Summer!", "x:y", "hello(world)!1", "\"a.b\"", "token;1", "pass1", "token", "Password1", "CorrectHorse;"]:
    put("is_code", text, False)

for text in ["9710139019902", "9710131019909", "0001013019909"]:
    put("kr_rrn_shape", text, True)
for text in ["9713131019909", "9702301019909", "971013101990", "971013101990a"]:
    put("kr_rrn_shape", text, False)

for check, answer in rows.items():
    if isinstance(answer, dict) and "yes" in answer:
        answer["yes"] = list(dict.fromkeys(answer["yes"]))
        answer["no"] = list(dict.fromkeys(answer["no"]))
        assert not set(answer["yes"]) & set(answer["no"]), (check, set(answer["yes"]) & set(answer["no"]))
print("{")
print(",\n".join(f"  {json.dumps(check)}: {json.dumps(answer, ensure_ascii=False)}" for check, answer in rows.items()))
print("}")
