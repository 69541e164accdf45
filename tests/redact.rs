//! What is found and hidden, for every split of a text: the same; again: nothing more; in any text: no panic, bounded memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use sluicegate::redact::{Masker, Policy, Redactor, Session, Tally};
use std::sync::LazyLock;

static REDACTOR: LazyLock<Redactor> = LazyLock::new(|| redactor("{}"));

fn redactor(policy: &str) -> Redactor {
    Redactor::new(Policy::parse(policy, "redact").unwrap()).unwrap()
}

fn session() -> Session {
    Session::new(&[7; 32])
}

fn masked(redactor: &Redactor, text: &str) -> String {
    redactor.mask(text, &mut session(), &mut Tally::default()).text
}

/// The output for a text in these pieces, and the most characters that were held back.
fn in_pieces<'a>(redactor: &Redactor, pieces: impl Iterator<Item = &'a str>) -> (String, usize) {
    let (mut masker, mut session) = (Masker::new(redactor), session());
    let (mut out, mut tally, mut held) = (String::new(), Tally::default(), 0);
    for piece in pieces {
        masker.push(redactor, &mut session, piece, &mut out, &mut tally);
        held = held.max(masker.held_chars());
    }
    masker.finish(redactor, &mut session, &mut out, &mut tally);
    (out, held)
}

/// Texts that are private, parts of such texts, and what stands around them.
fn fragment() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "13812345678",
        "138 1234 5678",
        "+86-138-1234-5678",
        "１３８１２３４５６７８",
        "一三八一二三四五六七八",
        "11010119900307447X",
        "6222021234567890128",
        "4111 1111 1111 1111",
        "zhang.san@example.com",
        "张三@例子.公司",
        "8.8.8.8",
        "2a00:da3f:2828::ade6",
        "00:1a:2b:3c:4d:5e",
        "京A12345",
        "sk-proj-aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3z",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N",
        "-----BEGIN RSA PRIVATE KEY-----MIIEow-----END RSA PRIVATE KEY-----",
        "https://user:pa55word@host/",
        "password: hunter2x!",
        "密码是Abc12345",
        "我叫张伟，",
        "住在北京市朝阳区建国路88号3号楼1502室",
        "My name is John Smith.",
        "A123456(3)",
        "GB82 WEST 1234 5698 7654 32",
        "护照号E12345678",
        "微信wxid_u2h70dvvgmdq",
        "出生日期：1990年1月2日",
        "⟦手机号1·k7q2⟧",
        "***手机号***",
        "550e8400-e29b-41d4-a716-446655440000",
        "1700000000123",
        "订单号",
        "电话：",
    ]);
    let between = prop::sample::select(vec![
        "", " ", "，", "。", "\n", "-", ".", "@", "a", "9", "的", "\u{200b}", "：", "⟦", "\"", "一",
    ]);
    let part = (known, any::<prop::sample::Index>(), any::<bool>()).prop_map(|(text, at, whole)| {
        let count = text.chars().count();
        if whole { text.to_owned() } else { text.chars().take(at.index(count)).collect() }
    });
    (part, between).prop_map(|(part, between)| part + between)
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop_oneof![4 => fragment(), 1 => "\\PC{0,6}"], 1..8).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn how_a_text_is_split_does_not_matter(text in text(), at in any::<prop::sample::Index>()) {
        let whole = masked(&REDACTOR, &text);
        let single = text.char_indices().map(|(at, c)| &text[at..at + c.len_utf8()]);
        prop_assert_eq!(&in_pieces(&REDACTOR, single).0, &whole);
        let cut = text.char_indices().map(|(at, _)| at).nth(at.index(text.chars().count().max(1))).unwrap_or(0);
        prop_assert_eq!(&in_pieces(&REDACTOR, [&text[..cut], &text[cut..]].into_iter()).0, &whole);
    }

    #[test]
    fn what_is_hidden_is_in_order_apart_and_gone(text in text()) {
        let found = REDACTOR.find(&text);
        let mut end = 0;
        for finding in &found {
            prop_assert!(end <= finding.start && finding.start < finding.end && finding.end <= text.len());
            prop_assert!(text.is_char_boundary(finding.start) && text.is_char_boundary(finding.end));
            end = finding.end;
        }
        let masked = masked(&REDACTOR, &text);
        for finding in found.iter().filter(|finding| finding.end - finding.start > 8) {
            let value = &text[finding.start..finding.end];
            // It may stand there twice, once in a form that is not private.
            prop_assert!(text.matches(value).count() > 1 || !masked.contains(value), "{value} in {masked}");
        }
    }
}

#[test]
fn every_byte_of_a_dirty_text_may_be_a_border() {
    let text = "电话138 1234 5678，密钥sk-proj-aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3z。张三@例子.公司 8.8.8.8 我叫张伟，住在北京市朝阳区建国路88号3号楼1502室";
    let whole = masked(&REDACTOR, text);
    assert_eq!(whole.matches('⟦').count(), 5, "{whole}");
    for (at, _) in text.char_indices() {
        assert_eq!(in_pieces(&REDACTOR, [&text[..at], &text[at..]].into_iter()).0, whole, "split at {at}");
    }
}

#[test]
fn what_is_hidden_stays_as_it_is() {
    let text = "我叫张伟，电话13812345678，邮箱a.b@example.com，密码是Abc12345，住在北京市朝阳区建国路88号3号楼1502室";
    for policy in [
        "{}",
        r#"{"mode":"irreversible"}"#,
        r#"{"language":"en"}"#,
        r#"{"entities":{"PHONE_CN":"hash","EMAIL":"mask"}}"#,
    ] {
        let redactor = redactor(policy);
        let once = masked(&redactor, text);
        assert_eq!(masked(&redactor, &once), once, "{policy}");
        assert!(!once.contains("13812345678"));
    }
}

#[test]
fn a_secret_without_an_end_is_swallowed_in_constant_memory() {
    for (begin, more) in [
        ("sk-proj-aB3dE5fG7hJ9kL1mN3pQ5", "x7Y2"),
        ("-----BEGIN PRIVATE KEY-----\n", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n"),
    ] {
        let pieces = std::iter::once(begin).chain(std::iter::repeat_n(more, 50_000));
        let (out, held) = in_pieces(&REDACTOR, pieces);
        assert_eq!(out, "***密钥***");
        assert!(held < 64, "{held}");
    }
}

#[test]
fn a_stream_without_borders_keeps_flowing() {
    for piece in ["7", "a", "字", "1 ", "1-", "a.", "0x", "⟦", "@", "北京市", "a@"] {
        let (out, held) = in_pieces(&REDACTOR, std::iter::repeat_n(piece, 20_000));
        assert!(held <= 140, "{piece}: {held}");
        assert!(!out.is_empty());
    }
}

#[test]
fn rules_of_ones_own_allowed_values_and_switches_do_what_they_say() {
    let own = redactor(
        r#"{"language":"en","rules":[{"name":"STAFF","pattern":"e\\d{6}","context":["工号"]},{"name":"PROJECT","pattern":"项目(甲|乙){2,3}","action":"label"}],
            "allow":["400-820-8820","*@corp.example","138-1234-5678"],"disable":["ipv4"],"entities":{"QQ":"keep","PLATE":"drop"}}"#,
    );
    for (text, expected) in [
        ("工号E123456", "工号⟦STAFF1·"),
        ("编码E123456", "编码E123456"),
        ("项目甲乙在", "***PROJECT***在"),
        ("a@corp.example", "a@corp.example"),
        ("13812345678", "13812345678"),
        ("8.8.8.8", "8.8.8.8"),
        ("QQ：123456789", "QQ：123456789"),
        ("车京A12345。", "车。"),
    ] {
        assert!(masked(&own, text).starts_with(expected), "{text}: {}", masked(&own, text));
    }
    let found = own.find("工号e123456");
    assert_eq!((own.rule_name(found[0].rule), own.policy().key(found[0].entity)), ("STAFF", "STAFF"));
}

#[test]
fn what_is_wrong_with_a_policy_is_named_by_its_path() {
    let cases: Vec<serde_json::Value> = serde_json::from_str(include_str!("vectors/redact/policy.json")).unwrap();
    for case in cases {
        let text = case["policy"].as_str().unwrap();
        let read = Policy::parse(text, "redact").and_then(Redactor::new);
        let path = read.err().map(|error| {
            assert_eq!(error.code(), "misconfigured");
            error.param().unwrap_or_default().to_owned()
        });
        assert_eq!(path.as_deref(), case["path"].as_str(), "{text}");
    }
}
