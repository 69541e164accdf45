//! The bodies of the endpoints for credentials.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use sluicegate::access::body::{BODY, field, required};

const JSON: Option<&str> = Some("application/json; charset=utf-8");
const FORM: Option<&str> = Some("Application/X-WWW-Form-Urlencoded");

#[test]
fn a_field_is_read_from_json_and_from_forms() {
    for (media, body, expected) in [
        (JSON, r#"{"grant_type":"client_credentials"}"#, Some("client_credentials")),
        (JSON, r#" { "x" : {"grant_type":1} , "gr\u0061nt_type":"a\u0020b" } "#, Some("a b")),
        (JSON, r#"{"grant":"x"}"#, None),
        (JSON, "{}", None),
        (FORM, "grant_type=client_credentials", Some("client_credentials")),
        (FORM, "a=b&grant%5Ftype=a+b%2Bc%3d=&c", Some("a b+c==")),
        (FORM, "grant_type", Some("")),
        (FORM, "grant_type=%E4%BD%A0", Some("你")),
        (FORM, "", None),
        (FORM, "&&=&%zz=1", None),
    ] {
        assert_eq!(field(media, body.as_bytes(), "grant_type").unwrap().as_deref(), expected, "{body}");
    }
}

#[test]
fn what_has_two_readings_or_none_is_refused_with_the_field_named() {
    let long = ["{\"grant_type\":\"", &"x".repeat(BODY), "\"}"].concat();
    let long_form = ["grant_type=", &"x".repeat(BODY)].concat();
    for (media, body, code, param) in [
        (JSON, r#"{"grant_type":"a","grant_type":"b"}"#, "invalid_request", Some("grant_type")),
        (JSON, r#"{"grant_type":1}"#, "invalid_request", Some("grant_type")),
        (JSON, r#"{"grant_type":null}"#, "invalid_request", Some("grant_type")),
        (JSON, r#"{"grant_type":""}"#, "invalid_request", Some("grant_type")),
        (JSON, "{}", "invalid_request", Some("grant_type")),
        (JSON, r#"["grant_type"]"#, "invalid_request", None),
        (JSON, "", "invalid_request", None),
        (JSON, "{}{}", "invalid_request", None),
        (JSON, &long, "payload_too_large", None),
        (FORM, "grant_type=a&grant_type=a", "invalid_request", Some("grant_type")),
        (FORM, "grant_type=%", "invalid_request", Some("grant_type")),
        (FORM, "grant_type=%ff", "invalid_request", Some("grant_type")),
        (FORM, "grant_type=a%00", "invalid_request", Some("grant_type")),
        (FORM, "grant_type=", "invalid_request", Some("grant_type")),
        (FORM, &long_form, "payload_too_large", None),
        (None, "{}", "unsupported_media_type", Some("content-type")),
        (Some("text/plain"), "{}", "unsupported_media_type", Some("content-type")),
        (Some("multipart/form-data; boundary=x"), "", "unsupported_media_type", Some("content-type")),
    ] {
        let error = required(media, body.as_bytes(), "grant_type").unwrap_err();
        assert_eq!((error.code(), error.param()), (code, param), "{}", &body[..body.len().min(60)]);
    }
}

proptest! {
    #[test]
    fn any_text_comes_through_a_form_as_it_was(text in "[^\u{0}]{1,60}") {
        let escaped: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let body = format!("a=%00&token={escaped}&b");
        prop_assert_eq!(required(FORM, body.as_bytes(), "token").unwrap(), text);
    }

    #[test]
    fn any_bytes_are_judged_without_a_panic(body in prop::collection::vec(any::<u8>(), 0..80)) {
        for media in [JSON, FORM] {
            let _ = field(media, &body, "");
            let _ = required(media, &body, "token");
        }
    }
}
