//! Lines of a file of any length. A line that is too long is passed over without being held in memory.

use std::io::{BufRead, ErrorKind, Result};

/// In octets, without the line's end. A person has some hundreds.
const MAX_OCTETS: usize = 64 * 1024;

/// As some editors and spreadsheets begin a file in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

pub(super) struct Lines<R> {
    source: R,
    number: u64,
    line: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, number: 0, line: Vec::new() }
    }

    /// The next line that is not blank, and its number; a line that is no text is told in words.
    pub(super) fn next(&mut self) -> Result<Option<(u64, std::result::Result<&str, String>)>> {
        loop {
            let Some(is_whole) = self.fill()? else { return Ok(None) };
            self.number += 1;
            if self.number == 1 && self.line.starts_with(BYTE_ORDER_MARK) {
                self.line.drain(..BYTE_ORDER_MARK.len());
            }
            if !is_whole || !self.line.trim_ascii().is_empty() {
                return Ok(Some((self.number, self.text(is_whole))));
            }
        }
    }

    fn text(&self, is_whole: bool) -> std::result::Result<&str, String> {
        if !is_whole {
            return Err(format!("is longer than {MAX_OCTETS} octets"));
        }
        std::str::from_utf8(&self.line).map_err(|_| "is not UTF-8".to_owned())
    }

    /// Reads to the end of a line. False when it was too long, and then only its beginning is kept.
    fn fill(&mut self) -> Result<Option<bool>> {
        self.line.clear();
        let (mut is_whole, mut has_begun) = (true, false);
        loop {
            let piece = match self.source.fill_buf() {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                piece => piece?,
            };
            if piece.is_empty() {
                return Ok(has_begun.then_some(is_whole));
            }
            has_begun = true;
            let end = piece.iter().position(|byte| *byte == b'\n');
            let part = &piece[..end.unwrap_or(piece.len())];
            is_whole &= self.line.len() + part.len() <= MAX_OCTETS;
            if is_whole {
                self.line.extend_from_slice(part);
            }
            let read = end.map_or(piece.len(), |end| end + 1);
            self.source.consume(read);
            if end.is_some() {
                return Ok(Some(is_whole));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    /// Through a small buffer, so that lines come in pieces.
    fn read(text: &[u8]) -> Vec<(u64, std::result::Result<String, String>)> {
        let mut lines = Lines::new(BufReader::with_capacity(7, text));
        let mut found = Vec::new();
        while let Some((number, line)) = lines.next().expect("a source that can be read") {
            found.push((number, line.map(|line| line.trim_end().to_owned())));
        }
        found
    }

    #[test]
    fn lines_keep_their_numbers_and_blank_ones_are_passed_over() {
        let ok = |text: &str| Ok(text.to_owned());
        assert_eq!(
            read(b"\xef\xbb\xbfone\r\n\n  \t\r\ntwo\nthree"),
            [(1, ok("one")), (4, ok("two")), (5, ok("three"))]
        );
        assert_eq!(read(b""), []);
        assert_eq!(read(b"\xef\xbb\xbf\n\n"), []);
    }

    #[test]
    fn a_line_that_is_too_long_or_no_text_is_told_and_the_next_one_is_read() {
        let long = "x".repeat(MAX_OCTETS);
        let found = read(format!("{long}\n{long}y\nnext").as_bytes());
        assert_eq!(found[0], (1, Ok(long)));
        assert_eq!(found[1], (2, Err("is longer than 65536 octets".to_owned())));
        assert_eq!(found[2], (3, Ok("next".to_owned())));
        assert_eq!(read(b"a\xff\nb"), [(1, Err("is not UTF-8".to_owned())), (2, Ok("b".to_owned()))]);
    }
}
