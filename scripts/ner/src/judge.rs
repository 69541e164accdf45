//! How well a model does: whole entities, exactly as marked in the corpora.

use std::io::BufRead;
use std::path::Path;
use std::time::Instant;

use sluicegate::redact::ner::{Kind, Mark, Model, Tagging};

use crate::corpus;

const TESTS: &[&str] = &["msra.test", "daily.test", "conll.test", "tweets.test"];
const CLEAN: &[&str] = &["prose_en.clean", "prose_zh.clean", "code.clean"];
const KINDS: [(Kind, &str); 3] = [(Kind::Person, "PER"), (Kind::Place, "LOC"), (Kind::Organisation, "ORG")];
const BIASES: [i8; 7] = [-16, -8, 0, 8, 16, 32, 64];

#[derive(Default, Clone, Copy)]
struct Count {
    right: usize,
    marked: usize,
    there: usize,
    /// Characters of entities, and those of them under a mark of any kind.
    chars: usize,
    covered: usize,
}

pub fn judge(home: &Path, model: &Path) -> Result<(), String> {
    let model = load(model)?;
    println!("corpus         kind   precision recall  F1      covered  (entities)");
    for name in TESTS {
        let counts = count(&model, home, name, 0)?;
        for (at, (_, kind)) in KINDS.iter().enumerate() {
            // Its places stand inside unmarked organisations too.
            if *name == "daily.test" && *kind != "PER" {
                continue;
            }
            line(name, kind, counts[at]);
        }
    }
    println!("\nPER at other biases: precision/recall/covered");
    for name in TESTS {
        print!("{name:14}");
        for bias in BIASES {
            let c = count(&model, home, name, bias)?[0];
            print!(
                " {bias:+}: {:.2}/{:.2}/{:.2} ",
                part(c.right, c.marked),
                part(c.right, c.there),
                part(c.covered, c.chars)
            );
        }
        println!();
    }
    println!("\nfalse marks per 100 KB of text without names, at bias 0, 16, 32 (PER LOC ORG)");
    for name in CLEAN {
        let texts = corpus::read(home, name)?;
        let bytes: usize = texts.iter().map(|text| text.text.len()).sum();
        print!("{name:14} {:4} KB", bytes / 1000);
        for bias in [0, 16, 32] {
            let mut false_marks = [0usize; 3];
            for text in &texts {
                for mark in tag(&model, &text.text, bias) {
                    false_marks[mark.kind as usize] += 1;
                }
            }
            let [a, b, c] = false_marks.map(|n| n as f64 * 100_000.0 / bytes as f64);
            print!("   {a:.1} {b:.1} {c:.1}");
        }
        println!();
    }
    speed(&model, home)
}

fn load(path: &Path) -> Result<Model, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Model::load(&bytes).map_err(|error| error.to_string())
}

fn tag(model: &Model, text: &str, bias: i8) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut tagging = Tagging::new(bias);
    for (at, c) in text.char_indices() {
        tagging.push(model, c, at, &mut marks);
    }
    tagging.finish(model, &mut marks);
    marks
}

fn count(model: &Model, home: &Path, name: &str, bias: i8) -> Result<[Count; 3], String> {
    let mut counts = [Count::default(); 3];
    for text in corpus::read(home, name)? {
        let marks = tag(model, &text.text, bias);
        for mark in &marks {
            let count = &mut counts[mark.kind as usize];
            count.marked += 1;
            count.right += usize::from(text.entities.contains(&(mark.start, mark.end, mark.kind)));
        }
        for (start, end, kind) in &text.entities {
            let count = &mut counts[*kind as usize];
            count.there += 1;
            for (at, _) in text.text[*start..*end].char_indices() {
                count.chars += 1;
                count.covered += usize::from(marks.iter().any(|mark| (mark.start..mark.end).contains(&(start + at))));
            }
        }
    }
    Ok(counts)
}

fn part(a: usize, b: usize) -> f64 {
    a as f64 / b.max(1) as f64
}

fn line(name: &str, kind: &str, c: Count) {
    let (precision, recall) = (part(c.right, c.marked), part(c.right, c.there));
    let f1 = 2.0 * precision * recall / (precision + recall).max(1e-9);
    println!(
        "{name:14} {kind}    {precision:.3}     {recall:.3}   {f1:.3}   {:.3}    ({})",
        part(c.covered, c.chars),
        c.there
    );
}

fn speed(model: &Model, home: &Path) -> Result<(), String> {
    println!();
    for name in ["msra.test", "conll.test", "prose_en.clean", "code.clean"] {
        let all: Vec<String> = corpus::read(home, name)?.into_iter().map(|text| text.text).collect();
        let all = all.join("\n");
        let begun = Instant::now();
        let marks = tag(model, &all, 0).len();
        let seconds = begun.elapsed().as_secs_f64();
        println!("{name:14} {:.1} MB/s ({marks} marks)", all.len() as f64 / 1e6 / seconds);
    }
    Ok(())
}

pub fn show(model: &Path) -> Result<(), String> {
    let model = load(model)?;
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| error.to_string())?;
        print!("{line}\n   ");
        for mark in tag(&model, &line, 0) {
            print!(" {:?}[{}]{}", mark.kind, &line[mark.start..mark.end], mark.score);
        }
        println!();
    }
    Ok(())
}
