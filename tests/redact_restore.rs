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
            let restored =
                expected.matches("{v").count() + expected.matches("{j").count() + expected.matches("{%v").count();
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

/// Pieces that texts are put together from: beginnings, ends and middles of tokens, and all that says where a text is.
const PIECES: [&str; 72] = [
    "{t1}",
    "{t2}",
    "{t3}",
    "{t4}",
    "手机号{n1}·{c1}",
    "Phone{n3}·{c3}",
    "⟦",
    "⟧",
    "[",
    "]",
    "(",
    ")",
    "【",
    "】",
    "手机号",
    "邮箱",
    "phone",
    "{n1}",
    "·",
    "{c1}",
    "{C1}",
    "&#10214;",
    "&#x27e7;",
    "&middot;",
    "&",
    "#",
    ";",
    "\\",
    "\\[",
    "\\]",
    "\\u27e6",
    "\\u27e7",
    "\\u00b7",
    "\\n",
    "\\u",
    "\"",
    "'",
    " ",
    "\n",
    "\n\n",
    "\r\n",
    "```",
    "````",
    "~~~",
    "`",
    "```\n",
    "\n```",
    "<",
    ">",
    "<img src=\"",
    "<a href=",
    "=",
    "/",
    "//",
    "https://",
    "mailto:",
    "www.",
    "e.com",
    "?",
    "](",
    "]:",
    "[a]: ",
    "{%t1}",
    "%E2%9F%A6",
    "%",
    "，",
    "汉",
    "a",
    "Z",
    "9",
    "*",
    "⟦Mobile{n1}·{c1}⟧",
];

fn pieces() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES.as_slice()), 0..24).prop_map(|pieces| pieces.concat())
}

fn how() -> impl Strategy<Value = How> {
    (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(json, urls, code)| {
        let sink = if json { Sink::Json } else { Sink::Text };
        (sink, Restoring { urls, code, ..Restoring::default() })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 800, ..ProptestConfig::default() })]

    #[test]
    fn any_text_cut_anywhere_gives_the_same(text in pieces(), how in how(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let world = World::new();
        let mut text = world.fill(&text);
        if how.0 == Sink::Json {
            text.insert_str(0, "[\"");
        }
        let whole = world.restore(how, [text.as_str()]);
        let one = world.restore(how, one_by_one(&text));
        prop_assert_eq!((&one.0, one.1), (&whole.0, whole.1), "one by one");
        prop_assert!(one.2 <= 400, "held {} bytes", one.2);
        let mut places: Vec<usize> = cuts.iter().map(|cut| text.floor_char_boundary(cut.index(text.len() + 1))).collect();
        places.extend([0, text.len()]);
        places.sort_unstable();
        let cut = world.restore(how, places.windows(2).map(|pair| &text[pair[0]..pair[1]]));
        prop_assert_eq!((&cut.0, cut.1), (&whole.0, whole.1), "cut at {:?}", places);
    }

    #[test]
    fn text_without_our_labels_and_with_forged_tokens_stays_byte_for_byte(text in "[a-o⟦⟧\\[\\]【】·0-9 &#;\\\\/<>`\n%:]{0,60}", how in how()) {
        let world = World::new();
        let (out, restored, _) = world.restore(how, one_by_one(&text));
        prop_assert_eq!((out, restored), (text, 0));
    }

    #[test]
    fn json_stays_json_whatever_is_given_back(text in pieces(), urls in any::<bool>()) {
        let world = World::new();
        let text = serde_json::to_string(&vec![world.fill(&text); 2]).unwrap();
        let how = (Sink::Json, Restoring { urls, ..Restoring::default() });
        let (out, _, _) = world.restore(how, [text.as_str()]);
        let list: Vec<String> = serde_json::from_str(&out).unwrap();
        prop_assert_eq!(&list[0], &list[1], "a string says nothing about the next");
    }
}

#[test]
fn ordinary_text_is_not_held_and_what_cannot_be_a_token_any_more_is_let_go_at_once() {
    let world = World::new();
    // What has come, and how many bytes of it wait.
    let table = [
        ("春眠不觉晓，处处闻啼鸟。", 0),
        ("Nothing to see here", 0),
        ("see [docs](https://e/a) and `x`", 0),
        ("他的手", 3),
        ("他的手机", 6),
        ("他的手表", 0),
        ("call P", 1),
        ("call Pho", 3),
        ("call Phi", 0),
        ("stop", 0),
        ("手机号{n1}", 10),
        ("手机号{n1}·k", 13),
        ("手机号{n1}和", 0),
        ("⟦", 3),
        ("⟦手机号{n1}·{c1}", 19),
        ("⟦手机号{n1}·{c1}x", 0),
        ("⟦x⟧", 0),
        ("⟦x\n", 0),
        ("⟦abcdefghijklmnopqrstuvwxyz", 0),
        ("[", 1),
        ("[手", 4),
        ("[x", 0),
        ("R&", 1),
        ("R&D", 0),
        ("&#102", 5),
        ("&#x27e6", 7),
        ("\\", 1),
        ("\\a", 0),
    ];
    for (text, held) in table {
        let text = world.fill(text);
        let (mut out, mut tally) = (String::new(), Tally::default());
        let mut restorer = Restorer::new(Sink::Text, Restoring::default());
        restorer.push(&world.session, &text, &mut out, &mut tally);
        assert_eq!((restorer.held(), out.len() + restorer.held()), (held, text.len()), "{text:?}");
    }
}

#[test]
fn a_session_without_tokens_lets_everything_pass_at_once() {
    let session = Session::new(&[7; 32]);
    for sink in [Sink::Text, Sink::Json] {
        let (mut out, mut tally) = (String::new(), Tally::default());
        let mut restorer = Restorer::new(sink, Restoring::default());
        restorer.push(&session, "\"⟦手机号1·k7q2⟧ ⟦", &mut out, &mut tally);
        assert_eq!((out.as_str(), restorer.held(), tally.restored), ("\"⟦手机号1·k7q2⟧ ⟦", 0, 0));
    }
}

#[test]
fn no_text_makes_the_restorer_hold_more_than_a_token() {
    let world = World::new();
    for unit in [
        "⟦",
        "[",
        "[[",
        "\\",
        "&",
        "&#",
        "&#0",
        "%E2",
        "⟦a",
        "⟦1",
        "手机号",
        "手机号1 ",
        "1",
        "·",
        "\\u27e6",
        "\\u0026",
        "⟦ ",
        "⟦手机号1·",
    ] {
        for sink in [Sink::Text, Sink::Json] {
            let text = ["\"", &unit.repeat(3000)].concat();
            let how = (sink, Restoring { urls: true, ..Restoring::default() });
            let (out, restored, most) = world.restore(how, one_by_one(&text));
            assert_eq!((out == text, restored), (true, 0), "{unit}");
            assert!(most <= 400, "{unit}: {most} bytes");
        }
    }
}
