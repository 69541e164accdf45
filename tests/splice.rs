//! Joining a continued answer to what was shown.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use sluicegate::exchange::{Seam, Splice};
use sluicegate::request::{ContinueBy, anchor};
use std::time::{Duration, Instant};

/// What is shown of `new` behind `shown`, with the seam.
fn splice(by: ContinueBy, shown: &str, chunks: &[&str]) -> (String, Seam) {
    let mut splice = Splice::new(shown, by);
    let mut out = String::new();
    let mut decided = None;
    for chunk in chunks {
        splice.feed(chunk, &mut out);
        if decided.is_none() {
            decided = splice.seam();
        }
    }
    let seam = splice.finish(&mut out);
    // What is decided stays so, but for whitespace that is dropped behind an anchor.
    match (decided, seam) {
        (Some(Seam::Overlap(before)), Seam::Overlap(after)) => assert!(before <= after),
        (Some(before), after) => assert_eq!(before, after),
        (None, _) => {}
    }
    splice.feed("#", &mut out);
    assert_eq!(out.pop(), Some('#'), "after the end all is passed on");
    (out, seam)
}

fn anchored(shown: &str, new: &str) -> (String, Seam) {
    splice(ContinueBy::Anchor, shown, &[new])
}

const STORY: &str = "The old lighthouse had stood on the cliff for a century, and nobody in the village remembered who had built it. On stormy nights, when the wind came in from the west, its lamp still burned";
const REST: &str = " with a pale blue flame. Fishermen swore by it. The keeper, they said, was a ghost.";
const ERZAEHLUNG: &str = "这座古老的灯塔在悬崖上矗立了一百年，村里没有人记得是谁建造了它。在暴风雨的夜晚，当风从西边吹来的时候，它的灯依然亮着，照着回家的渔船，也照着那些再也没有回来的人，";
const WEITER: &str = "老渔夫们说，看守灯塔的是一个鬼魂。他从来不说话。";

#[test]
fn a_peer_that_repeats_the_anchor_is_joined_exactly() {
    for (shown, rest) in
        [(STORY, REST), (ERZAEHLUNG, WEITER), ("Hi", " there"), ("1", "0 green bottles"), ("👩‍👩‍👧 ok", "ay")]
    {
        let new = format!("{}{rest}", anchor(shown));
        assert_eq!(anchored(shown, &new), (rest.to_owned(), Seam::Overlap(anchor(shown).len())), "{shown}");
    }
}

#[test]
fn a_preface_before_the_anchor_is_dropped_with_it() {
    for preface in ["…", "\"", "Continuing: ", "```\n", "Sure, here is the rest:\n\n", "\n\n", "好的，继续：", "> "]
    {
        for (shown, rest) in [(STORY, REST), (ERZAEHLUNG, WEITER)] {
            let new = format!("{preface}{}{rest}", anchor(shown));
            assert_eq!(anchored(shown, &new).0, rest, "{preface}");
        }
    }
}

#[test]
fn an_anchor_is_found_whatever_its_whitespace() {
    let shown = "First of all, there are the apples.\n\nSecond:  the\tpears, which are ripe in late autumn";
    let anchor = anchor(shown);
    assert!(anchor.contains("\n\n"));
    let (out, seam) =
        anchored(shown, &format!("\n{}, and keep well.", anchor.split_whitespace().collect::<Vec<_>>().join(" ")));
    assert_eq!(out, ", and keep well.");
    assert!(matches!(seam, Seam::Overlap(_)));
}

#[test]
fn whitespace_at_the_seam_is_neither_lost_nor_doubled() {
    let text = "The list of all that we need for the trip is as follows, in order:";
    for (space, behind, expected) in [
        ("\n\n", "\n\n- tent", "- tent"),
        ("\n\n", "- tent", "- tent"),
        ("\n", "\n\n- tent", "\n- tent"),
        ("", "\n\n- tent", "\n\n- tent"),
        (" ", " and so on", "and so on"),
        (" ", "\nnext", "\nnext"),
    ] {
        let shown = format!("{text}{space}");
        let new = format!("{}{behind}", anchor(&shown));
        assert_eq!(anchored(&shown, &new).0, expected, "{space:?} {behind:?}");
    }
}

#[test]
fn words_that_are_only_repeated_fall_short_of_an_anchor_and_the_anchor_does_not() {
    let anchor = anchor(STORY);
    let (before, after) = anchor.split_at(anchor.find(' ').unwrap());
    for (new, short) in [
        (after, true),
        (before, true),
        (anchor, false),
        (STORY, false),
        ("", false),
        ("Something else.", false),
        (&format!("{after} and more"), false),
    ] {
        let mut splice = Splice::new(STORY, ContinueBy::Anchor);
        let mut out = String::new();
        splice.feed(new, &mut out);
        splice.finish(&mut out);
        assert_eq!(splice.fell_short(), short, "{new:?}");
    }
}

#[test]
fn another_end_that_is_repeated_is_cut() {
    assert_eq!(anchored(STORY, " lamp still burned with a flame"), (" with a flame".to_owned(), Seam::Overlap(18)));
    assert_eq!(
        anchored(STORY, "burned. The end of this story is well known to everybody who lives at the coast, isn't it?").1,
        Seam::Overlap(6)
    );
    assert_eq!(anchored(ERZAEHLUNG, "回来的人，老渔夫们说").0, "老渔夫们说");
    // Five letters, or two ideographs, may be chance.
    assert_eq!(anchored("he said: to be or not to be a poet ate", "ate up all").1, Seam::None);
    assert_eq!(anchored("他说他不知道", "知道的人很多").1, Seam::None);
    // More than the anchor was repeated.
    let (before, after) = STORY.split_at(60);
    assert!(!before.is_empty());
    assert_eq!(anchored(STORY, &format!("{after}{REST}")).0, REST);
}

#[test]
fn an_answer_that_begins_anew_is_skipped_as_far_as_it_is_the_same() {
    let long = (0..200).map(|n| format!("{n} bottles hang on the wall. ")).collect::<String>();
    for shown in [STORY, ERZAEHLUNG, &long, "Hi"] {
        let new = format!("{shown} And more.");
        assert_eq!(anchored(shown, &new).0, " And more.");
    }
    let (same, _) = long.split_at(1000);
    assert_eq!(anchored(&long, &format!("{same}Else.")), ("Else.".to_owned(), Seam::Overlap(1000)));
    // And one that leaves the old way early is no repetition.
    let new = format!(
        "{}, and then it fell into the sea one fine day, with all hands. Nobody was ever found again.",
        &STORY[..40]
    );
    assert_eq!(anchored(STORY, &new), (new.clone(), Seam::None));
}

#[test]
fn what_matches_nothing_is_passed_on_as_it_came() {
    for new in [REST, "", "x", " ", "好", &"Something else entirely. ".repeat(50)] {
        assert_eq!(anchored(STORY, new), (new.to_owned(), Seam::None), "{new}");
    }
    for shown in ["", " \n"] {
        assert_eq!(anchored(shown, REST), (REST.to_owned(), Seam::None));
    }
    assert_eq!(splice(ContinueBy::Off, STORY, &[STORY]), (STORY.to_owned(), Seam::None));
}

#[test]
fn a_repetition_that_breaks_off_has_nothing_new() {
    let anchor = anchor(STORY);
    for (at, _) in anchor.char_indices() {
        assert_eq!(anchored(STORY, &anchor[..at]).0, "", "{at}");
    }
    assert_eq!(anchored(STORY, &format!("Sure: {}", &anchor[..20])).0, "");
    assert_eq!(anchored(STORY, &STORY[..100]), (String::new(), Seam::Overlap(100)));
}

#[test]
fn a_prefix_goes_on_at_once_and_an_echo_is_cut() {
    for by in [ContinueBy::Prefix, ContinueBy::Prefill] {
        let mut splice_once = Splice::new(STORY, by);
        let mut out = String::new();
        splice_once.feed(" w", &mut out);
        assert_eq!((out.as_str(), splice_once.seam()), (" w", Some(Seam::Exact)));
        assert_eq!(splice(by, STORY, &[REST]), (REST.to_owned(), Seam::Exact));
        assert_eq!(splice(by, STORY, &[STORY, REST]), (REST.to_owned(), Seam::Overlap(STORY.len())));
        let spaced = format!(" {STORY}");
        assert_eq!(splice(by, &spaced, &[STORY, REST]), (REST.to_owned(), Seam::Overlap(STORY.len())));
        // What only begins like an echo is none.
        let new = format!("{}. No!", &STORY[..50]);
        assert_eq!(splice(by, STORY, &[&new]), (new.clone(), Seam::Exact));
        assert_eq!(splice(by, STORY, &[&STORY[..50]]), (STORY[..50].to_owned(), Seam::Exact));
        // Nor is what runs in circles, or is short.
        let circle = "ha! ".repeat(30);
        assert_eq!(splice(by, &circle, &[&circle]), (circle.clone(), Seam::Exact));
        assert_eq!(splice(by, "1", &["1"]), ("1".to_owned(), Seam::Exact));
    }
}

#[test]
fn little_is_held_back() {
    let new = "zyxwv ".repeat(400);
    let repeated = "ab".repeat(4000);
    for (shown, new) in
        [(STORY, new.as_str()), (&repeated, &new), (&repeated, &"b".repeat(3000)), ("a \n", &" ".repeat(3000))]
    {
        let mut splice = Splice::new(shown, ContinueBy::Anchor);
        let mut out = String::new();
        for (at, c) in new.char_indices() {
            splice.feed(c.encode_utf8(&mut [0; 4]), &mut out);
            assert!(at + c.len_utf8() - out.len() <= 512 + 4, "{at}");
        }
    }
    // A usual answer is shown once it is clear that no preface precedes an anchor.
    let mut splice = Splice::new(STORY, ContinueBy::Anchor);
    let mut out = String::new();
    splice.feed(&new[..120], &mut out);
    assert!(!out.is_empty());
}

/// Debug builds of these take well under a tenth of the bound; what is quadratic takes minutes.
#[test]
fn long_texts_take_linear_time() {
    let circle = "ab".repeat(1 << 17);
    let spaces = " ".repeat(1 << 18);
    let text = STORY.repeat(1_000);
    let padded = format!("{spaces}{text}");
    let start = Instant::now();
    for by in ContinueBy::ALL {
        for shown in [&circle, &spaces, &text, &padded] {
            for new in [&circle, &spaces, &text, &padded] {
                splice(*by, shown, &[new]);
            }
        }
    }
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

/// Texts of all kinds: prose, ideographs, emoji, and such as run in circles.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "([a-zA-Z]{1,9}[ ,.]{1,2}){4,60}",
        "[一-龥，。]{4,200}",
        "([a-z]{1,4}|[一-龥]|👩‍👩‍👧|🇩🇪|é|\n\n| ){4,80}",
        ("[ab ]{1,3}|哈|😀", 4..120usize).prop_map(|(unit, count)| unit.repeat(count)),
        "[ab]{4,200}",
        "(- \\[ \\] [a-c]{1,3}\n){3,40}",
    ]
}

/// The text in two parts.
fn cut() -> impl Strategy<Value = (String, String)> {
    (text(), any::<prop::sample::Index>()).prop_map(|(text, at)| {
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let (shown, rest) = text.split_at(places[at.index(places.len())]);
        (shown.to_owned(), rest.to_owned())
    })
}

/// The rules of the splice for a whole new text, written plainly: how many bytes of it are a repetition, without the whitespace behind it.
///
/// This is what "inherently ambiguous" means below: a peer's text that one of the rules would take for a repetition of another kind than it is.
fn repeated(shown: &str, new: &str) -> Option<usize> {
    let weight = |text: &str| {
        text.chars()
            .map(|c| if c >= '\u{2E80}' && !('\u{FE00}'..='\u{FE0F}').contains(&c) { 2 } else { 1 })
            .sum::<usize>()
    };
    let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let (anchor, trimmed) = (anchor(shown), shown.trim_end());
    let (wanted, preface) = (bare(anchor), if weight(anchor) >= 6 { 96 } else { 0 });
    let ends = |new: &str| new.char_indices().map(|(at, c)| at + c.len_utf8()).collect::<Vec<_>>();
    if wanted.is_empty() {
        return None;
    }
    // The anchor's end that comes first, within what is held back.
    let first = new.len() - new.trim_start().len();
    let signs: Vec<(usize, char)> = new.char_indices().filter(|(_, c)| !c.is_whitespace()).collect();
    for window in signs.windows(wanted.chars().count()) {
        let (start, (last, c)) = (window[0].0, window[window.len() - 1]);
        let allowed = start <= preface || start == first;
        // The character that fills what is held back is the last that counts.
        if allowed && last < 512 && window.iter().map(|(_, c)| *c).eq(wanted.chars()) {
            return Some(last + c.len_utf8());
        }
    }
    let longest = ends(new)
        .into_iter()
        .filter(|end| *end <= 512 && trimmed.ends_with(&new[..*end]) && weight(&new[..*end]) >= 6)
        .max();
    // An answer that begins anew goes before what its beginning happens to repeat.
    let same = shown.chars().zip(new.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    if same >= 512 { Some(same) } else { longest }
}

/// Whether a new text ends within something that may be a repetition: then it is taken for one.
fn unfinished(shown: &str, new: &str) -> bool {
    let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let wanted = bare(anchor(shown));
    let first = new.len() - new.trim_start().len();
    let begun = new.char_indices().filter(|(at, _)| *at <= 96 || *at == first).any(|(at, _)| {
        let begun = bare(&new[at..]);
        !begun.is_empty() && wanted.starts_with(&begun) && (at == first || begun.chars().count() >= 6)
    });
    begun || shown.contains(new)
}

/// What a peer sends that is to go on behind `shown` with `rest`.
fn peers(shown: &str, rest: &str, words: usize) -> Vec<(&'static str, String)> {
    let trimmed = shown.trim_end();
    let space = &shown[trimmed.len()..];
    let last = trimmed.rsplitn(words + 1, char::is_whitespace).take(words).map(str::len).sum::<usize>() + words - 1;
    let last = trimmed.get(trimmed.len().saturating_sub(last)..).unwrap_or(trimmed);
    vec![
        ("repeats the anchor", format!("{}{space}{rest}", anchor(shown))),
        ("goes on", rest.to_owned()),
        ("starts over", format!("{shown}{rest}")),
        ("repeats some words", format!("{last}{space}{rest}")),
        ("introduces the anchor", format!("Continuing: {}{space}{rest}", anchor(shown))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nothing_is_lost_and_nothing_comes_twice((shown, rest) in cut(), words in 1..12usize) {
        for (name, new) in peers(&shown, &rest, words) {
            let repetition = new.len() - rest.len();
            let space = shown.len() - shown.trim_end().len();
            let (out, seam) = anchored(&shown, &new);
            // A peer that does as it was asked is joined exactly, whatever the texts.
            let clear = match name {
                "repeats the anchor" => !shown.trim().is_empty(),
                _ if unfinished(&shown, &new) => false,
                "goes on" => repeated(&shown, &new).is_none(),
                _ => repeated(&shown, &new) == Some(repetition - space),
            };
            if clear {
                prop_assert_eq!(&out, &rest, "{} {:?}", name, seam);
            }
            // Clear or not: what is shown is the end of what came.
            prop_assert!(new.ends_with(&out), "{}", name);
            prop_assert_eq!(new.len() - out.len(), if let Seam::Overlap(dropped) = seam { dropped } else { 0 }, "{}", name);
        }
    }

    #[test]
    fn the_joint_is_as_the_plain_rules_have_it((shown, _) in cut(), (start, _) in cut(), tail in "[xyz]{520}", words in 1..12usize) {
        // With a tail behind it that is like nothing else, nothing breaks off within a repetition.
        for (name, new) in peers(&shown, &format!("{start}{tail}"), words) {
            let (out, seam) = anchored(&shown, &new);
            match repeated(&shown, &new) {
                None => prop_assert_eq!((&out, seam), (&new, Seam::None), "{}", name),
                Some(end) => {
                    let space = &shown[shown.trim_end().len()..];
                    let more = space.chars().zip(new[end..].chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum::<usize>();
                    // An answer that begins anew is compared with the whole of what was shown, whitespace included.
                    let most = end.max(end + more).min(new.len());
                    prop_assert!(out == new[most..] || (end >= 512 && out == new[end..]), "{}: {:?} {:?} {}", name, out.len(), seam, end);
                }
            }
        }
    }

    #[test]
    fn the_joint_does_not_depend_on_the_chunks((shown, rest) in cut(), words in 1..12usize, sizes in prop::collection::vec(1..9usize, 1..30)) {
        for by in ContinueBy::ALL {
            for (name, new) in peers(&shown, &rest, words) {
                let mut chunks: Vec<&str> = Vec::new();
                let (mut left, mut turn) = (new.as_str(), sizes.iter().cycle());
                while !left.is_empty() {
                    let size = left.char_indices().nth(*turn.next().unwrap()).map_or(left.len(), |(at, _)| at);
                    let (chunk, more) = left.split_at(size);
                    chunks.push(chunk);
                    left = more;
                }
                prop_assert_eq!(splice(*by, &shown, &chunks), splice(*by, &shown, &[&new]), "{} {:?}", name, by);
            }
        }
    }

    #[test]
    fn a_prefix_that_goes_on_loses_nothing((shown, rest) in cut()) {
        for by in [ContinueBy::Prefix, ContinueBy::Prefill] {
            let (out, seam) = splice(by, &shown, &[&rest]);
            // Only an answer of some length that does not run in circles, whole and again from its start, is an echo.
            if seam == Seam::Exact {
                prop_assert_eq!(&out, &rest);
            } else {
                prop_assert!(rest.starts_with(shown.trim_start()));
                prop_assert!(!(1..=shown.len() / 2).any(|period| shown.as_bytes()[period..] == shown.as_bytes()[..shown.len() - period]));
            }
        }
    }
}
