//! The request at hand: its parts, read once, and what is refused about its form.

use crate::js;
use core::ops::Range;
use sluicegate::{Error, ErrorKind};
use web_sys::Request;

/// Headers in which a caller may send a credential.
pub(crate) const CREDENTIALS: [&str; 3] = ["authorization", "x-api-key", "api-key"];

/// A request and the parts of its head.
pub(crate) struct Visit {
    request: Request,
    /// Method, address, then name and value of each header: a line each.
    head: String,
    host: Range<usize>,
    path: Range<usize>,
    query: Range<usize>,
}

impl Visit {
    pub(crate) fn new(request: Request) -> Self {
        let head = js::head_of(&request);
        let find = |from: usize, what: &[char]| {
            let rest = head.get(from..).unwrap_or_default();
            from + rest.find(what).unwrap_or(rest.len())
        };
        let url = find(0, &['\n']) + 1;
        let end = find(url, &['\n']);
        let host = find(url, &[':']) + 3;
        let path = find(host, &['/', '?', '#', '\n']);
        let query = find(path, &['?', '#', '\n']);
        Visit { host: host..path, path: path..query, query: query..end, head, request }
    }

    fn part(&self, range: &Range<usize>) -> &str {
        self.head.get(range.clone()).unwrap_or_default()
    }

    pub(crate) fn request(&self) -> &Request {
        &self.request
    }

    pub(crate) fn method(&self) -> &str {
        self.head.split('\n').next().unwrap_or_default()
    }

    /// Scheme, host and port.
    pub(crate) fn origin(&self) -> &str {
        self.head.get(self.method().len() + 1..self.host.end).unwrap_or_default()
    }

    pub(crate) fn host(&self) -> &str {
        self.part(&self.host)
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.origin().starts_with("https:")
    }

    /// As it was sent: nothing is decoded or joined, so that only one spelling of a path is a route.
    pub(crate) fn path(&self) -> &str {
        self.part(&self.path)
    }

    /// A header's value; two of a name come joined by a comma.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.get(self.query.end + 1..)?.split('\n');
        while let (Some(key), Some(value)) = (lines.next(), lines.next()) {
            if key == name {
                return Some(value);
            }
        }
        None
    }

    /// What the caller sends in the places of credentials, as one text: the same for all requests of one caller.
    pub(crate) fn credentials(&self) -> String {
        CREDENTIALS.map(|name| self.header(name).unwrap_or_default()).join("\n")
    }

    /// The first value of a name in the address, as it was sent.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let query = self.part(&self.query).strip_prefix('?')?;
        let query = query.split('#').next().unwrap_or_default();
        query.split('&').find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value))
    }

    /// Refuses what is too large in its head, and credentials in the address, where every log on the way keeps them.
    pub(crate) fn check_head(&self, limit: usize) -> Result<(), Error> {
        if self.head.len() > limit {
            let message = format!("The address and headers are larger than the limit of {limit} bytes.");
            return Err(Error::new(ErrorKind::HeadersTooLarge, message));
        }
        let query = self.part(&self.query).trim_start_matches('?');
        let names = query.split(['&', ';', '#']).map(|pair| pair.split('=').next().unwrap_or_default());
        for name in names {
            let folded: String =
                name.chars().filter(|c| c.is_ascii_alphanumeric()).collect::<String>().to_ascii_lowercase();
            if matches!(folded.as_str(), "key" | "apikey" | "token" | "accesstoken" | "authorization" | "secret") {
                let message = "A credential does not belong into the address; send it as `Authorization: Bearer …`.";
                return Err(Error::new(ErrorKind::InvalidRequest, message).with_param("query"));
            }
        }
        Ok(())
    }

    /// The caller's key for sending the same request twice, to be handed on.
    pub(crate) fn idempotency_key(&self) -> Result<Option<String>, Error> {
        match self.header("idempotency-key") {
            Some(key) if key.is_empty() || key.len() > 255 || !key.bytes().all(|byte| byte.is_ascii_graphic()) => {
                let message = "Expected 1 to 255 visible ASCII characters.";
                Err(Error::new(ErrorKind::InvalidRequest, message).with_param("idempotency-key"))
            }
            key => Ok(key.map(str::to_owned)),
        }
    }

    /// A header of a protocol, to be handed on; what is no plain list of names is left out.
    pub(crate) fn protocol_header(&self, name: &str) -> Option<String> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b',' | b' ' | b'_');
        self.header(name).filter(|value| value.len() <= 256 && value.bytes().all(is_plain)).map(str::to_owned)
    }

    /// Refuses a body that is not plain JSON by what its headers say.
    pub(crate) fn check_media(&self) -> Result<(), Error> {
        self.check_body("application/json")
    }

    /// Refuses a body that is not plainly of a media type by what its headers say.
    pub(crate) fn check_body(&self, wanted: &str) -> Result<(), Error> {
        let media = self.header("content-type").unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().trim();
        if !media.eq_ignore_ascii_case(wanted) {
            let message = ["The body has to be ", wanted, "."].concat();
            return Err(Error::new(ErrorKind::UnsupportedMediaType, message).with_param("content-type"));
        }
        self.check_encoding()
    }

    /// Refuses a compressed body by what its headers say.
    pub(crate) fn check_encoding(&self) -> Result<(), Error> {
        if self.header("content-encoding").is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
            let message = "Compressed bodies are not taken.";
            return Err(Error::new(ErrorKind::UnsupportedMediaType, message).with_param("content-encoding"));
        }
        Ok(())
    }
}
