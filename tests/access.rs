//! Roles, routes, addresses, credentials: who is let in, and to what.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::Value;
use sluicegate::access::{
    Identified, Judge, Known, Network, Operation, Presented, Query, Right, Role, Secrets, Sent, Settings, Via, at,
    bucket, is_api, model_id, parse_address,
};
use sluicegate::config::Config;
use std::collections::BTreeSet;

fn expected() -> Vec<Value> {
    serde_json::from_str(include_str!("vectors/access/roles.json")).unwrap()
}

fn path_of(row: &Value) -> String {
    row["path"].as_str().unwrap().replace("{model}", "deepseek-ai/DeepSeek-R1").replace("{id}", "key_0123456789abcdef")
}

#[test]
fn every_route_is_open_to_the_roles_of_the_expectation_and_to_no_other() {
    for row in expected() {
        let (path, method) = (path_of(&row), row["method"].as_str().unwrap());
        let found = at(&path).unwrap_or_else(|| panic!("no route {path}"));
        assert!(found.allow.split(", ").any(|allowed| allowed == method), "{method} {path}");
        let may: Vec<&str> = row["may"].as_array().unwrap().iter().map(|role| role.as_str().unwrap()).collect();
        match found.route.right(method) {
            Right::Public => assert_eq!(may, ["public"], "{path}"),
            Right::Own => assert_eq!(may, ["own"], "{path}"),
            Right::To(operation) => {
                assert_eq!(row["operation"], operation.as_str(), "{method} {path}");
                for role in Role::ALL {
                    assert_eq!(role.may(operation), may.contains(&role.as_str()), "{method} {path} {}", role.as_str());
                }
            }
        }
    }
}

#[test]
fn every_operation_has_a_route_in_the_expectation() {
    let named: BTreeSet<String> =
        expected().iter().filter_map(|row| row["operation"].as_str().map(str::to_owned)).collect();
    let all: BTreeSet<String> = Operation::ALL.iter().map(|operation| operation.as_str().to_owned()).collect();
    assert_eq!(named, all);
}

#[test]
fn every_method_of_every_route_stands_in_the_expectation() {
    let rows = expected();
    for row in &rows {
        let found = path_of(row);
        for method in at(&found).unwrap().allow.split(", ").filter(|method| !matches!(*method, "HEAD" | "OPTIONS")) {
            let stands = rows.iter().any(|other| other["path"] == row["path"] && other["method"] == method);
            assert!(stands, "{method} {found}");
        }
    }
}

#[test]
fn a_second_spelling_of_a_path_is_another_path() {
    for row in expected() {
        let path = path_of(&row);
        let own = at(&path).unwrap().route;
        let mut spellings = vec![
            format!("/{path}"),
            path.replacen('/', "/./", 1),
            path.replacen('/', "/x/../", 1),
            format!("{path};a=b"),
            format!("{path}/"),
            path.to_ascii_uppercase(),
            format!("/v1{path}"),
            path.replace('/', "%2f"),
            path.replace('e', "%65"),
        ];
        spellings.retain(|spelling| *spelling != path);
        for spelling in spellings {
            if spelling.ends_with('/') {
                assert!(at(&spelling).is_none(), "{spelling}");
            }
            // What has an id in it may read as another id; never as the same one.
            assert!(at(&spelling).is_none_or(|found| found.route != own), "{spelling}");
        }
    }
}

#[test]
fn the_page_of_administrators_is_no_route_and_every_other_path_beside_it_is() {
    assert!(!is_api("/admin/") && !is_api("/admin") && !is_api("/"));
    for path in [
        "/admin/keys",
        "/admin/keys/key_1",
        "/ADMIN/keys",
        "//admin/keys",
        "/admin/keys/a.js",
        "/admin/%6beys.js",
        "/auth/token",
        "/v1/x",
        "/admin;x/keys",
    ] {
        assert!(is_api(path), "{path}");
    }
}

#[test]
fn ids_of_models_are_decoded_once() {
    assert_eq!(model_id("deepseek-ai%2FDeepSeek-R1").as_deref(), Some("deepseek-ai/DeepSeek-R1"));
    for odd in ["", "a/../b", "%252e", "a//b", "a%00", "%zz", "a?b", "%C3%A9"] {
        assert_eq!(model_id(odd), None, "{odd}");
    }
}

#[test]
fn a_range_holds_its_addresses_and_no_others() {
    let range = |text: &str| Network::parse(text).unwrap();
    let address = |text: &str| parse_address(text).unwrap();
    for (network, inside, outside) in [
        ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
        ("203.0.113.7", "203.0.113.7", "203.0.113.8"),
        ("0.0.0.0/0", "255.255.255.255", "::1"),
        ("::/0", "2001:db8::1", "1.2.3.4"),
        ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
        ("10.0.0.0/8", "::ffff:10.1.2.3", "::10.1.2.3"),
        ("192.168.1.128/25", "192.168.1.255", "192.168.1.127"),
    ] {
        assert!(range(network).contains(address(inside)), "{network} {inside}");
        assert!(!range(network).contains(address(outside)), "{network} {outside}");
    }
}

#[test]
fn what_is_no_plain_range_or_address_is_refused() {
    for text in [
        "",
        "10.0.0.1/8",
        "10.0.0.0/33",
        "10.0.0.0/08",
        "10.0.0.0/",
        "10.0.0.0/+8",
        "010.0.0.1",
        "::ffff:10.0.0.0/104",
        "fe80::1%eth0",
        "1.2.3.4:80",
        "1.2.3",
        "::/129",
    ] {
        assert!(Network::parse(text).is_none(), "{text}");
    }
    for text in ["1.2.3.4, 5.6.7.8", "010.0.0.1", "1.2.3.4:80", "[::1]", " 1.2.3.4", "0x7f.1", "fe80::1%eth0", ""] {
        assert!(parse_address(text).is_none(), "{text}");
    }
    assert_eq!(bucket(parse_address("2001:db8:1:2:3:4:5:6").unwrap()), "2001:db8:1:2::/64");
    assert_eq!(bucket(parse_address("::ffff:1.2.3.4").unwrap()), "1.2.3.4");
}

#[test]
fn one_credential_counts_and_two_that_differ_are_an_error() {
    let none: Vec<String> = vec!["unused".to_owned()];
    let key = "sgk_live_abc";
    let jwt = "eyJhbGciOiJIUzI1NiJ9.e30.c2ln";
    let bearer = |text: &str| format!("Bearer {text}");
    let sent = |authorization: Option<&str>, x_api_key: Option<&str>, cookie: Option<&str>, protocols: Option<&str>| {
        let sent = Sent { authorization, x_api_key, api_key: None, cookie, protocols, is_secure: false };
        sent.presented(&none).map(|presented| format!("{presented:?}")).map_err(|error| error.code())
    };
    assert_eq!(sent(None, None, None, None), Ok("Nothing".to_owned()));
    assert_eq!(sent(Some("Bearer unused"), None, None, None), Ok("Nothing".to_owned()));
    assert_eq!(sent(Some(&bearer(key)), None, None, None), Ok(format!("Key({key:?})")));
    assert_eq!(sent(Some(&bearer(key)), Some(key), None, None), Ok(format!("Key({key:?})")));
    assert_eq!(sent(Some("bEaReR unused"), Some(key), None, None), Ok(format!("Key({key:?})")));
    assert_eq!(sent(Some(&bearer(jwt)), None, None, None), Ok(format!("Token({jwt:?})")));
    // RFC 9110 has one blank or more there.
    assert_eq!(sent(Some(&format!("Bearer   {key} ")), None, None, None), Ok(format!("Key({key:?})")));
    assert_eq!(sent(Some(&bearer(key)), Some("other"), None, None), Err("invalid_request"));
    assert_eq!(sent(None, None, Some("a=b; sluicegate=s.s.s"), None), Ok("Session(\"s.s.s\")".to_owned()));
    assert_eq!(sent(Some(&bearer(key)), None, Some("sluicegate=s"), None), Ok(format!("Key({key:?})")));
    assert_eq!(
        sent(None, None, None, Some("sluicegate.v1, sluicegate.ticket.t.t.t")),
        Ok("Ticket(\"t.t.t\")".to_owned())
    );
    assert_eq!(sent(Some(&bearer(key)), None, None, Some("sluicegate.ticket.t")), Err("invalid_request"));
    for odd in [
        "Basic abc",
        "Bearer",
        "Bearer ",
        "Bearer  ",
        "Bearer a b",
        "Bearer a, Bearer b",
        "Bearer ' OR 1=1--",
        "Bearer a\tb",
        "abc",
    ] {
        assert_eq!(sent(Some(odd), None, None, None), Err("unauthorized"), "{odd}");
    }
    assert_eq!(sent(Some(&bearer(&"a".repeat(5_000))), None, None, None), Err("unauthorized"));
    assert!(matches!(Sent::default().presented(&none), Ok(Presented::Nothing)));
}

#[test]
fn over_https_only_the_cookie_counts_that_no_neighbour_can_plant() {
    let none: Vec<String> = Vec::new();
    let session = |cookie: &str, is_secure: bool| {
        let sent = Sent { cookie: Some(cookie), is_secure, ..Sent::default() };
        format!("{:?}", sent.presented(&none).unwrap())
    };
    assert_eq!(session("sluicegate=planted; __Host-sluicegate=own", true), "Session(\"own\")");
    assert_eq!(session("sluicegate=planted", true), "Nothing");
    assert_eq!(session("__Host-sluicegate=x; sluicegate=own", false), "Session(\"own\")");
    assert_eq!(session("__Host-sluicegate=x", false), "Nothing");
    for other in ["__host-sluicegate=x", "__Host-sluicegate2=x", "a__Host-sluicegate=x", "__Host-sluicegate"] {
        assert_eq!(session(other, true), "Nothing", "{other}");
    }
}

#[test]
fn no_key_of_the_configuration_goes_by_the_name_of_somebody_else() {
    let parse = |id: &str| {
        let digest = "0".repeat(64);
        Config::parse(&format!(
            r#"{{"upstreams":[{{"name":"a","dialect":"openai","base_url":"https://api.example.com/v1","models":["m"]}}],"access":{{"keys":[{{"id":"{id}","sha256":"{digest}"}}]}}}}"#
        ))
    };
    let config = parse("mine").unwrap();
    assert_eq!(config.access().unwrap().keys[0].record.shown()["fixed"], true);
    for id in ["key_bootstrap", "anonymous", "", "a b"] {
        assert_eq!(parse(id).unwrap_err().param(), Some("access.keys[0].id"), "{id}");
    }
}

#[test]
fn a_key_of_another_house_counts_as_none_only_where_the_configuration_says_so() {
    let judge = |anonymous: &str, authorization: &str, operation| {
        let config = format!(
            r#"{{"upstreams":[{{"name":"a","dialect":"openai","base_url":"https://api.example.com/v1","models":["m"]}}],"access":{{"anonymous":{anonymous}}}}}"#
        );
        let config = Config::parse(&config).unwrap();
        let secrets = Secrets::default();
        let mut known = |_: &Query| Known::No;
        let access = config.access().unwrap();
        let mut judge = Judge {
            access,
            secrets: &secrets,
            known: &mut known,
            now_s: 1_800_000_000,
            address: None,
            own: "https://gate.example.com",
            origin: None,
        };
        let sent = Sent { authorization: Some(authorization), ..Sent::default() };
        let caller = match judge.identify(sent.presented(&[]).unwrap()).map_err(|error| error.code())? {
            Identified::Caller(caller) => caller,
            Identified::Ask(_) => panic!("nothing to ask"),
        };
        caller.authorise(operation, 1_800_000_000).map(|()| caller.via).map_err(|error| error.code())
    };
    let (open, ignoring) = ("{}", r#"{"credentials":"ignore"}"#);
    assert_eq!(judge(ignoring, "Bearer sk-of-a-vendor", Operation::ChatCompletions), Ok(Via::Ignored));
    assert_eq!(judge(open, "Bearer sk-of-a-vendor", Operation::ChatCompletions), Err("unauthorized"));
    assert_eq!(
        judge(ignoring, "Bearer sk-of-a-vendor", Operation::KeysRead),
        Err("unauthorized"),
        "a wrong key, not a missing right"
    );
    assert_eq!(judge(ignoring, "Bearer sgk_live_misspelt", Operation::ChatCompletions), Err("unauthorized"));
    assert_eq!(
        judge(ignoring, "Bearer eyJhbGciOiJIUzI1NiJ9.e30.c2ln", Operation::ChatCompletions),
        Err("unauthorized")
    );
}

#[test]
fn settings_are_read_strictly_and_each_fault_names_its_field() {
    let good = r#"{"name":"a","owner":"b","role":"auditor","models":["r1","deepseek-*"],"endpoints":["chat_completions"],"ips":["10.0.0.0/8"],"metadata":{"k":"v"},"expires_at":4102444800}"#;
    let settings = Settings::parse(good, None).unwrap();
    assert!(settings.allows_model("r1") && settings.allows_model("deepseek-x") && !settings.allows_model("r12"));
    for (text, param) in [
        (r#"{"role":"root"}"#, "role"),
        (r#"{"role":"anonymous"}"#, "role"),
        (r#"{"is_admin":true}"#, "is_admin"),
        (r#"{"models":"r1"}"#, "models"),
        (r#"{"models":["a*b"]}"#, "models[0]"),
        (r#"{"endpoints":["keys_write"]}"#, "endpoints[0]"),
        (r#"{"ips":["10.0.0.1/8"]}"#, "ips[0]"),
        (r#"{"metadata":{"a":1}}"#, "metadata"),
        (r#"{"expires_at":-1}"#, "expires_at"),
        (r#"{"token_ttl_s":86401}"#, "token_ttl_s"),
        (r#"{"name":"a\nb"}"#, "name"),
    ] {
        let error = Settings::parse(text, None).unwrap_err();
        assert_eq!((error.code(), error.param()), ("invalid_request", Some(param)), "{text}");
    }
    let changed = Settings::parse(r#"{"models":null,"name":"c"}"#, Some(&settings)).unwrap();
    assert!(changed.allows_model("anything"));
    assert_eq!((changed.name.as_str(), changed.owner.as_str(), changed.role), ("c", "b", Role::Auditor));
    assert_eq!(Settings::parse(&changed.to_json(), None).unwrap().to_json(), changed.to_json());
}
