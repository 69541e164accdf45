//! Whether what stands where a secret stands is one: randomness, placeholders, the header of a signed token.

/// How far a value is looked at: longer ones have told what they are by then.
const LOOK: usize = 4096;

/// The Shannon entropy of the bytes' distribution, in hundredths of a bit per byte, rounded: 0 for one byte repeated,
/// 400 for 16 different ones. Integers only, so that every platform says the same.
pub(crate) fn entropy(s: &str) -> u16 {
    let mut counts = [0u16; 256];
    let mut length = 0u32;
    for b in s.bytes().take(LOOK) {
        length += 1;
        if let Some(count) = counts.get_mut(usize::from(b)) {
            *count += 1;
        }
    }
    if length == 0 {
        return 0;
    }
    // H = log n - (sum of c log c) / n
    let taken: u64 = counts.iter().map(|c| u64::from(*c) * log2(u32::from(*c))).sum();
    let bits = log2(length) - taken / u64::from(length);
    ((bits * 100 + (1 << 31)) >> 32) as u16
}

/// The binary logarithm, 32 bits of it behind the point; 0 for 0.
fn log2(n: u32) -> u64 {
    let whole = n.max(1).ilog2();
    let mut result = u64::from(whole) << 32;
    // A mantissa between 1 and 2 with 31 bits behind the point: each squaring tells one bit of its logarithm.
    let mut mantissa = u64::from(n.max(1)) << (31 - whole);
    for bit in (8..32).rev() {
        mantissa = (mantissa * mantissa) >> 31;
        if mantissa >= 1 << 32 {
            mantissa >>= 1;
            result |= 1 << bit;
        }
    }
    result
}

/// What marks a value as a stand-in wherever it stands in it, in lower case.
const MARKS: [&str; 38] = [
    "xxxx",
    "****",
    "....",
    "…",
    "••••",
    "${",
    "{{",
    "your_",
    "your-",
    "yourkey",
    "yourapi",
    "yourtoken",
    "yoursecret",
    "yourpass",
    "example",
    "changeme",
    "change_me",
    "change-me",
    "placeholder",
    "replace_",
    "replace-",
    "replaceme",
    "redacted",
    "dummy",
    "insert_",
    "insert-",
    "sample_",
    "你的",
    "您的",
    "示例",
    "替换",
    "请填",
    "填写",
    "填入",
    "此处",
    "占位",
    "fake_",
    "fake-",
];

/// Values that are words of code, of configuration or of documentation, in lower case.
const WORDS: [&str; 30] = [
    "test",
    "testing",
    "demo",
    "sample",
    "secret",
    "token",
    "password",
    "passwd",
    "key",
    "apikey",
    "api_key",
    "null",
    "nil",
    "none",
    "undefined",
    "true",
    "false",
    "string",
    "str",
    "bool",
    "boolean",
    "number",
    "int",
    "bytes",
    "text",
    "env",
    "todo",
    "fixme",
    "foobar",
    "required",
];

/// Keys that vendors print in their documentation, by a part that no other key has: Stripe. Those of Amazon say
/// EXAMPLE themselves.
const PRINTED: [&str; 3] = ["bqokikjovbii2hlwgh4olfq2", "4ec39hqlyjwdarjtt1zdp7dc", "tyoomqauvdedq54nitphi7jx"];

/// Whether a value stands in for a secret rather than being one: a mark such as `xxxx`, `YOUR_` or `EXAMPLE`, a
/// reference (`<…>`, `$NAME`, `process.env.…`, `NAME_IN_CAPITALS`), a word of code, a run of sixteen or more characters in
/// ascending order or eight of the same, a key out of a vendor's documentation.
pub(crate) fn is_placeholder(s: &str) -> bool {
    let s = bare(s);
    // In long random text each mark turns up by chance; a stand-in is short or shows itself at once.
    let start = head(s, 128);
    s.is_empty()
        || WORDS.iter().any(|word| word.eq_ignore_ascii_case(s))
        || MARKS.iter().chain(&PRINTED).any(|mark| holds(start, mark))
        || reference(s)
        || runs(start)
}

/// Without the quotes and spaces about it.
fn bare(s: &str) -> &str {
    let quote = |b: &u8| matches!(b, b'"' | b'\'' | b'`' | b' ');
    let start = s.bytes().take_while(quote).count();
    let end = s.len() - s.bytes().rev().take_while(quote).count();
    s.get(start..end).unwrap_or("")
}

fn reference(s: &str) -> bool {
    let edges = (s.bytes().next(), s.bytes().next_back());
    let ends = |a, b| edges == (Some(a), Some(b)) && s.len() > 1;
    let starts = |word: &str| s.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    let name = s.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') && s.bytes().any(|b| b == b'_');
    ends(b'<', b'>')
        || ends(b'%', b'%')
        || ends(b'[', b']')
        || ends(b'{', b'}')
        || s.strip_prefix('$').is_some_and(|name| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
        || ["process.env", "os.environ", "os.getenv", "getenv(", "env.", "import.meta"].iter().any(|word| starts(word))
        || name
}

/// Whether a value that was assigned to a name is code that fetches it rather than the value: a path of names
/// (`req.body.password`, `config::KEY`, `this->token`), a call (`getpass()`, `env("KEY"`), an indexed name
/// (`settings["key"]`), a borrowed one (`&token`), a name that says what it holds (`new_password`); with what ends a
/// statement or an argument behind it or not. The last name has no digits. Only for assignments in code: a password in
/// prose may well be `zhang.san`.
pub(crate) fn is_code(s: &str) -> bool {
    const HELD: [&str; 6] = ["password", "passwd", "secret", "token", "key", "credentials"];
    let (mut names, mut letters, mut borrowed) = (0, 0, false);
    // A digit in the name that is being read.
    let mut numbered = false;
    let held = |end: usize| {
        let name = s.get(..end).unwrap_or("");
        HELD.iter().any(|word| {
            let start = name.len().saturating_sub(word.len());
            start > 0 && name.get(start..).is_some_and(|last| last.eq_ignore_ascii_case(word))
        })
    };
    for (i, b) in s.bytes().enumerate() {
        let next = s.as_bytes().get(i + 1).copied().unwrap_or(0);
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => letters += 1,
            b'0'..=b'9' if letters > 0 => numbered = true,
            b'.' | b':' | b'>' if letters == 0 && names > 0 => {}
            b'.' if letters > 0 => (names, letters, numbered) = (names + 1, 0, false),
            b':' | b'?' | b'-' if letters > 0 && matches!((b, next), (b':', b':') | (b'?', b'.') | (b'-', b'>')) => {
                (names, letters, numbered) = (names + 1, 0, false);
            }
            b'&' | b'*' | b'!' if i == 0 => borrowed = true,
            b'(' | b'[' => {
                let last = s.bytes().next_back().unwrap_or(0);
                return letters > 0 && !numbered && b"()[]{},;\"'".contains(&last);
            }
            b',' | b';' | b')' | b'}' => {
                let rest = s.bytes().skip(i).all(|b| b",;){}".contains(&b));
                return rest && letters > 0 && !numbered && (names > 0 || borrowed || held(i));
            }
            _ => return false,
        }
    }
    letters > 0 && !numbered && (names > 0 || borrowed || held(s.len()))
}

/// Eight of one character on end, or sixteen that count up (`…89ab…`, `…890…`): fewer are in keys that people make up to try things with,
/// and those may as well be hidden.
fn runs(s: &str) -> bool {
    let (mut same, mut up) = (1, 1);
    let mut last = 0;
    for b in s.bytes() {
        same = if b == last { same + 1 } else { 1 };
        let next = match last {
            b'9' => matches!(b, b'0' | b'a' | b'A'),
            b'0' => matches!(b, b'1' | b'a' | b'A'),
            b'1'..=b'8' | b'a'..=b'y' | b'A'..=b'Y' => b == last + 1,
            _ => false,
        };
        up = if next { up + 1 } else { 1 };
        if same >= 8 || up >= 16 {
            return true;
        }
        last = b;
    }
    false
}

/// The first `most` bytes, or one to three fewer where a character would be cut.
fn head(s: &str, most: usize) -> &str {
    (0..4).find_map(|less| s.get(..most.checked_sub(less)?)).unwrap_or(s)
}

/// Whether `s` holds `mark` in any case.
fn holds(s: &str, mark: &str) -> bool {
    let fits =
        |at: usize| s.as_bytes().get(at..at + mark.len()).is_some_and(|p| p.eq_ignore_ascii_case(mark.as_bytes()));
    (0..s.len()).any(fits)
}

/// Whether `s` starts a JSON web token: what precedes the first dot, or all there is so far, is base64url of the
/// beginning of a JSON object that has named `"alg"`.
pub(crate) fn jwt_header(s: &str) -> bool {
    const NAME: &[u8; 5] = b"\"alg\"";
    let (mut bits, mut held, mut place, mut matched) = (0u32, 0, 0, 0);
    for b in s.bytes().take(LOOK) {
        let six = match b {
            b'A'..=b'Z' => b - b'A',
            b'a'..=b'z' => b - b'a' + 26,
            b'0'..=b'9' => b - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return false,
        };
        bits = bits << 6 | u32::from(six);
        held += 6;
        if held < 8 {
            continue;
        }
        held -= 8;
        let byte = (bits >> held) as u8;
        bits &= (1 << held) - 1;
        let space = byte.is_ascii_whitespace();
        if place == 0 && byte != b'{' || place == 1 && byte != b'"' && !space || byte < b' ' && !space {
            return false;
        }
        if !(place == 1 && space) {
            place += 1;
        }
        // No proper start of the name is also an end of one but the quote.
        matched = match NAME.get(matched) {
            Some(expected) if *expected == byte => matched + 1,
            _ => usize::from(byte == b'"'),
        };
        if matched == NAME.len() {
            return true;
        }
    }
    false
}
