//! Reading text from left to right without ever stepping outside it.

/// A place in a text.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    text: &'a str,
    /// Offset in bytes; always at a character's begin as long as only whole characters are taken.
    pub at: usize,
}

/// A letter, a digit or an underscore.
pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

impl<'a> Cursor<'a> {
    /// At this offset.
    pub fn new(text: &'a str, at: usize) -> Cursor<'a> {
        Cursor { text, at }
    }

    /// The next byte.
    pub fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// True where a word goes on.
    pub fn at_word(&self) -> bool {
        self.peek().is_some_and(is_word)
    }

    /// Takes an ASCII byte that fits.
    pub fn take(&mut self, fits: impl Fn(u8) -> bool) -> Option<u8> {
        let byte = self.peek().filter(|b| b.is_ascii() && fits(*b))?;
        self.at += 1;
        Some(byte)
    }

    /// Takes this ASCII byte, if it is the next one.
    pub fn byte(&mut self, byte: u8) -> bool {
        self.take(|b| b == byte).is_some()
    }

    /// Takes this text, if it comes next.
    pub fn word(&mut self, word: &str) -> bool {
        let next = self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes()));
        if next {
            self.at += word.len();
        }
        next
    }

    /// Takes this word, if it comes next and ends there.
    pub fn whole_word(&mut self, word: &str) -> bool {
        self.word(word) && !self.at_word()
    }

    /// Takes spaces and tabs.
    pub fn spaces(&mut self) {
        while self.take(|b| b == b' ' || b == b'\t').is_some() {}
    }

    /// A number of so many digits, taken as far as they go; none when there are fewer, or more.
    pub fn digits(&mut self, least: usize, most: usize) -> Option<u32> {
        let from = self.at;
        while self.at < from + most && self.take(|b| b.is_ascii_digit()).is_some() {}
        let taken = self.text.get(from..self.at).filter(|t| t.len() >= least).and_then(|t| t.parse().ok());
        if taken.is_none() {
            self.at = from;
        }
        taken
    }

    /// Digits of a fraction of a second as milliseconds; what is finer is cut off.
    pub fn fraction(&mut self) -> Option<u32> {
        let from = self.at;
        while self.take(|b| b.is_ascii_digit()).is_some() {}
        let digits = self.text.get(from..self.at).filter(|d| !d.is_empty())?;
        format!("{digits:0<3}").get(..3)?.parse().ok()
    }

    /// Letters of ASCII.
    pub fn letters(&mut self) -> Option<&'a str> {
        let from = self.at;
        while self.take(|b| b.is_ascii_alphabetic()).is_some() {}
        self.text.get(from..self.at).filter(|t| !t.is_empty())
    }
}

/// Full-width letters, digits and signs as ASCII, and other spaces as spaces: what input methods put between Chinese characters.
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
            '\u{3000}' | '\u{a0}' | '\u{202f}' | '\u{feff}' => ' ',
            '。' => '.',
            '“' | '”' => '"',
            '→' => '>',
            c => c,
        })
        .collect()
}
