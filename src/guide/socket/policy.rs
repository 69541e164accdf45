//! What a socket's shell is told to do, and the bounds of a socket.

/// What a client sends to see whether the socket lives; a platform may answer it with [`PONG`] by itself.
pub const PING: &str = r#"{"type":"ping"}"#;
/// The answer to [`PING`].
pub const PONG: &str = r#"{"type":"pong"}"#;

/// The bounds of one socket.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// One message of the client, in bytes. ### Default: 256 KiB.
    pub message_bytes: usize,
    /// Messages of the client in one second, pings too. ### Default: 20.
    pub messages_per_second: u32,
    /// Requests that may wait for the one that runs. ### Default: 4.
    pub waiting: usize,
    /// How long nothing may be asked, in milliseconds. ### Default: 5 minutes.
    pub idle_ms: u64,
    /// How long a socket lives, in milliseconds. ### Default: 1 hour.
    pub lifetime_ms: u64,
    /// How much longer, if an answer runs then. ### Default: 5 minutes, a little more than an answer's usual budget.
    pub grace_ms: u64,
    /// Unsent bytes from which on the upstream is not read. ### Default: 256 KiB.
    pub unsent_high: u64,
    /// Unsent bytes from which down it is read again. ### Default: 64 KiB.
    pub unsent_low: u64,
    /// One message to the client, in bytes: more of an answer without a line end ends it. ### Default: 8 MiB.
    pub line_bytes: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            message_bytes: 256 << 10,
            messages_per_second: 20,
            waiting: 4,
            idle_ms: 5 * 60_000,
            lifetime_ms: 60 * 60_000,
            grace_ms: 5 * 60_000,
            unsent_high: 256 << 10,
            unsent_low: 64 << 10,
            line_bytes: 8 << 20,
        }
    }
}

/// What the shell is to do. Calls go by their numbers: what comes of one that was aborted, or is over, is ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send this text message.
    Send(String),
    /// Ask for the answer to this body of `/v1/complete`, in the shape [`Shape::Socket`](crate::guide::Shape::Socket).
    Call {
        /// Its number.
        call: u32,
        /// The body.
        body: String,
    },
    /// Stop this call.
    Abort(u32),
    /// Read no more of the answer.
    Pause,
    /// Read on.
    Resume,
    /// Close the socket. The last action.
    Close {
        /// The status code.
        code: u16,
        /// The reason, for people.
        reason: &'static str,
    },
}

/// Why a key is no longer good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// It is unknown, expired or disabled.
    Unauthorized,
    /// It may not use the socket any more.
    Forbidden,
}
