//! A batch of deltas: records over one string, so that a whole network chunk crosses into JavaScript at once.

/// One piece of an answer, borrowed from its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delta<'a> {
    /// Text of the answer.
    Text {
        /// The choice's index.
        choice: u32,
        /// The piece.
        text: &'a str,
    },
    /// The model's reasoning (`reasoning_content`, `reasoning`, or inside `<think>`).
    Reasoning {
        /// The choice's index.
        choice: u32,
        /// The piece.
        text: &'a str,
    },
    /// A refusal (`refusal` of OpenAI).
    Refusal {
        /// The choice's index.
        choice: u32,
        /// The piece.
        text: &'a str,
    },
    /// A piece of a tool call.
    ToolCall {
        /// The choice's index.
        choice: u32,
        /// The call's index in its choice.
        index: u32,
        /// The call's id, once, when it is first known; else empty.
        id: &'a str,
        /// The function's name, once, when it is first known; else empty.
        name: &'a str,
        /// A piece of the arguments' JSON text.
        arguments: &'a str,
    },
    /// Something the caller may want to know, with a stable code.
    Notice {
        /// What it says.
        code: Notice,
        /// More about it; may be empty.
        detail: &'a str,
    },
}

/// What a notice says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
#[non_exhaustive]
pub enum Notice {
    /// The stream's last event lacked its blank line; it was read all the same.
    UnterminatedEvent = 0,
    /// The stream ended without `[DONE]`, but with a finish reason.
    MissingDone = 1,
    /// A `<think>` was never closed: all that followed was taken as reasoning.
    UnclosedThink = 2,
    /// A request field was changed or left out for this upstream; the detail names it.
    RequestChanged = 3,
    /// The request was sent again to the same route.
    Retried = 4,
    /// Another route answers.
    FellBack = 5,
    /// The answer broke off and was gone on with: the seam is here.
    Continued = 6,
    /// The answer begins anew: what came before is to be forgotten.
    Restarted = 7,
    /// A second request was made because the first was slow, and answers.
    Hedged = 8,
    /// What another gate on the way says about its part of the call.
    Upstream = 9,
    /// The connection broke, and the same stream went on over another.
    Resumed = 10,
}

impl Notice {
    /// Every notice; a notice's number is its place here.
    pub const ALL: &'static [Notice] = &[
        Notice::UnterminatedEvent,
        Notice::MissingDone,
        Notice::UnclosedThink,
        Notice::RequestChanged,
        Notice::Retried,
        Notice::FellBack,
        Notice::Continued,
        Notice::Restarted,
        Notice::Hedged,
        Notice::Upstream,
        Notice::Resumed,
    ];

    /// `unterminated_event`, `missing_done`, `unclosed_think`, `request_changed`, `retried`, `fell_back`, `continued`, `restarted`,
    /// `hedged`, `upstream` or `resumed`.
    pub fn code(self) -> &'static str {
        match self {
            Notice::UnterminatedEvent => "unterminated_event",
            Notice::MissingDone => "missing_done",
            Notice::UnclosedThink => "unclosed_think",
            Notice::RequestChanged => "request_changed",
            Notice::Retried => "retried",
            Notice::FellBack => "fell_back",
            Notice::Continued => "continued",
            Notice::Restarted => "restarted",
            Notice::Hedged => "hedged",
            Notice::Upstream => "upstream",
            Notice::Resumed => "resumed",
        }
    }
}

/// Which variant of [`Delta`] a [`Record`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum DeltaKind {
    /// [`Delta::Text`]
    Text = 0,
    /// [`Delta::Reasoning`]
    Reasoning = 1,
    /// [`Delta::Refusal`]
    Refusal = 2,
    /// [`Delta::ToolCall`]: three lengths, id, name, arguments, one after the other.
    ToolCall = 3,
    /// [`Delta::Notice`]: `index` is the [`Notice`]'s number.
    Notice = 4,
}

/// One delta of a batch, as numbers: its text is the next `id_len + name_len + len` bytes of the batch's string.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Record {
    /// The variant.
    pub kind: DeltaKind,
    /// The choice's index.
    pub choice: u32,
    /// The tool call's index, or the notice's number.
    pub index: u32,
    /// Bytes of the id (tool calls), which come first.
    pub id_len: u32,
    /// Bytes of the name (tool calls), which come second.
    pub name_len: u32,
    /// Bytes of the text, arguments or detail.
    pub len: u32,
}

/// A batch of deltas. Cleared and reused by its owner, so that the usual event allocates nothing.
#[derive(Debug, Default)]
pub struct Deltas {
    text: String,
    records: Vec<Record>,
}

impl Deltas {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets the deltas, keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.records.clear();
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// How many deltas there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// The text of all deltas, one after the other.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The deltas as numbers.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Appends a delta. Its texts must be shorter than 4 GiB, which the limits of a reply see to.
    #[inline]
    pub fn push(&mut self, delta: Delta<'_>) {
        let mut record = Record { kind: DeltaKind::Text, choice: 0, index: 0, id_len: 0, name_len: 0, len: 0 };
        let text = match delta {
            Delta::Text { choice, text } => {
                record.choice = choice;
                text
            }
            Delta::Reasoning { choice, text } => {
                record.kind = DeltaKind::Reasoning;
                record.choice = choice;
                text
            }
            Delta::Refusal { choice, text } => {
                record.kind = DeltaKind::Refusal;
                record.choice = choice;
                text
            }
            Delta::ToolCall { choice, index, id, name, arguments } => {
                record.kind = DeltaKind::ToolCall;
                record.choice = choice;
                record.index = index;
                record.id_len = id.len() as u32;
                record.name_len = name.len() as u32;
                self.text.push_str(id);
                self.text.push_str(name);
                arguments
            }
            Delta::Notice { code, detail } => {
                record.kind = DeltaKind::Notice;
                record.index = code as u32;
                detail
            }
        };
        record.len = text.len() as u32;
        self.text.push_str(text);
        self.records.push(record);
    }

    /// The deltas, in order.
    pub fn iter(&self) -> impl Iterator<Item = Delta<'_>> {
        let mut rest = self.text.as_str();
        self.records.iter().map(move |record| {
            let mut take = |len: u32| {
                let (head, tail) = rest.split_at_checked(len as usize).unwrap_or((rest, ""));
                rest = tail;
                head
            };
            let (id, name, text) = (take(record.id_len), take(record.name_len), take(record.len));
            match record.kind {
                DeltaKind::Text => Delta::Text { choice: record.choice, text },
                DeltaKind::Reasoning => Delta::Reasoning { choice: record.choice, text },
                DeltaKind::Refusal => Delta::Refusal { choice: record.choice, text },
                DeltaKind::ToolCall => {
                    Delta::ToolCall { choice: record.choice, index: record.index, id, name, arguments: text }
                }
                DeltaKind::Notice => Delta::Notice {
                    code: Notice::ALL.get(record.index as usize).copied().unwrap_or(Notice::RequestChanged),
                    detail: text,
                },
            }
        })
    }
}
