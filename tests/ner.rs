//! The names model as it is shipped, and what a tagging promises whatever it reads.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use serde_json::Value;
use sluicegate::redact::ner::{Kind, Mark, Model, Tagging};

const WEIGHTS: &[u8] = include_bytes!("../models/ner/names.bin");
const VECTORS: &str = include_str!("vectors/redact/ner.json");

fn model() -> Model {
    Model::load(WEIGHTS).unwrap()
}

fn tag(model: &Model, text: &str, bias: i8) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut tagging = Tagging::new(bias);
    for (at, c) in text.char_indices() {
        tagging.push(model, c, at, &mut marks);
    }
    tagging.finish(model, &mut marks);
    marks
}

fn vectors() -> Value {
    serde_json::from_str(VECTORS).unwrap()
}

fn texts() -> Vec<String> {
    let vectors = vectors();
    let marked = vectors["marks"].as_array().unwrap().iter().map(|case| case["text"].as_str().unwrap().to_owned());
    marked.chain(vectors["none"].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned())).collect()
}

fn words<'a>(text: &'a str, marks: &[Mark], kind: Kind) -> Vec<&'a str> {
    marks.iter().filter(|mark| mark.kind == kind).map(|mark| &text[mark.start..mark.end]).collect()
}

#[test]
fn people_places_and_organisations_are_found_in_chat_forms_and_mail() {
    let model = model();
    let mut wrong = Vec::new();
    let vectors = vectors();
    for case in vectors["marks"].as_array().unwrap() {
        let text = case["text"].as_str().unwrap();
        let marks = tag(&model, text, 0);
        for (name, kind) in [("Person", Kind::Person), ("Place", Kind::Place), ("Organisation", Kind::Organisation)] {
            let Some(expected) = case[name].as_array() else { continue };
            let expected: Vec<&str> = expected.iter().map(|word| word.as_str().unwrap()).collect();
            let found = words(text, &marks, kind);
            if found != expected {
                wrong.push((text, expected.join(" "), found.join(" ")));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn common_words_and_code_name_nobody() {
    let model = model();
    for text in vectors()["none"].as_array().unwrap() {
        let text = text.as_str().unwrap();
        assert_eq!(words(text, &tag(&model, text, 0), Kind::Person), Vec::<&str>::new(), "{text}");
    }
}

#[test]
fn more_bias_covers_more_and_less_covers_less() {
    let model = model();
    let covered = |bias| -> usize {
        let marks = texts().into_iter().flat_map(|text| tag(&model, &text, bias));
        marks.map(|mark| mark.end - mark.start).sum()
    };
    let (less, as_trained, more) = (covered(-64), covered(0), covered(48));
    assert!(less < as_trained && as_trained < more, "{less} {as_trained} {more}");
}

#[test]
fn what_only_the_bias_has_found_scores_below_fifty() {
    let model = model();
    for text in texts() {
        assert!(tag(&model, &text, 0).iter().all(|mark| (50..=100).contains(&mark.score)), "{text}");
    }
    let doubtful = texts().iter().flat_map(|text| tag(&model, text, 64)).filter(|mark| mark.score < 50).count();
    assert!(doubtful > 0);
}

/// Reads `text` and holds the tagging to its contract: marks in order, apart, on characters, and none before what was said to be decided.
fn keeps_its_word(model: &Model, text: &str, bias: i8) -> usize {
    let (mut tagging, mut marks) = (Tagging::new(bias), Vec::new());
    let (mut decided, mut held) = (0, 0);
    for (at, c) in text.char_indices() {
        let before = marks.len();
        tagging.push(model, c, at, &mut marks);
        for mark in &marks[before..] {
            assert!(mark.start >= decided, "{mark:?} before {decided}");
        }
        let end = at + c.len_utf8();
        let from = tagging.held_from().unwrap_or(end);
        assert!(from >= decided && from <= end, "{from} after {decided} at {end}");
        assert!(marks.iter().all(|mark| mark.end <= from), "{marks:?} not decided at {from}");
        decided = from;
        held = held.max(end - from);
    }
    let before = marks.len();
    tagging.finish(model, &mut marks);
    assert!(marks[before..].iter().all(|mark| mark.start >= decided));
    assert_eq!(tagging.held_from(), None);
    let mut last = 0;
    for mark in &marks {
        assert!(mark.start >= last && mark.start < mark.end && mark.score <= 100);
        assert!(text.get(mark.start..mark.end).is_some());
        last = mark.end;
    }
    held
}

#[test]
fn nothing_is_marked_in_what_was_told_to_be_decided() {
    let model = model();
    for bias in [-64, 0, 64, 127] {
        for text in texts() {
            keeps_its_word(&model, &text, bias);
        }
    }
}

#[test]
fn prose_without_names_is_held_for_two_characters_or_two_words_at_most() {
    let model = model();
    let chinese = "今天的时间不多了，我们还是先把这个问题说清楚，然后再看看有没有更好的办法。";
    assert!(keeps_its_word(&model, chinese, 0) <= 2 * 3, "{}", keeps_its_word(&model, chinese, 0));
    let english = "it is a long time since we had such a good idea. The others were not so sure about it.";
    assert!(keeps_its_word(&model, english, 0) <= "The others ".len(), "{}", keeps_its_word(&model, english, 0));
}

#[test]
fn a_long_run_of_anything_is_held_for_a_bounded_time() {
    let model = model();
    for piece in [
        "王",
        "王小明",
        "a",
        "A",
        "Aa",
        "John ",
        "J. ",
        " ",
        "7",
        "\u{200B}",
        "·",
        "买·",
        "John\u{200B}\u{200B}",
        "北京大学",
        "\n",
        "'",
        "@",
        "é",
    ] {
        for bias in [0, 127] {
            let held = keeps_its_word(&model, &piece.repeat(4000), bias);
            assert!(held <= 512, "{piece:?} {held}");
        }
    }
}

#[test]
fn a_line_end_ends_every_entity_and_forgets_what_was_before() {
    let model = model();
    for text in texts().iter().filter(|text| !text.contains('\n')) {
        let alone = tag(&model, text, 0);
        let two = format!("{text}\n{text}");
        let second: Vec<Mark> = tag(&model, &two, 0).into_iter().filter(|mark| mark.start > text.len()).collect();
        let moved: Vec<Mark> = alone
            .iter()
            .map(|mark| Mark { start: mark.start + text.len() + 1, end: mark.end + text.len() + 1, ..*mark })
            .collect();
        assert_eq!(second, moved, "{text}");
    }
}

#[test]
fn what_is_no_model_is_an_error() {
    assert!(Model::load(&[]).is_err());
    assert!(Model::load(b"SGNR\x01").is_err());
    for end in (0..WEIGHTS.len()).step_by(9973).chain(WEIGHTS.len() - 9..WEIGHTS.len()) {
        assert!(Model::load(&WEIGHTS[..end]).is_err(), "{end}");
    }
    let longer = [WEIGHTS, &[0]].concat();
    assert!(Model::load(&longer).is_err());
    for at in (0..64).chain((64..WEIGHTS.len()).step_by(50_021)) {
        // What the header leaves unused may be anything.
        if !matches!(at, 5..8 | 12..16) {
            let mut altered = WEIGHTS.to_vec();
            altered[at] ^= 0x40;
            assert!(Model::load(&altered).is_err(), "{at}");
        }
    }
}

#[test]
fn the_weights_stay_small() {
    assert!(WEIGHTS.len() <= 1_000_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_a_model_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200), head in any::<bool>()) {
        let bytes = if head { [b"SGNR\x01".as_slice(), &bytes].concat() } else { bytes };
        let _ = Model::load(&bytes);
    }

    #[test]
    fn any_text_is_read_as_promised(
        text in "[王李张小明·a-zA-Z北京的了 ,，。.'@\n\t0-9\u{200B}\\-_:：]{0,120}", bias in any::<i8>(),
    ) {
        keeps_its_word(&model(), &text, bias);
    }

    #[test]
    fn any_characters_are_read_as_promised(text in "\\PC{0,80}", bias in any::<i8>()) {
        keeps_its_word(&model(), &text, bias);
    }
}
