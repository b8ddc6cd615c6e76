//! What a harness says: the words of its caller and of its child, and what they mean in the book's words.

/// The words of an exercise's harness; each message begins with one.
pub struct Language {
    /// What the caller says, on standard input.
    pub caller: &'static [(&'static str, &'static str)],
    /// What its child says, on standard output.
    pub child: &'static [(&'static str, &'static str)],
    /// An error that says more than the check which met it: the hint that belongs to such a message.
    pub diagnosis: fn(&str) -> Option<&'static str>,
}

impl Language {
    /// What a word tells.
    pub fn meaning(&self, word: &'static str) -> &'static str {
        let known = self.caller.iter().chain(self.child).find(|(known, _)| *known == word);
        known.map_or(word, |(_, meaning)| meaning)
    }
}

/// The words alone.
pub fn words(table: &[(&'static str, &'static str)]) -> Vec<&'static str> {
    table.iter().map(|(word, _)| *word).collect()
}
