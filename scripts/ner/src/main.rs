//! `train DATA MODEL` makes the names model, `eval DATA MODEL` judges it, `show MODEL` marks the lines of the standard input.

mod corpus;
mod judge;
mod perceptron;
mod train;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["train", data, model] => train::train(Path::new(data), Path::new(model)),
        ["eval", data, model] => judge::judge(Path::new(data), Path::new(model)),
        ["show", model] => judge::show(Path::new(model)),
        _ => Err("train DATA MODEL | eval DATA MODEL | show MODEL".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
