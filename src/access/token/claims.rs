//! The claims that we know, each of one type. Claims of other names are read past: they change nothing here.

use super::LEEWAY_S;
use crate::access::jwt::Refused;
use crate::json::cursor::{Cursor, Read, parse};
use crate::json::string;

/// How times may be written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Times {
    /// Digits.
    Whole,
    /// Digits with a fraction, which is cut off: Python's `time.time()`.
    Decimal,
}

/// Longest text of a claim, in bytes.
pub(super) const LONGEST: usize = 512;

#[derive(Default)]
pub(super) struct Claims {
    pub(super) iss: Option<String>,
    pub(super) sub: Option<String>,
    pub(super) aud: Option<String>,
    pub(super) jti: Option<String>,
    pub(super) api_key: Option<String>,
    pub(super) origin: Option<String>,
    pub(super) ver: Option<u64>,
    iat: Option<u64>,
    exp: Option<u64>,
    nbf: Option<u64>,
}

impl Claims {
    /// Of strict JSON. A claim of the wrong type is not passed over: whoever wrote it meant something by it.
    pub(super) fn read(json: &str, times: Times) -> Result<Claims, Refused> {
        let Raw { mut claims, iat, exp, nbf } = parse(json).ok_or(Refused::Claims)?;
        let time = |raw: Option<&str>| match raw {
            Some(raw) => seconds(raw, times).map(Some).ok_or(Refused::Claims),
            None => Ok(None),
        };
        (claims.iat, claims.exp, claims.nbf) = (time(iat)?, time(exp)?, time(nbf)?);
        Ok(claims)
    }

    /// When the token was made and when it is over.
    pub(super) fn life(&self) -> Result<(u64, u64), Refused> {
        self.iat.zip(self.exp).ok_or(Refused::Claims)
    }

    pub(super) fn check_times(&self, now_s: u64, longest_s: u64, leeway_s: u64) -> Result<(), Refused> {
        let (iat, exp) = self.life()?;
        let ahead = now_s.saturating_add(LEEWAY_S);
        if iat > ahead || self.nbf.is_some_and(|nbf| nbf > ahead) {
            return Err(Refused::Early);
        }
        // With leeway the last second counts (the clocks may be that far apart); without, a token is over on its `exp`.
        let last = if leeway_s == 0 { exp.saturating_sub(1) } else { exp.saturating_add(leeway_s) };
        if now_s > last {
            return Err(Refused::Expired);
        }
        match exp.checked_sub(iat) {
            Some(life) if life > 0 && life <= longest_s => Ok(()),
            _ => Err(Refused::Lifetime),
        }
    }
}

/// Unix seconds of a JSON number: no sign, no exponent, no zero, before the year 5138 (eleven digits).
fn seconds(raw: &str, times: Times) -> Option<u64> {
    let (whole, fraction) = match raw.split_once('.') {
        Some((whole, fraction)) if times == Times::Decimal => (whole, fraction),
        Some(_) => return None,
        None => (raw, ""),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() > 11 || !digits(whole) || !digits(fraction) {
        return None;
    }
    whole.parse().ok().filter(|seconds| *seconds > 0)
}

/// As read in one pass, the times yet as they are written.
#[derive(Default)]
struct Raw<'a> {
    claims: Claims,
    iat: Option<&'a str>,
    exp: Option<&'a str>,
    nbf: Option<&'a str>,
}

impl<'a> Read<'a> for Raw<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        let mut read = Raw::default();
        cursor.object(&mut |cursor, name| {
            let value = <&str as Read<'_>>::read(cursor)?;
            let claims = &mut read.claims;
            let text = match &*name {
                "iss" => &mut claims.iss,
                "sub" => &mut claims.sub,
                "aud" => &mut claims.aud,
                "jti" => &mut claims.jti,
                "api_key" => &mut claims.api_key,
                "origin" => &mut claims.origin,
                "iat" => return some(&mut read.iat, value),
                "exp" => return some(&mut read.exp, value),
                "nbf" => return some(&mut read.nbf, value),
                "ver" => return some(&mut claims.ver, version(value)?),
                _ => return Some(()),
            };
            let value = string::read(value)?;
            // Of the texts, only an origin may be empty: that of a ticket for clients that are no pages.
            if value.len() > LONGEST || (value.is_empty() && name != "origin") { None } else { some(text, value) }
        })?;
        Some(read)
    }
}

fn some<T>(place: &mut Option<T>, value: T) -> Option<()> {
    *place = Some(value);
    Some(())
}

fn version(raw: &str) -> Option<u64> {
    if raw.bytes().all(|byte| byte.is_ascii_digit()) { raw.parse().ok() } else { None }
}
