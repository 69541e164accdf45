//! Any body under any content type, cut anywhere: taken or refused the same way as in one piece, never a panic; what is handed on is
//! lines of JSON, as many as are told.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluicegate::Error;
use sluicegate::dataset::{Limits, Shape, Upload};

/// Bytes, lines, hash, shape, name.
type Known = (u64, u64, [u8; 32], Shape, Option<String>);

fn run(content_type: &str, pieces: &[&[u8]]) -> (Result<Known, Error>, Vec<u8>) {
    let mut stored = Vec::new();
    let result = Upload::new(content_type, Limits::default(), None).and_then(|mut upload| {
        for piece in pieces {
            upload.push(piece, &mut |line| {
                assert!(std::str::from_utf8(line).is_ok_and(|line| !line.trim().is_empty()));
                stored.extend_from_slice(line);
                Ok(())
            })?;
        }
        upload.finish().map(|all| (all.bytes, all.lines, all.sha256, all.shape, all.filename))
    });
    (result, stored)
}

fuzz_target!(|input: (bool, &str, u16, &[u8])| {
    let (whole, content_type, at, body) = input;
    // Most runs get to the file: what is given is then the rest of a body that began well.
    let head: &[u8] = b"--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n";
    let known = "multipart/form-data; boundary=x";
    let (content_type, body) = if whole { (content_type, body.to_vec()) } else { (known, [head, body].concat()) };
    let (left, right) = body.split_at(usize::from(at).min(body.len()));
    let (result, stored) = run(content_type, &[&body]);
    assert_eq!((result.clone(), stored.clone()), run(content_type, &[left, right]), "a cut makes no difference");
    let bytes: Vec<&[u8]> = body.chunks(1).collect();
    assert_eq!((result.clone(), stored.clone()), run(content_type, &bytes), "nor do many");
    if let Ok((bytes, lines, ..)) = result {
        assert_eq!(bytes, stored.len() as u64);
        assert_eq!(lines, stored.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).count() as u64);
    }
});
