//! stand-in
use crate::error::Error;
/// m
#[derive(Debug, Clone)]
pub struct Model;
impl Model {
    /// l
    pub fn load(_: &[u8]) -> Result<Model, Error> {
        Ok(Model)
    }
}
/// k
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// p
    Person,
    /// p
    Place,
    /// o
    Organisation,
}
/// m
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// k
    pub kind: Kind,
    /// s
    pub start: usize,
    /// e
    pub end: usize,
    /// s
    pub score: u8,
}
/// t
#[derive(Clone, Debug)]
pub struct Tagging;
impl Tagging {
    /// n
    pub fn new(_bias: i8) -> Self {
        Tagging
    }
    /// p
    pub fn push(&mut self, _: &Model, _: char, _: usize, _: &mut Vec<Mark>) {}
    /// f
    pub fn finish(&mut self, _: &Model, _: &mut Vec<Mark>) {}
    /// h
    pub fn held_from(&self) -> Option<usize> {
        None
    }
}
