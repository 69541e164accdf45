//! Compiles the built-in redaction rules to two automata, so that none of it happens when a program starts.

#![allow(dead_code, unused_imports, missing_docs, unreachable_pub)]
// A build that fails is the right end for a table that is not as it should be.
#![allow(clippy::indexing_slicing)]

#[path = "src/redact/assemble.rs"]
mod assemble;
#[path = "src/redact/compile/mod.rs"]
mod compile;
#[path = "src/redact/rules.rs"]
mod rules;

use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for input in ["build.rs", "src/redact/assemble.rs", "src/redact/compile", "src/redact/rules.rs"] {
        println!("cargo::rerun-if-changed={input}");
    }
    let out = env::var("OUT_DIR")?;
    for (set, name) in rules::SETS.into_iter().enumerate() {
        let mut inputs = Vec::new();
        let mut ids = Vec::new();
        let started = std::time::Instant::now();
        for (id, rule) in rules::RULES.iter().enumerate().filter(|(_, rule)| rule.set == set) {
            inputs.push(assemble::input(rule).map_err(|why| format!("rule {}: {why:?}", rule.name))?);
            ids.push(u16::try_from(id)?);
        }
        let dfa = compile::build(&inputs, assemble::STARTS).map_err(|why| format!("{name}: {why:?}"))?;
        println!("{name}: {} states, {} classes, {:?}", dfa.accepts.len(), dfa.width, started.elapsed());
        fs::write(Path::new(&out).join([name, ".dfa"].concat()), pack(&dfa, &ids))?;
    }
    Ok(())
}

/// The form that `automaton` reads: little-endian; classes, starts, accepts, then rows as runs.
fn pack(dfa: &compile::Dfa, ids: &[u16]) -> Vec<u8> {
    let mut out = Vec::new();
    let short = |out: &mut Vec<u8>, number: usize| out.extend_from_slice(&(number as u16).to_le_bytes());
    short(&mut out, dfa.classes.len());
    for &(from, class) in &dfa.classes {
        out.extend_from_slice(&from.to_le_bytes()[..3]);
        out.push(class);
    }
    short(&mut out, dfa.width);
    short(&mut out, dfa.accepts.len());
    for &at in &dfa.starts {
        short(&mut out, usize::from(at));
    }
    for rules in &dfa.accepts {
        out.push(rules.len() as u8);
        for &rule in rules {
            out.push(ids[usize::from(rule)] as u8);
        }
    }
    for row in dfa.table.chunks(dfa.width) {
        let mut rest = row;
        while let Some(&to) = rest.first() {
            let run = rest.iter().take_while(|next| **next == to).count();
            out.push(run as u8);
            short(&mut out, usize::from(to));
            rest = &rest[run..];
        }
    }
    out
}
