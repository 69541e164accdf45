//! Tokens in an answer, as models write them: what is given back, what is left alone, and what is held meanwhile.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use serde_json::Value;
use sluicegate::redact::{Entity, Restorer, Restoring, Session, Sink, Tally};

/// Label and value of the tokens that the vectors speak of: `{t1}` the first, `{n1}` its number, `{c1}` its check, `{v1}` its value.
const TOKENS: [(Entity, &str, &str); 4] = [
    (Entity::PhoneCn, "手机号", "13812345678"),
    (Entity::Email, "邮箱", "lin@example.cn"),
    (Entity::PhoneIntl, "Phone", "+1 415 555 0132"),
    (Entity::Person, "姓名", "\"O'Neil\" \\<b>\n(张三)"),
];

struct World {
    session: Session,
    /// Token, number, check and value.
    tokens: Vec<[String; 4]>,
}

impl World {
    fn new() -> World {
        let mut session = Session::new(&[7; 32]);
        let mut tokens = Vec::new();
        for (entity, label, value) in TOKENS {
            let token = session.token(entity, label, value);
            let rest = token.strip_prefix('⟦').unwrap().strip_prefix(label).unwrap().strip_suffix('⟧').unwrap();
            let (number, check) = rest.split_once('·').unwrap();
            tokens.push([token.clone(), number.to_owned(), check.to_owned(), value.to_owned()]);
        }
        World { session, tokens }
    }

    /// A text in which what stands in braces is filled in.
    fn fill(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (at, [token, number, check, value]) in self.tokens.iter().enumerate() {
            let wide: String = check.chars().map(|c| char::from_u32(c as u32 + 0xfee0).unwrap()).collect();
            let json = serde_json::to_string(value).unwrap();
            let encoded: String = token.bytes().map(encode).collect();
            let plain: String = value.bytes().map(encode).collect();
            let parts = [
                ("t", token.as_str()),
                ("n", number),
                ("c", check),
                ("C", &check.to_uppercase()),
                ("w", &wide),
                ("v", value),
                ("j", &json[1..json.len() - 1]),
                ("%t", &encoded),
                ("%v", &plain),
            ];
            for (name, part) in parts {
                text = text.replace(&format!("{{{name}{}}}", at + 1), part);
            }
        }
        text
    }

    fn restore<'a>(&self, how: How, pieces: impl IntoIterator<Item = &'a str>) -> (String, u32, usize) {
        let (mut out, mut tally, mut most) = (String::new(), Tally::default(), 0);
        let mut restorer = Restorer::new(how.0, how.1);
        for piece in pieces {
            restorer.push(&self.session, piece, &mut out, &mut tally);
            most = most.max(restorer.held());
        }
        restorer.finish(&self.session, &mut out, &mut tally);
        assert_eq!(restorer.held(), 0);
        (out, tally.restored, most)
    }
}

fn encode(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

type How = (Sink, Restoring);

struct Case {
    name: String,
    how: How,
    text: String,
    expected: String,
    /// How many tokens are given back.
    restored: u32,
}

fn cases(world: &World) -> Vec<Case> {
    let groups: Vec<Value> = serde_json::from_str(include_str!("vectors/redact/restore.json")).unwrap();
    let mut cases = Vec::new();
    for group in &groups {
        let is = |name: &str| group[name].as_bool().unwrap_or(false);
        let sink = if is("json") { Sink::Json } else { Sink::Text };
        let how = (sink, Restoring { urls: is("urls"), code: is("code"), ..Restoring::default() });
        for case in group["cases"].as_array().unwrap() {
            let text = case[0].as_str().unwrap();
            // Without a second member the text stays.
            let expected = case.get(1).map_or(text, |expected| expected.as_str().unwrap());
            let restored = expected.matches("{v").count()
                + expected.matches("{j").count()
                + expected.matches("{%v").count();
            cases.push(Case {
                name: format!("{}: {text}", group["name"].as_str().unwrap()),
                how,
                text: world.fill(text),
                expected: world.fill(expected),
                restored: restored as u32,
            });
        }
    }
    assert!(cases.len() >= 100, "only {} cases", cases.len());
    cases
}

fn one_by_one(text: &str) -> impl Iterator<Item = &str> {
    text.char_indices().map(|(at, c)| &text[at..at + c.len_utf8()])
}

#[test]
fn every_form_is_given_back_or_left_alone_as_the_vectors_say() {
    let world = World::new();
    let mut wrong = Vec::new();
    for case in cases(&world) {
        let (out, restored, _) = world.restore(case.how, [case.text.as_str()]);
        if (&out, restored) != (&case.expected, case.restored) {
            wrong.push(format!("{}\n    gives {out:?} ({restored})\n    not   {:?}", case.name, case.expected));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_split_of_every_vector_gives_the_same() {
    let world = World::new();
    for case in cases(&world) {
        let whole = world.restore(case.how, [case.text.as_str()]);
        let (out, restored, most) = world.restore(case.how, one_by_one(&case.text));
        assert_eq!((&out, restored), (&whole.0, whole.1), "{} one by one", case.name);
        assert!(most <= 300, "{} holds {most} bytes", case.name);
        for (at, _) in case.text.char_indices() {
            let (before, behind) = case.text.split_at(at);
            let (out, restored, _) = world.restore(case.how, [before, behind]);
            assert_eq!((&out, restored), (&whole.0, whole.1), "{} split at {at}", case.name);
        }
    }
}
