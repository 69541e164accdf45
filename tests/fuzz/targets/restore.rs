//! Any text with tokens in it, cut anywhere: what is given back is the same, little is held, and JSON stays JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluicegate::redact::{Entity, Restorer, Restoring, Session, Sink, Tally};

/// What a control character stands for: tokens, and what they are made of.
fn part(byte: u8, tokens: &[String]) -> &str {
    const PARTS: [&str; 29] = [
        "⟦",
        "⟧",
        "·",
        "【",
        "手机号",
        "email",
        "1",
        "&#10214;",
        "&#x27e7;",
        "&middot;",
        "\\u27e6",
        "\\u27e7",
        "\\u00b7",
        "](",
        "https://",
        "```\n",
        "~~~",
        "<a href=\"",
        "[a]: ",
        "%E2%9F%A6",
        "mailto:",
        "www.",
        "，",
        "\\[",
        "\\\\",
        "\n\n",
        "e.com/",
        "汉",
        "⟦Mobile1·",
    ];
    let at = usize::from(byte);
    tokens.get(at).map(String::as_str).or_else(|| PARTS.get(at - tokens.len()).copied()).unwrap_or(" ")
}

fuzz_target!(|input: (u8, u8, &[u8])| {
    let (how, step, bytes) = input;
    let mut session = Session::new(&[7; 32]);
    let values = [(Entity::PhoneCn, "手机号", "13812345678"), (Entity::Email, "Email", "\"a\\\n\"@b.cn")];
    let mut tokens: Vec<String> = values.map(|(entity, label, value)| session.token(entity, label, value)).into();
    let bare = tokens[0].trim_matches(['⟦', '⟧']).to_uppercase();
    tokens.push(bare);

    let mut text = String::new();
    for c in String::from_utf8_lossy(bytes).chars() {
        match c {
            '\0'..='\x1f' => text.push_str(part(c as u8, &tokens)),
            c => text.push(c),
        }
    }
    let sink = if how & 1 > 0 { Sink::Json } else { Sink::Text };
    let restoring = Restoring { urls: how & 2 > 0, code: how & 4 > 0, ..Restoring::default() };
    let restore = |pieces: &mut dyn Iterator<Item = &str>| {
        let (mut out, mut tally) = (String::new(), Tally::default());
        let mut restorer = Restorer::new(sink, restoring);
        for piece in pieces {
            restorer.push(&session, piece, &mut out, &mut tally);
            assert!(restorer.held() <= 400, "holds {} bytes", restorer.held());
        }
        restorer.finish(&session, &mut out, &mut tally);
        assert_eq!(restorer.held(), 0);
        (out, tally.restored)
    };
    let mut whole_tally = Tally::default();
    let mut whole = String::new();
    let mut restorer = Restorer::new(sink, restoring);
    restorer.push(&session, &text, &mut whole, &mut whole_tally);
    restorer.finish(&session, &mut whole, &mut whole_tally);
    if whole_tally.restored == 0 {
        assert_eq!(whole, text);
    }

    let ends = text.char_indices().map(|(at, c)| (at, at + c.len_utf8()));
    let one = restore(&mut ends.map(|(from, to)| &text[from..to]));
    assert_eq!(one, (whole.clone(), whole_tally.restored), "one by one");
    let mut places: Vec<usize> =
        (0..text.len()).step_by(usize::from(step) + 1).map(|at| text.floor_char_boundary(at)).collect();
    places.push(text.len());
    let cut = restore(&mut places.windows(2).map(|pair| &text[pair[0]..pair[1]]));
    assert_eq!(cut, (whole, whole_tally.restored), "every {step}");
});
