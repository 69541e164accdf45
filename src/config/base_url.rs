//! Where an upstream is: an address that no parser reads in two ways and that cannot point back into a private network.
//!
//! A Worker can neither resolve a name before it connects nor see what it connected to, so the configured name is the
//! whole defence. Instead of normalising odd forms (`127.1`, full-width digits, `\@`, tabs), they are refused: what is left has
//! one reading.

/// An upstream's base address, normalised: `https://host/path` without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    text: String,
    host: core::ops::Range<usize>,
}

/// Top-level names that are never public, and services that turn a name into any address.
const REFUSED_SUFFIXES: [&str; 13] = [
    "local",
    "localhost",
    "localdomain",
    "internal",
    "intranet",
    "lan",
    "home",
    "corp",
    "arpa",
    "test",
    "invalid",
    "example",
    "onion",
];
const REBINDING_SERVICES: [&str; 6] = ["nip.io", "sslip.io", "xip.io", "lvh.me", "localtest.me", "traefik.me"];

impl BaseUrl {
    /// Reads an address. `development` also allows plain http to the loopback interface, on any port.
    ///
    /// The error is what was expected, to go behind "Expected ".
    pub fn parse(text: &str, development: bool) -> Result<Self, &'static str> {
        let plain = |byte: u8| {
            byte.is_ascii_graphic()
                && !matches!(
                    byte,
                    b'\\' | b'@' | b'?' | b'#' | b'%' | b'"' | b'<' | b'>' | b'`' | b'{' | b'}' | b'|' | b'^'
                )
        };
        if text.len() > 512 || !text.bytes().all(plain) {
            return Err("at most 512 plain ASCII characters, without user name, query, fragment, % or \\");
        }
        let Some((scheme, rest)) = text.split_once("://") else { return Err("https://host/path") };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let authority = authority.to_ascii_lowercase();
        if scheme.eq_ignore_ascii_case("https") {
            let host = authority.strip_suffix(":443").unwrap_or(&authority);
            check_host(host)?;
            Self::join("https", host, path)
        } else if scheme.eq_ignore_ascii_case("http") && is_loopback(&authority) {
            if !development {
                return Err("https; http on loopback only with \"development\": true");
            }
            Self::join("http", &authority, path)
        } else {
            Err("https")
        }
    }

    fn join(scheme: &str, authority: &str, path: &str) -> Result<Self, &'static str> {
        let path = path.strip_suffix('/').unwrap_or(path);
        let mut segments = path.split('/');
        segments.next();
        if segments.any(|segment| {
            let unreserved =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':' | b'+');
            matches!(segment, "" | "." | "..") || !segment.bytes().all(unreserved)
        }) {
            return Err("a path of plain segments, without empty ones, `.` or `..`");
        }
        let start = scheme.len() + 3;
        Ok(BaseUrl { text: format!("{scheme}://{authority}{path}"), host: start..start + authority.len() })
    }

    /// The whole address, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host; with its port, where that is not the scheme's own.
    pub fn host(&self) -> &str {
        self.text.get(self.host.clone()).unwrap_or_default()
    }
}

fn is_loopback(authority: &str) -> bool {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (authority, "80"),
    };
    let port_is_fine =
        !port.starts_with('0') && port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    port_is_fine && matches!(host, "127.0.0.1" | "localhost" | "[::1]")
}

fn check_host(host: &str) -> Result<(), &'static str> {
    if host.contains([':', '[', ']']) {
        return Err("port 443 and a host name, no IP address");
    }
    let labels: Vec<&str> = host.split('.').collect();
    let is_label = |label: &&str| {
        let tail = label.strip_prefix("xn--").unwrap_or(label);
        (1..=63).contains(&label.len())
            && !tail.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if host.len() > 253 || labels.len() < 2 || !labels.iter().all(is_label) {
        return Err("a full host name, like api.example.com");
    }
    let top = labels.last().copied().unwrap_or_default();
    // WHATWG reads every host whose last label is a number as an IPv4 address; no top-level name starts with a digit.
    let holds_address = labels.windows(4).any(|four| four.iter().all(|label| is_number(label)))
        || labels.iter().any(|label| {
            label.split('-').collect::<Vec<_>>().windows(4).any(|four| four.iter().all(|part| is_number(part)))
        });
    if top.starts_with(|first: char| first.is_ascii_digit()) || holds_address {
        return Err("a host name, no IP address");
    }
    let is_under =
        |suffix: &&str| host.strip_suffix(*suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    if REFUSED_SUFFIXES.contains(&top) || REBINDING_SERVICES.iter().any(is_under) {
        return Err("a public host name");
    }
    Ok(())
}

fn is_number(label: &str) -> bool {
    (1..=3).contains(&label.len()) && label.bytes().all(|byte| byte.is_ascii_digit())
}
