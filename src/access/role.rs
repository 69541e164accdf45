//! Who may do what: one table, the only place where it is decided.

/// What a key may be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Everything.
    Administrator,
    /// Inference, and what belongs to it.
    Developer,
    /// Monitoring, read only.
    Auditor,
    /// Who sends no credential, where the configuration lets them in.
    Anonymous,
}

impl Role {
    /// Every role, in the order of the table's columns.
    pub const ALL: &'static [Role] = &[Role::Administrator, Role::Developer, Role::Auditor, Role::Anonymous];

    /// `administrator`, `developer`, `auditor` or `anonymous`.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Administrator => "administrator",
            Role::Developer => "developer",
            Role::Auditor => "auditor",
            Role::Anonymous => "anonymous",
        }
    }

    /// A role that a key can have.
    pub fn of_key(name: &str) -> Option<Role> {
        Role::ALL.iter().copied().find(|role| role.as_str() == name && *role != Role::Anonymous)
    }

    /// Whether the role may do this.
    pub fn may(self, operation: Operation) -> bool {
        TABLE.iter().find(|row| row.0 == operation).is_some_and(|row| row.2.contains(&self))
    }
}

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $model:literal, [$($role:ident),*];)*) => {
        /// What can be done at the gate, as far as rights are concerned. A route is one operation; keys can be limited to some.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Operation { $($(#[$doc])* $name,)* }

        /// The role table: an operation, its name, who may.
        const TABLE: &[(Operation, &str, &[Role])] = &[$((Operation::$name, $text, &[$(Role::$role),*]),)*];

        impl Operation {
            /// Every operation.
            pub const ALL: &'static [Operation] = &[$(Operation::$name,)*];

            /// The name in configurations, keys and logs.
            pub fn as_str(self) -> &'static str { match self { $(Operation::$name => $text,)* } }

            /// Whether a model is asked: what is counted against limits, and what a key may be limited to.
            pub fn is_inference(self) -> bool { match self { $(Operation::$name => $model,)* } }
        }
    };
}

operations! {
    /// `POST /v1/chat/completions`
    ChatCompletions = "chat_completions", true, [Administrator, Developer, Anonymous];
    /// `POST /v1/completions`
    Completions = "completions", true, [Administrator, Developer, Anonymous];
    /// `POST /v1/models/{model}/infer`
    Infer = "infer", true, [Administrator, Developer, Anonymous];
    /// `POST /v1/complete`
    Complete = "complete", true, [Administrator, Developer, Anonymous];
    /// `POST /v1/batch`
    Batch = "batch", true, [Administrator, Developer, Anonymous];
    /// `GET /v1/stream`, the WebSocket
    Stream = "stream", true, [Administrator, Developer, Anonymous];
    /// `POST /v1/embeddings`
    Embeddings = "embeddings", true, [Administrator, Developer];
    /// `POST /v1/rerank`
    Rerank = "rerank", true, [Administrator, Developer];
    /// `POST /v1/images/generations`
    Images = "images", true, [Administrator, Developer];
    /// `POST /v1/audio/*`
    Audio = "audio", true, [Administrator, Developer];
    /// `POST /v1/responses`
    Responses = "responses", true, [Administrator, Developer];
    /// `POST /v1/messages`
    Messages = "messages", true, [Administrator, Developer];
    /// `GET` and `DELETE /v1/streams/{id}`: the rest of one's own stream
    Resume = "resume", false, [Administrator, Developer, Anonymous];
    /// `GET /v1/models`, `GET /v1/models/{model}`
    Models = "models", false, [Administrator, Developer, Auditor, Anonymous];
    /// `GET /v1/models/{model}/status`
    Status = "status", false, [Administrator, Developer, Auditor, Anonymous];
    /// `POST /v1/datasets`, `DELETE /v1/datasets/{id}`
    DatasetsWrite = "datasets_write", false, [Administrator, Developer];
    /// `GET /v1/datasets`, `GET /v1/datasets/{id}`: one's own
    DatasetsRead = "datasets_read", false, [Administrator, Developer];
    /// `POST /auth/revoke`, `POST /auth/ticket`: of one's own tokens
    Tokens = "tokens", false, [Administrator, Developer, Auditor];
    /// `GET` and `DELETE /admin/session`: one's own
    Session = "session", false, [Administrator, Developer, Auditor];
    /// `GET /admin/keys`, `GET /admin/keys/{id}`
    KeysRead = "keys_read", false, [Administrator, Auditor];
    /// `POST` and `PATCH` at `/admin/keys`
    KeysWrite = "keys_write", false, [Administrator];
    /// `GET /admin/usage`, `GET /admin/keys/{id}/usage`
    Usage = "usage", false, [Administrator, Auditor];
    /// `GET /admin/roles`, `GET /admin/limits`
    Roles = "roles", false, [Administrator, Auditor];
}

impl Operation {
    /// The operation of a name.
    pub fn of_name(name: &str) -> Option<Operation> {
        TABLE.iter().find(|row| row.1 == name).map(|row| row.0)
    }
}
