//! Every validator against `tests/vectors/redact/check.json`, and against arbitrary text.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use proptest::prelude::*;
use serde_json::Value;

type Check = fn(&str) -> bool;

const CHECKS: &[(&str, Check)] = &[
    ("birth_date", date::birth_date),
    ("br_cpf", more::br_cpf),
    ("be_nn", eu::be_nn),
    ("card", card::card),
    ("card_shape", card::card_shape),
    ("de_steuer_id", eu::de_steuer_id),
    ("dk_cpr", eu::dk_cpr),
    ("eep", permit::eep),
    ("email", email::email),
    ("es_dni", eu::es_dni),
    ("es_nie", eu::es_nie),
    ("fr_nir", eu::fr_nir),
    ("hkid", hk_mo_tw::hkid),
    ("hrp", permit::hrp),
    ("iban", iban::iban),
    ("id_cn", id_cn::id_cn),
    ("id_cn15", id_cn::id_cn15),
    ("imei", device::imei),
    ("imsi", device::imsi),
    ("in_aadhaar", more::in_aadhaar),
    ("iot_cn", phone::iot_cn),
    ("ip_kept", ip::ip_kept),
    ("ipv4", ip::ipv4),
    ("ipv6", ip::ipv6),
    ("is_code", secret::is_code),
    ("is_placeholder", secret::is_placeholder),
    ("it_codice_fiscale", eu::it_codice_fiscale),
    ("jp_my_number", more::jp_my_number),
    ("jwt_header", secret::jwt_header),
    ("kr_rrn", more::kr_rrn),
    ("kr_rrn_shape", more::kr_rrn_shape),
    ("landline_cn", phone::landline_cn),
    ("mac", device::mac),
    ("mobile_cn", phone::mobile_cn),
    ("moid", hk_mo_tw::moid),
    ("mtp", permit::mtp),
    ("nanp", phone::nanp),
    ("nl_bsn", eu::nl_bsn),
    ("passport_cn", permit::passport_cn),
    ("phone_intl", phone::phone_intl),
    ("pl_pesel", eu::pl_pesel),
    ("plate_cn", plate::plate_cn),
    ("pt_nif", eu::pt_nif),
    ("se_personnummer", eu::se_personnummer),
    ("sg_nric", more::sg_nric),
    ("tw_arc", hk_mo_tw::tw_arc),
    ("twid", hk_mo_tw::twid),
    ("uk_nhs", us_uk::uk_nhs),
    ("uk_nino", us_uk::uk_nino),
    ("us_itin", us_uk::us_itin),
    ("us_ssn", us_uk::us_ssn),
    ("uscc", uscc::uscc),
];

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../tests/vectors/redact/check.json")).unwrap()
}

fn texts<'a>(vectors: &'a Value, check: &str, verdict: &str) -> Vec<&'a str> {
    vectors[check][verdict].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn each_validator_says_what_the_oracles_say() {
    let vectors = vectors();
    let mut wrong = Vec::new();
    for (name, check) in CHECKS {
        assert!(texts(&vectors, name, "yes").len() > 1 && texts(&vectors, name, "no").len() > 1, "{name} has vectors");
        for (verdict, expected) in [("yes", true), ("no", false)] {
            let other = texts(&vectors, name, verdict).into_iter().filter(|text| check(text) != expected);
            wrong.extend(other.map(|text| format!("{name}({text:?}) should be {expected}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_vector_has_its_validator() {
    for (name, answer) in vectors().as_object().unwrap() {
        let known = CHECKS.iter().any(|(check, _)| check == name);
        assert!(known || answer.get("yes").is_none(), "{name}");
    }
}

#[test]
fn every_area_code_of_china_has_numbers_of_its_lengths() {
    let vectors = vectors();
    for (kind, local) in [("seven", "2345678"), ("eight", "23456789")] {
        let areas: Vec<u64> = vectors["areas"][kind].as_array().unwrap().iter().map(|a| a.as_u64().unwrap()).collect();
        for area in (10..30).chain(300..1000) {
            assert_eq!(phone::landline_cn(&format!("0{area}{local}")), areas.contains(&area), "0{area} {local}");
        }
    }
}

#[test]
fn every_calling_code_has_numbers_of_its_lengths() {
    let vectors = vectors();
    let calling = vectors["calling"].as_object().unwrap();
    for (code, lengths) in calling.iter().filter(|(code, _)| !matches!(code.as_str(), "1" | "86")) {
        let lengths: Vec<u64> = lengths.as_array().unwrap().iter().map(|a| a.as_u64().unwrap()).collect();
        for length in 1..=18 - code.len() {
            let number = format!("+{code}{}", "2".repeat(length));
            // No number is shorter than five digits with its calling code.
            let expected = lengths.contains(&(length as u64)) && length + code.len() >= 5;
            assert_eq!(phone::phone_intl(&number), expected, "{number}");
        }
    }
    for code in 100..1000 {
        let known = calling.keys().any(|known| code.to_string().starts_with(known.as_str()));
        if !known {
            assert!((4..15).all(|length| !phone::phone_intl(&format!("+{code}{}", "2".repeat(length)))), "{code}");
        }
    }
}

#[test]
fn entropy_is_that_of_the_oracle_to_a_hundredth_of_a_bit() {
    for row in vectors()["entropy"].as_array().unwrap() {
        let (text, expected) = (row[0].as_str().unwrap(), row[1].as_u64().unwrap());
        assert_eq!(u64::from(secret::entropy(text)), expected, "{text}");
    }
}

/// Text of the alphabets that the validators look at, and any text.
fn candidates() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{0,20}",
        "[0-9A-Za-z]{0,40}",
        "[0-9a-fA-F:.]{0,45}",
        "[+0-9]{0,20}",
        "[京粤挂学0-9A-Z]{0,9}",
        "[0-9年月日/. a-zA-Z-]{0,16}",
        "[a-z.@张-]{0,30}",
        "[a-z_.:>?(&;,\"'<$X*-]{0,20}",
        ".{0,300}",
    ]
}

proptest! {
    #[test]
    fn no_validator_panics_on_any_text(text in candidates()) {
        for (_, check) in CHECKS {
            check(&text);
        }
        secret::entropy(&text);
        iban::length(&text);
    }

    #[test]
    fn addresses_are_those_that_the_standard_library_reads(text in "[0-9a-f:.]{0,24}|([0-9a-f]{1,4}:{1,2}){1,8}([0-9.]{1,9})?|([0-9]{1,3}[.]){3}[0-9]{1,3}") {
        prop_assert_eq!(ip::ipv4(&text), text.parse::<std::net::Ipv4Addr>().is_ok());
        prop_assert_eq!(ip::ipv6(&text), text.parse::<std::net::Ipv6Addr>().is_ok());
    }
}
