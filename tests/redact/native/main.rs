//! Texts as JSON strings, one a line, on standard input; what the core finds in them, as JSON, one a line, on standard output.
//!
//! Positions count UTF-16 units. All packs of the evaluation set are on; what goes out is in `text`, with labels.
use serde_json::{Value, json};
use sluicegate::redact::{Mode, Pack, Policy, Redactor, Session, Tally};
use std::io::{BufRead, BufWriter, Write};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let packs = vec![Pack::All, Pack::Cn, Pack::Us, Pack::Uk];
    let redactor = Redactor::new(Policy { packs, mode: Mode::Irreversible, ..Policy::default() })
        .map_err(|error| error.to_string())?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    // Those who wait for it write nothing until it is ready.
    writeln!(out, "{{}}")?;
    out.flush()?;
    for line in std::io::stdin().lock().lines() {
        let text: String = serde_json::from_str(&line?)?;
        let masked = redactor.mask(&text, &mut Session::new(&[0; 32]), &mut Tally::default());
        let findings: Vec<Value> = masked
            .findings
            .iter()
            .map(|found| {
                let wide = |end: usize| text[..end].encode_utf16().count();
                json!({
                    "type": redactor.policy().key(found.entity), "start": wide(found.start), "end": wide(found.end),
                    "rule": redactor.rule_name(found.rule), "score": f64::from(found.score) / 100.0,
                })
            })
            .collect();
        writeln!(out, "{}", json!({ "findings": findings, "text": masked.text }))?;
        out.flush()?;
    }
    Ok(())
}
