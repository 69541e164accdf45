//! Uploads of training examples: bodies that other people's clients write, bodies made to harm, files line by line.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use serde_json::Value;
use sluicegate::Error;
use sluicegate::config::Config;
use sluicegate::dataset::{Event, Hiding, Limits, Lines, Multipart, Summary, Upload};
use std::time::{Duration, Instant};

const X: &str = "multipart/form-data; boundary=x";
const HEAD: &str = "--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n";
const TAIL: &str = "\r\n--x--\r\n";

fn vectors(name: &str) -> Vec<Value> {
    let path = format!("{}/tests/vectors/dataset/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn limits(case: &Value) -> Limits {
    let mut limits = Limits::default();
    if let Some(line) = case["limits"]["line"].as_u64() {
        limits.line = line as usize;
    }
    if let Some(lines) = case["limits"]["lines"].as_u64() {
        limits.lines = lines;
    }
    limits
}

/// `⟪3*ab⟫` is `ababab`.
fn expanded(text: &str) -> String {
    let mut parts = text.split('⟪');
    let mut whole = parts.next().unwrap().to_owned();
    for part in parts {
        let (repeated, rest) = part.split_once('⟫').unwrap();
        let (count, what) = repeated.split_once('*').unwrap();
        whole.push_str(&what.repeat(count.parse().unwrap()));
        whole.push_str(rest);
    }
    whole
}

fn unhex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

type Parts = Vec<(String, Option<String>, Vec<u8>)>;

fn parts<'a>(content_type: &str, pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Parts, Error> {
    let mut parts = Parts::new();
    let mut open = false;
    let mut multipart = Multipart::new(content_type)?;
    for piece in pieces {
        multipart.push(piece, &mut |event| {
            match event {
                Event::Begin(part) => {
                    assert!(!open, "a part begins in another");
                    open = true;
                    parts.push((part.name, part.filename, Vec::new()));
                }
                Event::Data(bytes) => {
                    assert!(open && !bytes.is_empty());
                    parts.last_mut().unwrap().2.extend_from_slice(bytes);
                }
                Event::End => {
                    assert!(open);
                    open = false;
                }
            }
            Ok(())
        })?;
    }
    multipart.finish()?;
    assert!(!open, "the body is over, a part is not");
    Ok(parts)
}

fn upload<'a>(
    content_type: &str,
    limits: Limits,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Result<Summary, Error>, Vec<u8>) {
    let mut stored = Vec::new();
    let run = || {
        let mut upload = Upload::new(content_type, limits, None)?;
        let mut faulty = false;
        for piece in pieces {
            let pushed = upload.push(piece, &mut |line| {
                stored.extend_from_slice(line);
                Ok(())
            });
            assert!(pushed.is_ok() || upload.is_faulty());
            assert!(upload.is_faulty() || !faulty, "what is faulty stays so");
            faulty = upload.is_faulty();
            if let Err(error) = pushed {
                let again = upload.push(b"--x--", &mut |_| panic!("an upload that has failed hands something on"));
                assert_eq!(again, Err(error.clone()));
                assert_eq!(upload.finish().err(), Some(error.clone()));
                return Err(error);
            }
        }
        let finished = upload.finish();
        assert!(finished.is_err() || !faulty);
        finished
    };
    let result = run();
    (result, stored)
}

/// Ways to cut bytes into pieces: whole, each in two, all of one byte, and some in between.
fn cuts(bytes: &[u8]) -> Vec<Vec<&[u8]>> {
    let mut cuts: Vec<Vec<&[u8]>> = [1, 2, 3, 7, 64].iter().map(|&size| bytes.chunks(size).collect()).collect();
    let step = 1 + bytes.len() / 2000;
    cuts.extend((0..=bytes.len()).step_by(step).map(|at| vec![&bytes[..at], &bytes[at..]]));
    cuts
}

#[test]
fn bodies_of_other_peoples_clients_are_read_at_every_cut() {
    let cases: Vec<Value> = ["python", "node"].into_iter().flat_map(vectors).collect();
    assert!(cases.len() >= 13);
    for case in &cases {
        let (name, content_type) = (&case["name"], case["content_type"].as_str().unwrap());
        let body = case["body"].as_str().unwrap().as_bytes();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let expected: Parts = case["parts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|part| (text(&part["name"]).unwrap(), text(&part["filename"]), text(&part["content"]).unwrap().into()))
            .collect();
        for pieces in cuts(body) {
            assert_eq!(parts(content_type, pieces.iter().copied()).as_ref(), Ok(&expected), "{name}");
            let (summary, stored) = upload(content_type, Limits::default(), pieces);
            let (summary, wanted) = (summary.unwrap_or_else(|error| panic!("{name}: {error}")), &case["summary"]);
            assert_eq!(summary.bytes, stored.len() as u64);
            assert_eq!(Some(summary.bytes), wanted["bytes"].as_u64(), "{name}");
            assert_eq!(Some(summary.lines), wanted["lines"].as_u64(), "{name}");
            assert_eq!(Some(summary.shape.as_str()), wanted["shape"].as_str(), "{name}");
            assert_eq!(Some(hex(&summary.sha256).as_str()), wanted["sha256"].as_str(), "{name}");
        }
    }
}

#[test]
fn a_body_that_is_cut_anywhere_is_never_taken() {
    for case in ["python", "node"].into_iter().flat_map(vectors) {
        let body = case["body"].as_str().unwrap().as_bytes();
        // The line end behind the last boundary is not needed.
        for end in 0..body.len() - 2 {
            let (summary, _) = upload(case["content_type"].as_str().unwrap(), Limits::default(), [&body[..end]]);
            assert!(summary.is_err(), "{}: cut at {end}", case["name"]);
        }
    }
}

#[test]
fn hostile_bodies_are_refused_or_taken_the_same_way_at_every_cut() {
    for case in vectors("bodies") {
        let name = &case["name"];
        let content_type = expanded(case["content_type"].as_str().unwrap_or(X));
        let body = match case["hex"].as_str() {
            Some(digits) => unhex(digits),
            None => expanded(case["body"].as_str().unwrap()).into_bytes(),
        };
        let pieces = if body.len() > 10_000 { vec![body.chunks(4096).collect()] } else { cuts(&body) };
        for pieces in pieces {
            let (result, stored) = upload(&content_type, Limits::default(), pieces);
            match (case["error"].as_str(), result) {
                (Some(code), Err(error)) => {
                    assert_eq!(error.code(), code, "{name}: {error}");
                    if let Some(param) = case["param"].as_str() {
                        assert_eq!(error.param(), Some(param), "{name}: {error}");
                    }
                }
                (None, Ok(summary)) => {
                    let label = case["filename"].as_str().map(expanded);
                    assert_eq!((summary.filename, summary.lines), (label, 1), "{name}");
                    assert_eq!(stored, br#"{"text":"ok"}"#, "{name}");
                }
                (_, result) => panic!("{name}: {result:?}"),
            }
        }
    }
}

#[test]
fn files_are_judged_line_by_line_at_every_cut() {
    for case in vectors("lines") {
        let name = &case["name"];
        let file = match case["hex"].as_str() {
            Some(digits) => unhex(digits),
            None => case["file"].as_str().unwrap().repeat(case["repeat"].as_u64().unwrap_or(1) as usize).into_bytes(),
        };
        for pieces in cuts(&file) {
            let mut stored = Vec::new();
            let mut sink = |line: &[u8]| {
                assert!(!line.is_empty() && !line[..line.len() - 1].contains(&b'\n'), "{name}: one line at a time");
                stored.extend_from_slice(line);
                Ok(())
            };
            let mut lines = Lines::new(limits(&case), None);
            let pushed = pieces.iter().try_for_each(|piece| lines.push(piece, &mut sink));
            let result = pushed.and_then(|()| lines.finish(&mut sink));
            match (case["error"].as_str(), result) {
                (Some(code), Err(error)) => {
                    assert_eq!((error.code(), error.param()), (code, case["param"].as_str()), "{name}: {error}");
                    if let Some(message) = case["message"].as_str() {
                        assert_eq!(error.message(), message, "{name}");
                    }
                    assert!(!error.to_string().contains("13812345678"), "{name}");
                }
                (None, Ok(checked)) => {
                    let wanted = case["stored"].as_str().map_or(file.clone(), |text| text.as_bytes().to_vec());
                    assert_eq!(stored, wanted, "{name}");
                    assert_eq!(checked.bytes, wanted.len() as u64, "{name}");
                    assert_eq!(Some(checked.lines), case["lines"].as_u64(), "{name}");
                    assert_eq!(Some(checked.shape.as_str()), case["shape"].as_str(), "{name}");
                }
                (_, result) => panic!("{name}: {result:?}"),
            }
        }
    }
}

#[test]
fn twenty_faults_are_told_and_nothing_is_handed_on_after_the_first() {
    let good = "{\"text\":\"a\"}\n";
    let file = [good, &"{\"text\":5}\n{\"text\":\"b\"}\n".repeat(40)].concat();
    let mut stored = Vec::new();
    let mut lines = Lines::new(Limits::default(), None);
    let mut judged = 0;
    let error = file.split_inclusive('\n').find_map(|line| {
        judged += 1;
        lines
            .push(line.as_bytes(), &mut |line| {
                stored.extend_from_slice(line);
                Ok(())
            })
            .err()
    });
    let error = error.unwrap();
    assert_eq!((error.param(), stored.as_slice()), (Some("line 2: text"), good.as_bytes()));
    assert_eq!((error.message().matches("ine ").count(), judged), (20 + 1, 40), "and what was not read is said");
    assert!(error.message().contains("Line 40: text: Expected a string, found a number."));
    assert!(error.message().len() < 2000);
}

#[test]
fn a_sink_that_refuses_ends_the_upload() {
    let body = [HEAD, "{\"text\":\"a\"}\n{\"text\":\"b\"}", TAIL].concat();
    let refusal = Error::new(sluicegate::ErrorKind::Overloaded, "The store is full.");
    let mut upload = Upload::new(X, Limits::default(), None).unwrap();
    let pushed = upload.push(body.as_bytes(), &mut |_| Err(refusal.clone()));
    assert_eq!((pushed, upload.finish().err()), (Err(refusal.clone()), Some(refusal)));
}

#[test]
fn a_body_over_its_bound_is_refused_when_it_is_passed() {
    let body = [HEAD, "{\"text\":\"a\"}", TAIL].concat();
    for (bound, code) in [(body.len(), None), (body.len() - 1, Some("payload_too_large"))] {
        let mut limits = Limits::default();
        limits.body = bound as u64;
        for pieces in cuts(body.as_bytes()) {
            let (result, _) = upload(X, limits, pieces);
            assert_eq!(result.err().map(|error| error.code()), code);
        }
    }
}

#[test]
fn as_many_parts_as_the_bound_are_read_and_not_one_more() {
    let part = "--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n\r\n";
    for (count, code) in [(1, None), (16, None), (17, Some("payload_too_large"))] {
        let body = [&part.repeat(count), "--x--"].concat();
        let read = parts(X, [body.as_bytes()]);
        assert_eq!(read.as_ref().err().map(Error::code), code);
        assert!(read.is_err() || read.unwrap().len() == count);
    }
}

#[test]
fn what_is_made_to_be_slow_is_not() {
    let start = Instant::now();
    // All but a boundary, over and over; line ends that begin one; a line that never ends; lines that are none.
    for content in ["\r\n--".repeat(1 << 18), "\r".repeat(1 << 20), "a".repeat(2 << 20), "\n".repeat(2 << 20)] {
        let body = [HEAD, &content, TAIL].concat();
        for size in [1, 1000, 1 << 20] {
            let (result, stored) = upload(X, Limits::default(), body.as_bytes().chunks(size));
            assert!(result.is_err() && stored.is_empty());
        }
    }
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
}

#[test]
fn debug_output_shows_no_content() {
    let mut upload = Upload::new(X, Limits::default(), None).unwrap();
    upload
        .push([HEAD, "{\"text\":\"13812345678\"}\n{\"text\":\"13812345678"].concat().as_bytes(), &mut |_| Ok(()))
        .unwrap();
    let shown = format!("{upload:?}");
    assert!(!shown.contains("13812345678") && !shown.contains(&format!("{:?}", b"13812345678")[1..30]), "{shown}");
}

fn config(policy: &str) -> Config {
    let upstreams = r#"[{"name":"a","dialect":"openai","base_url":"https://a.example.com/v1","models":["m"]}]"#;
    Config::parse(&format!(r#"{{"upstreams":{upstreams},"redaction":{policy}}}"#)).unwrap()
}

fn hiding(config: &Config) -> Option<Hiding> {
    config.redaction().map(|redaction| Hiding::new(redaction.clone(), &[7; 32]))
}

#[test]
fn what_is_private_is_hidden_for_good_before_it_is_handed_on() {
    let file = concat!(
        "{\"messages\":[{\"role\":\"user\",\"content\":\"打 13812345678\"},{\"role\":\"assistant\",\"content\":\"a@b.example\"}]}\r\n",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"你好\"},{\"role\":\"assistant\",\"content\":\"好\"}]}\n",
    );
    let head = HEAD.replace("\"file\"", "\"file\"; filename=\"13812345678.jsonl\"");
    let body = [&head, file, TAIL].concat();
    let config = config("{}");
    for pieces in cuts(body.as_bytes()) {
        let mut stored = Vec::new();
        let mut upload = Upload::new(X, Limits::default(), hiding(&config)).unwrap();
        for piece in pieces {
            upload
                .push(piece, &mut |line| {
                    stored.extend_from_slice(line);
                    Ok(())
                })
                .unwrap();
        }
        let summary = upload.finish().unwrap();
        let text = String::from_utf8(stored).unwrap();
        let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows[0]["messages"][0]["content"], "打 ***手机号***");
        assert_eq!(rows[0]["messages"][1]["content"], "***邮箱***");
        assert!(text.lines().nth(1) == file.lines().nth(1) && text.contains("}\r\n{"), "{text}");
        assert_eq!((summary.bytes, summary.lines), (text.len() as u64, 2));
        assert_eq!(summary.filename.as_deref(), Some("***手机号***.jsonl"));
        let hiding = summary.hiding.unwrap();
        assert_eq!(hiding.redaction().summary(hiding.tally()), "PHONE_CN=2, EMAIL=1");
    }
}

#[test]
fn what_the_policy_refuses_is_not_kept_and_the_line_is_named() {
    for action in ["block", "local_only"] {
        let policy = format!(r#"{{"entities":{{"PHONE_CN":"{action}"}}}}"#);
        let body = [HEAD, "{\"text\":\"a\"}\n{\"text\":\"打 13812345678\"}", TAIL].concat();
        let mut upload = Upload::new(X, Limits::default(), hiding(&config(&policy))).unwrap();
        let error = upload.push(body.as_bytes(), &mut |_| Ok(())).unwrap_err();
        assert_eq!((error.code(), error.param()), ("private_data", Some("line 2")), "{error}");
        assert!(error.message().contains("PHONE_CN") && !error.to_string().contains("138"));
    }
}

/// Content in which boundaries nearly stand.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"\r\n--".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r\n-".to_vec()),
        Just(b"bo".to_vec()),
        Just(b"--".to_vec()),
        prop::collection::vec(any::<u8>(), 0..12),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn a_part() -> impl Strategy<Value = (String, Option<String>, Vec<u8>)> {
    ("[a-z]{1,8}", prop::option::of("[a-zé训 ;=.]{0,12}"), content())
}

/// Positions at which to cut, sorted.
fn pieces<'a>(bytes: &'a [u8], at: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut at: Vec<usize> = at.iter().map(|index| index.index(bytes.len() + 1)).collect();
    at.sort_unstable();
    let mut pieces = Vec::new();
    let mut from = 0;
    for end in at.into_iter().chain([bytes.len()]) {
        pieces.push(&bytes[from..end]);
        from = end;
    }
    pieces
}

proptest! {
    #[test]
    fn what_was_put_into_a_body_comes_out_of_it(
        list in prop::collection::vec(a_part(), 1..5),
        at in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        preamble in prop::option::of("[a-z\n]{0,9}"),
        line_end in any::<bool>(),
    ) {
        let boundary = "bound-ary";
        let holds = |content: &[u8]| content.windows(13).any(|window| window == b"\r\n--bound-ary") || content.starts_with(b"--bound-ary");
        prop_assume!(!list.iter().any(|(.., content)| holds(content)));
        let mut body = preamble.map_or(Vec::new(), |text| [text.as_bytes(), b"\r\n"].concat());
        for (index, (name, filename, content)) in list.iter().enumerate() {
            body.extend_from_slice(if index == 0 { b"--" } else { b"\r\n--" });
            let filename = filename.as_ref().map_or(String::new(), |name| format!("; filename=\"{name}\""));
            let head = format!("{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"{filename}\r\nX-Some: thing\r\n\r\n");
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(content);
        }
        body.extend_from_slice(b"\r\n--bound-ary--");
        if line_end {
            body.extend_from_slice(b"\r\n");
        }
        let content_type = format!("multipart/form-data; boundary={boundary}");
        prop_assert_eq!(parts(&content_type, pieces(&body, &at)), Ok(list));
    }

    #[test]
    fn lines_are_judged_as_serde_json_reads_them_however_they_are_cut(
        lines in prop::collection::vec(("[a-zé训\"\\\\\u{1}\u{e000} ]{1,12}", 0..6_u8, any::<bool>()), 1..12),
        at in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let mut file = String::new();
        let (mut stored, mut faulty) = (String::new(), Vec::new());
        for (index, (text, kind, crlf)) in lines.iter().enumerate() {
            let quoted = serde_json::to_string(text).unwrap();
            let line = match kind {
                // As it is, which is JSON only by accident.
                0 => format!("{{\"text\":\"{text}\"}}"),
                1 => String::from("  "),
                _ => format!("{{\"text\": {quoted}, \"more\": [{index}]}}"),
            };
            let line = [line.as_str(), if *crlf { "\r\n" } else { "\n" }].concat();
            match serde_json::from_str::<Value>(&line) {
                Ok(_) if faulty.is_empty() => stored.push_str(&line),
                Ok(_) => {}
                Err(_) if line.trim().is_empty() => {}
                Err(_) => faulty.push(index + 1),
            }
            file.push_str(&line);
        }
        let body = [HEAD, &file, TAIL].concat();
        let (result, handed) = upload(X, Limits::default(), pieces(body.as_bytes(), &at));
        prop_assert_eq!(String::from_utf8(handed).unwrap(), stored.clone());
        match result {
            Ok(summary) => {
                prop_assert!(faulty.is_empty());
                prop_assert_eq!(summary.lines, stored.lines().count() as u64);
            }
            Err(error) if faulty.is_empty() => prop_assert!(stored.is_empty(), "{}", error),
            Err(error) => {
                let named: Vec<usize> = error.message().split("Line ").skip(1)
                    .map(|part| part.split(':').next().unwrap().parse().unwrap()).collect();
                prop_assert_eq!(named, faulty);
            }
        }
    }
}
