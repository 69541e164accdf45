//! One socket, in virtual time.

use proptest::prelude::*;
use serde_json::{Value, json};
use sluicegate::Error;
use sluicegate::ErrorKind;
use sluicegate::guide::socket::{Action, PING, PONG, Policy, Revoked, Session};
use sluicegate::guide::{Face, Shape, complete};
use sluicegate::limits::Limits;
use sluicegate::reply::error_body;
use sluicegate::time::Instant;

const REQUEST: &str = r#"{"model":"deepseek-r1","prompt":"Hi","stream":true,"max_tokens":2048}"#;
const LAST: &[u8] = b"{\"choices\":[{\"text\":\"\",\"index\":0}],\"finish_reason\":\"stop\",\"usage\":null}\n";

fn open() -> Session {
    Session::new(Instant(0), Policy::default())
}

fn drain(session: &mut Session) -> Vec<Action> {
    std::iter::from_fn(|| session.next_action()).collect()
}

fn message(action: &Action) -> Value {
    match action {
        Action::Send(text) => serde_json::from_str(text).unwrap(),
        other => panic!("{other:?} is no message"),
    }
}

/// The code of an error message, and whether it ends an answer.
fn error(action: &Action) -> (String, bool) {
    let message = message(action);
    assert_eq!(message["choices"][0]["text"], "", "the guide's loop reads a text of every message");
    let is_last = message.get("finish_reason").is_some();
    assert!(!is_last || message["finish_reason"] == "error");
    (message["error"]["code"].as_str().unwrap().to_owned(), is_last)
}

fn started(session: &mut Session, at: u64, text: &str) -> (u32, String) {
    session.handle_text(Instant(at), text);
    match drain(session).as_slice() {
        [Action::Call { call, body }] => (*call, body.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_request_is_called_and_its_messages_are_sent_one_by_one_wherever_the_bytes_are_cut() {
    let pieces =
        b":\n\n{\"choices\":[{\"text\":\"He\",\"index\":0}]}\n{\"choices\":[{\"text\":\"llo\",\"index\":0}]}\n";
    let answer = [pieces.as_slice(), LAST].concat();
    for at in 0..=answer.len() {
        let mut session = open();
        let (call, body) = started(&mut session, 0, REQUEST);
        assert_eq!(body, REQUEST);
        session.handle_answer(Instant(1), call, &answer[..at]);
        session.handle_answer(Instant(2), call, &answer[at..]);
        session.handle_answer_end(Instant(3), call);
        let sent = drain(&mut session);
        let sent: Vec<Value> = sent.iter().map(message).collect();
        let texts: Vec<&str> = sent.iter().map(|it| it["choices"][0]["text"].as_str().unwrap()).collect();
        assert_eq!(texts, ["He", "llo", ""]);
        assert_eq!(sent.iter().position(|it| it.get("finish_reason").is_some()), Some(2));
        assert!(session.is_idle() && !session.is_closed());
    }
}

/// The guide's program: prints texts until a message has a finish reason.
fn program(messages: &[Value]) -> (String, String) {
    let mut printed = String::new();
    for message in messages {
        printed.push_str(message["choices"][0]["text"].as_str().unwrap());
        if let Some(reason) = message.get("finish_reason") {
            return (printed, reason.as_str().unwrap().to_owned());
        }
    }
    panic!("the program waits for ever");
}

#[test]
fn the_guides_program_prints_a_recorded_answer_and_ends() {
    let recording = include_bytes!("../vectors/recordings/stream-chinese.sse");
    for cut in [recording.len(), recording.len() / 2] {
        let mut session = open();
        let (call, body) = started(&mut session, 0, REQUEST);
        let defaults = complete::Defaults { model: "m", stream: true };
        let chat = complete::translate(body.as_bytes(), &defaults, &Limits::default()).unwrap();
        let chat: Value = serde_json::from_slice(&chat.body).unwrap();
        assert_eq!(chat["model"], "deepseek-r1");

        let (mut face, mut out) = (Face::new(Shape::Socket, "1", "deepseek-r1", 7), Vec::new());
        face.push(&recording[..cut], &mut out);
        face.finish(&mut out);
        session.handle_answer(Instant(5), call, &out);
        session.handle_answer_end(Instant(6), call);
        let (printed, reason) = program(&drain(&mut session).iter().map(message).collect::<Vec<_>>());
        let (text, said) = super::text_of(recording);
        if cut == recording.len() {
            assert_eq!((printed, reason), (text, said));
        } else {
            assert!(text.starts_with(&printed) && reason == "error");
        }
    }
}

#[test]
fn requests_are_answered_in_turn_and_the_sixth_is_told_that_the_socket_is_busy() {
    let mut session = open();
    let (first, _) = started(&mut session, 0, r#"{"prompt":"0"}"#);
    for at in 1..=4 {
        session.handle_text(Instant(0), &json!({"prompt": at.to_string()}).to_string());
        assert!(drain(&mut session).is_empty());
    }
    session.handle_text(Instant(0), REQUEST);
    assert_eq!(error(&drain(&mut session)[0]), ("socket_busy".into(), false), "the answer that runs goes on");
    assert!(!session.is_closed());

    let mut call = first;
    for at in 1..=4 {
        session.handle_answer(Instant(1), call, LAST);
        session.handle_answer_end(Instant(1), call);
        let actions = drain(&mut session);
        let Action::Call { call: next, body } = &actions[1] else { panic!("{actions:?}") };
        assert_eq!(body, &json!({"prompt": at.to_string()}).to_string());
        assert_ne!(*next, call);
        call = *next;
    }
    session.handle_answer(Instant(1), call, LAST);
    session.handle_answer_end(Instant(1), call);
    assert_eq!(drain(&mut session).len(), 1);
    assert!(session.is_idle());
}

#[test]
fn a_ping_is_answered_and_the_kind_of_a_message_is_not_sent_on() {
    let mut session = open();
    session.handle_text(Instant(0), PING);
    assert_eq!(drain(&mut session), [Action::Send(PONG.to_owned())]);
    let (_, body) = started(&mut session, 0, r#" {"type": "request", "prompt": "Hi", "n\u00e9": [1]}"#);
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), json!({"prompt": "Hi", "né": [1]}));
    session.handle_text(Instant(0), PING);
    assert_eq!(drain(&mut session), [Action::Send(PONG.to_owned())]);
}

#[test]
fn a_cancel_ends_the_answer_that_runs_and_the_next_begins() {
    let mut session = open();
    session.handle_text(Instant(0), r#"{"type":"cancel"}"#);
    assert!(drain(&mut session).is_empty(), "nothing to cancel");
    let (call, _) = started(&mut session, 0, REQUEST);
    session.handle_text(Instant(0), REQUEST);
    session.handle_answer(Instant(0), call, b"{\"choices\":[{\"text\":\"half a mess");
    session.handle_text(Instant(1), r#"{"type":"cancel"}"#);
    let actions = drain(&mut session);
    assert_eq!(actions[0], Action::Abort(call));
    assert_eq!(message(&actions[1])["finish_reason"], "cancelled");
    assert_eq!(message(&actions[1])["choices"][0]["text"], "");
    assert!(matches!(actions[2], Action::Call { .. }) && actions.len() == 3);
    session.handle_answer(Instant(2), call, LAST);
    session.handle_answer_end(Instant(2), call);
    session.handle_refusal(Instant(2), call, "{}");
    assert!(drain(&mut session).is_empty(), "what comes late of the cancelled call is nobody's");
}

#[test]
fn faults_of_a_request_leave_the_socket_open() {
    for (text, code) in [
        (r#"["Hi"]"#, "invalid_request"),
        ("7", "invalid_request"),
        (r#"{"prompt":"a","prompt":"b"}"#, "invalid_request"),
        (r#"{"type":"shout","prompt":"a"}"#, "invalid_request"),
        (r#"{"type":7}"#, "invalid_request"),
    ] {
        let mut session = open();
        session.handle_text(Instant(0), text);
        let actions = drain(&mut session);
        assert_eq!(error(&actions[0]), (code.into(), true), "{text}");
        assert_eq!(actions.len(), 1);
        let (call, _) = started(&mut session, 0, REQUEST);
        session.handle_text(Instant(0), text);
        assert_eq!(error(&drain(&mut session)[0]), (code.into(), false), "{text}: the answer that runs is not over");
        session.handle_answer(Instant(1), call, LAST);
        assert_eq!(drain(&mut session).len(), 1);
        session.handle_text(Instant(1), text);
        assert_eq!(error(&drain(&mut session)[0]), (code.into(), true), "{text}: behind the last message");
    }
}

#[test]
fn faults_of_the_protocol_are_named_and_close_the_socket() {
    type Tell = fn(&mut Session);
    let rows: [(Tell, &str, u16); 9] = [
        (|it| it.handle_text(Instant(1), "{\"prompt\":"), "invalid_request", 1007),
        (|it| it.handle_text(Instant(1), ""), "invalid_request", 1007),
        (|it| it.handle_text(Instant(1), "hello"), "invalid_request", 1007),
        (|it| it.handle_binary(Instant(1)), "unsupported_media_type", 1003),
        (|it| it.handle_too_large(Instant(1)), "payload_too_large", 1009),
        (
            |it| it.handle_text(Instant(1), &json!({"prompt": "x".repeat(256 << 10)}).to_string()),
            "payload_too_large",
            1009,
        ),
        (|it| (0..21).for_each(|_| it.handle_text(Instant(1), PING)), "rate_limit_exceeded", 1008),
        (|it| it.handle_revoked(Revoked::Unauthorized), "unauthorized", 4401),
        (|it| it.handle_revoked(Revoked::Forbidden), "forbidden", 4403),
    ];
    for (tell, expected, status) in rows {
        for running in [false, true] {
            let mut session = open();
            let call = running.then(|| started(&mut session, 0, REQUEST).0);
            if running {
                session.handle_text(Instant(0), REQUEST);
            }
            // Those in the same second count.
            tell(&mut session);
            let mut actions = drain(&mut session);
            actions.retain(|action| *action != Action::Send(PONG.to_owned()));
            assert_eq!(error(&actions[0]), (expected.into(), true));
            let mut rest = actions[1..].to_vec();
            if let Some(call) = call {
                assert_eq!(rest.remove(0), Action::Abort(call));
            }
            assert!(matches!(rest.as_slice(), [Action::Close { code, .. }] if *code == status), "{rest:?}");
            session.handle_text(Instant(2), REQUEST);
            session.handle_binary(Instant(2));
            session.handle_revoked(Revoked::Forbidden);
            session.handle_close();
            session.expire(Instant(u64::MAX));
            assert!(drain(&mut session).is_empty(), "nothing comes behind the close");
        }
    }
}

#[test]
fn twenty_messages_in_every_second_are_well() {
    let mut session = open();
    for at in 0..200 {
        session.handle_text(Instant(at * 50), PING);
    }
    assert_eq!(drain(&mut session).len(), 200);
    assert!(!session.is_closed());
}

#[test]
fn a_refused_call_is_told_and_the_next_one_begins() {
    let mut session = open();
    let (call, _) = started(&mut session, 0, REQUEST);
    session.handle_text(Instant(0), REQUEST);
    let refused = Error::new(ErrorKind::InvalidRequest, "Required: a string.").with_param("prompt");
    session.handle_refusal(Instant(1), call, &error_body(&refused));
    let actions = drain(&mut session);
    assert_eq!(error(&actions[0]), ("invalid_request".into(), true));
    assert_eq!(message(&actions[0])["error"]["param"], "prompt");
    let Action::Call { call, .. } = actions[1] else { panic!("{actions:?}") };
    session.handle_refusal(Instant(1), call, "<html>no JSON</html>");
    assert_eq!(error(&drain(&mut session)[0]), ("internal".into(), true));
    assert!(!session.is_closed());

    let (call, _) = started(&mut session, 2, REQUEST);
    session.handle_refusal(Instant(3), call, &error_body(&Error::new(ErrorKind::Unauthorized, "No.")));
    let actions = drain(&mut session);
    assert_eq!(error(&actions[0]), ("unauthorized".into(), true));
    assert!(matches!(actions[1..], [Action::Close { code: 4401, .. }]));
}

#[test]
fn an_answer_without_its_last_message_is_told_to_be_cut() {
    let mut session = open();
    let (call, _) = started(&mut session, 0, REQUEST);
    session.handle_answer(Instant(1), call, b"{\"choices\":[{\"text\":\"He\"}]}\n{\"choices\":[{\"te");
    session.handle_answer_end(Instant(2), call);
    let actions = drain(&mut session);
    assert_eq!(actions.len(), 2);
    assert_eq!(error(&actions[1]), ("truncated".into(), true));
}

#[test]
fn a_message_of_the_answer_has_a_bound() {
    let policy = Policy { line_bytes: 100, ..Policy::default() };
    let mut session = Session::new(Instant(0), policy);
    let (call, _) = started(&mut session, 0, REQUEST);
    session.handle_answer(Instant(1), call, &[b'x'; 101]);
    let actions = drain(&mut session);
    assert_eq!(actions[0], Action::Abort(call));
    assert_eq!(error(&actions[1]), ("event_too_large".into(), true));
    assert!(session.is_idle());
}

#[test]
fn a_socket_that_nobody_uses_is_closed_and_an_answer_keeps_it_open() {
    let policy = Policy::default();
    let mut session = open();
    assert_eq!(session.deadline(), Instant(policy.idle_ms));
    session.handle_text(Instant(1000), PING);
    assert_eq!(session.deadline(), Instant(policy.idle_ms), "a ping asks for nothing");
    drain(&mut session);
    let (call, _) = started(&mut session, 2000, REQUEST);
    session.expire(Instant(policy.idle_ms * 3));
    assert!(drain(&mut session).is_empty());
    session.handle_answer(Instant(policy.idle_ms * 3), call, LAST);
    session.handle_answer_end(Instant(policy.idle_ms * 3), call);
    drain(&mut session);
    session.expire(Instant(policy.idle_ms * 4 - 1));
    assert!(drain(&mut session).is_empty());
    assert_eq!(session.deadline(), Instant(policy.idle_ms * 4));
    session.expire(Instant(policy.idle_ms * 4));
    assert!(matches!(drain(&mut session).as_slice(), [Action::Close { code: 1000, .. }]));
    assert_eq!(session.deadline(), Instant(u64::MAX));
}

#[test]
fn an_old_socket_takes_no_more_requests_and_closes_behind_its_answer() {
    let policy = Policy { idle_ms: u64::MAX, ..Policy::default() };
    let mut session = Session::new(Instant(0), policy);
    let (call, _) = started(&mut session, policy.lifetime_ms - 1, REQUEST);
    session.expire(Instant(policy.lifetime_ms));
    session.handle_text(Instant(policy.lifetime_ms), REQUEST);
    assert_eq!(error(&drain(&mut session)[0]), ("socket_busy".into(), false));
    session.handle_answer(Instant(policy.lifetime_ms + 1), call, LAST);
    session.handle_answer_end(Instant(policy.lifetime_ms + 1), call);
    assert!(matches!(drain(&mut session)[1..], [Action::Close { code: 1001, .. }]));

    let mut session = Session::new(Instant(0), policy);
    let (call, _) = started(&mut session, 0, REQUEST);
    let end = policy.lifetime_ms + policy.grace_ms;
    assert_eq!(session.deadline(), Instant(end));
    session.expire(Instant(end));
    let actions = drain(&mut session);
    assert_eq!(error(&actions[0]), ("timeout_total".into(), true));
    assert_eq!(actions[1], Action::Abort(call));
    assert!(matches!(actions[2], Action::Close { code: 1001, .. }));

    let mut session = Session::new(Instant(0), policy);
    session.expire(Instant(policy.lifetime_ms));
    assert!(matches!(drain(&mut session).as_slice(), [Action::Close { code: 1001, .. }]));
}

#[test]
fn a_client_that_leaves_stops_its_call() {
    let mut session = open();
    let (call, _) = started(&mut session, 0, REQUEST);
    session.handle_text(Instant(0), REQUEST);
    session.handle_close();
    assert_eq!(drain(&mut session), [Action::Abort(call)]);
    session.handle_answer_end(Instant(1), call);
    assert!(drain(&mut session).is_empty() && session.is_closed());
    let mut session = open();
    session.handle_close();
    assert!(drain(&mut session).is_empty());
}

#[test]
fn an_upstream_is_not_read_while_the_client_has_much_to_take() {
    let (kib, mut session) = (1 << 10, open());
    started(&mut session, 0, REQUEST);
    for (unsent, expected) in [
        (255 * kib, None),
        (256 * kib, Some(Action::Pause)),
        (300 * kib, None),
        (65 * kib, None),
        (64 * kib, Some(Action::Resume)),
        (0, None),
    ] {
        session.handle_unsent(unsent);
        assert_eq!(session.next_action(), expected, "{unsent}");
    }
    session.handle_text(Instant(0), r#"{"type":"pause"}"#);
    session.handle_text(Instant(0), r#"{"type":"pause"}"#);
    session.handle_unsent(256 * kib);
    assert_eq!(drain(&mut session), [Action::Pause]);
    session.handle_text(Instant(0), r#"{"type":"resume"}"#);
    assert!(drain(&mut session).is_empty(), "there is still much to take");
    session.handle_unsent(0);
    assert_eq!(drain(&mut session), [Action::Resume]);
}

#[test]
fn a_socket_that_sleeps_keeps_its_times_and_nothing_that_was_said() {
    let mut session = open();
    let (call, _) = started(&mut session, 5000, r#"{"prompt":"SECRET"}"#);
    session.handle_text(Instant(5000), r#"{"prompt":"SECRET"}"#);
    let busy = session.to_json();
    assert!(!busy.contains("SECRET"));
    let mut woken = Session::from_json(Policy::default(), &busy).unwrap();
    let told = drain(&mut woken);
    assert_eq!(told.len(), 2, "one for each request that was lost");
    told.iter().for_each(|action| assert_eq!(error(action), ("truncated".into(), true)));

    session.handle_text(Instant(5000), r#"{"type":"cancel"}"#);
    session.handle_text(Instant(5000), r#"{"type":"cancel"}"#);
    drain(&mut session);
    let mut woken = Session::from_json(Policy::default(), &session.to_json()).unwrap();
    assert!(drain(&mut woken).is_empty());
    assert_eq!(woken.deadline(), session.deadline());
    assert_eq!(woken.to_json(), session.to_json());
    let (next, _) = started(&mut woken, 6000, REQUEST);
    assert!(next > call, "what comes late of a call before the sleep is nobody's");
    for text in ["", "{}", "[]", r#"{"v":2}"#, r#"{"v":1,"started":"x"}"#, "null"] {
        assert!(Session::from_json(Policy::default(), text).is_none(), "{text}");
    }
}

#[derive(Clone, Debug)]
enum Told {
    Text(String),
    Binary,
    Answer(Vec<u8>),
    End,
    Refusal,
    Unsent(u64),
    Later(u64),
    Close,
}

fn told() -> impl Strategy<Value = Told> {
    prop_oneof![
        6 => prop_oneof![
            Just(REQUEST), Just(PING), Just(r#"{"type":"cancel"}"#), Just(r#"{"type":"pause"}"#), Just(r#"{"type":"resume"}"#), Just("[]"), Just("{")
        ].prop_map(|text| Told::Text(text.to_owned())),
        1 => "[{}\":a-z]{0,12}".prop_map(Told::Text),
        1 => Just(Told::Binary),
        4 => prop_oneof![Just(LAST.to_vec()), Just(b"{\"a\":1}\n{".to_vec()), proptest::collection::vec(any::<u8>(), 0..20)].prop_map(Told::Answer),
        4 => Just(Told::End),
        2 => Just(Told::Refusal),
        2 => (0u64..400_000).prop_map(Told::Unsent),
        3 => (0u64..4_000_000).prop_map(Told::Later),
        1 => Just(Told::Close),
    ]
}

proptest! {
    #[test]
    fn whatever_is_told_every_request_ends_once_and_nothing_comes_behind_the_close(all in proptest::collection::vec(told(), 0..80)) {
        let mut session = open();
        let (mut now, mut running, mut paused, mut closed) = (0, None, false, false);
        for told in all {
            let before = running;
            match told {
                Told::Text(text) => session.handle_text(Instant(now), &text),
                Told::Binary => session.handle_binary(Instant(now)),
                Told::Answer(bytes) => session.handle_answer(Instant(now), before.unwrap_or(9), &bytes),
                Told::End => session.handle_answer_end(Instant(now), before.unwrap_or(9)),
                Told::Refusal => session.handle_refusal(Instant(now), before.unwrap_or(9), "{}"),
                Told::Unsent(bytes) => session.handle_unsent(bytes),
                Told::Later(ms) => { now += ms; session.expire(Instant(now)); }
                Told::Close => { session.handle_close(); }
            }
            for action in drain(&mut session) {
                prop_assert!(!closed || matches!(action, Action::Abort(_)), "{:?} behind the close", action);
                match action {
                    Action::Call { call, .. } => {
                        prop_assert!(Some(call) > before);
                        running = Some(call);
                    }
                    Action::Abort(call) => prop_assert_eq!(Some(call), running),
                    Action::Pause | Action::Resume => {
                        prop_assert_eq!(action == Action::Pause, !paused);
                        paused = !paused;
                    }
                    Action::Close { .. } => closed = true,
                    Action::Send(text) => prop_assert!(!text.contains('\n')),
                }
            }
            closed |= session.is_closed();
            if closed { prop_assert!(session.is_idle()); }
            prop_assert!(session.deadline() > Instant(now) || session.is_closed() || now >= 3_600_000 || session.is_idle());
        }
    }
}
