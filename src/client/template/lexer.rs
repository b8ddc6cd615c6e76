//! A template's source as text and tokens.

use super::TemplateError;

/// A token with the offset at which it starts.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Where it starts, in bytes from the template's start.
    pub offset: usize,
    /// Blanks precede it, so that a field starts an argument of its own instead of extending the one before.
    pub spaced: bool,
}

/// The kinds of token inside `{{ }}`, and the text between.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Text outside of actions.
    Text(String),
    /// `{{`
    Open,
    /// `}}`
    Close,
    /// `.name`
    Field(String),
    /// `.` alone
    Dot,
    /// `$` or `$name`
    Variable(String),
    /// A keyword, constant or function.
    Word(String),
    /// A string literal, unescaped.
    Literal(String),
    /// A number or character literal.
    Number(f64),
    /// `|` `(` `)` `,` `:=` `=`
    Sign(&'static str),
}

/// Splits the template into tokens.
pub fn tokens(source: &str) -> Result<Vec<Token>, TemplateError> {
    let mut lexer = Lexer { source, at: 0, tokens: Vec::new() };
    let mut trim_next = false;
    while lexer.at < source.len() {
        let open = source[lexer.at..].find("{{").map(|found| lexer.at + found);
        let end = open.unwrap_or(source.len());
        let mut text = &source[lexer.at..end];
        if trim_next {
            text = text.trim_start();
        }
        let trim_previous = open.is_some_and(|open| has_left_trim(&source[open + 2..]));
        if trim_previous {
            text = text.trim_end();
        }
        if !text.is_empty() {
            lexer.push(Kind::Text(text.to_string()), lexer.at, false);
        }
        let Some(open) = open else { break };
        lexer.at = open + 2 + if trim_previous { 1 } else { 0 };
        trim_next = lexer.action(open)?;
    }
    Ok(lexer.tokens)
}

fn has_left_trim(rest: &str) -> bool {
    rest.strip_prefix('-').is_some_and(|rest| rest.starts_with(char::is_whitespace))
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    tokens: Vec<Token>,
}

impl<'a> Lexer<'a> {
    fn push(&mut self, kind: Kind, offset: usize, spaced: bool) {
        self.tokens.push(Token { kind, offset, spaced });
    }

    fn rest(&self) -> &'a str {
        &self.source[self.at..]
    }

    /// Reads one action; says whether the text behind it is to be trimmed.
    fn action(&mut self, open: usize) -> Result<bool, TemplateError> {
        if self.rest().trim_start().starts_with("/*") {
            return self.comment();
        }
        self.push(Kind::Open, open, false);
        loop {
            let blanks = self.rest().len() - self.rest().trim_start().len();
            self.at += blanks;
            if blanks > 0 && self.rest().starts_with("-}}") {
                self.push(Kind::Close, self.at, false);
                self.at += 3;
                return Ok(true);
            }
            if self.rest().starts_with("}}") {
                self.push(Kind::Close, self.at, false);
                self.at += 2;
                return Ok(false);
            }
            self.token(blanks > 0)?;
        }
    }

    fn comment(&mut self) -> Result<bool, TemplateError> {
        let end = self.rest().find("*/").ok_or_else(|| self.error("unclosed comment"))?;
        self.at += end + 2;
        let trimmed = self.rest().trim_start();
        let closed = trimmed.strip_prefix("-}}").map(|rest| (rest, true));
        let closed = closed.or_else(|| self.rest().strip_prefix("}}").map(|rest| (rest, false)));
        let (rest, trim) = closed.ok_or_else(|| self.error("comment ends before closing delimiter"))?;
        self.at = self.source.len() - rest.len();
        Ok(trim)
    }

    fn token(&mut self, spaced: bool) -> Result<(), TemplateError> {
        let start = self.at;
        let rest = self.rest();
        let first = rest.chars().next().ok_or_else(|| self.error("unclosed action"))?;
        let second = rest.chars().nth(1).unwrap_or(' ');
        let kind = match first {
            '|' | '(' | ')' | ',' | '=' | ':' => self.sign()?,
            '"' | '`' | '\'' => self.quoted(first)?,
            '.' if !second.is_ascii_digit() => {
                self.at += 1;
                match self.name() {
                    name if name.is_empty() => Kind::Dot,
                    name => Kind::Field(name),
                }
            }
            '$' => {
                self.at += 1;
                Kind::Variable(self.name())
            }
            '0'..='9' | '-' | '+' | '.' => self.number()?,
            letter if letter.is_alphabetic() || letter == '_' => Kind::Word(self.name()),
            other => return Err(self.error(&format!("unexpected {other:?} in operand"))),
        };
        self.push(kind, start, spaced);
        Ok(())
    }

    fn sign(&mut self) -> Result<Kind, TemplateError> {
        let signs = ["|", "(", ")", ",", ":=", "="];
        let sign = signs.into_iter().find(|sign| self.rest().starts_with(sign));
        let sign = sign.ok_or_else(|| self.error("expected :="))?;
        self.at += sign.len();
        Ok(Kind::Sign(sign))
    }

    fn name(&mut self) -> String {
        let rest = self.rest();
        let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
        self.at += end;
        rest[..end].to_string()
    }

    fn number(&mut self) -> Result<Kind, TemplateError> {
        let rest = self.rest();
        let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && !"+-._".contains(letter));
        let text = &rest[..end.unwrap_or(rest.len())];
        self.at += text.len();
        let digits = text.replace('_', "");
        let value = match digits.strip_prefix("0x") {
            Some(hex) => i64::from_str_radix(hex, 16).ok().map(|value| value as f64),
            None => digits.parse().ok(),
        };
        value.map(Kind::Number).ok_or_else(|| self.error(&format!("bad number syntax: {text:?}")))
    }

    fn quoted(&mut self, quote: char) -> Result<Kind, TemplateError> {
        self.at += 1;
        let mut text = String::new();
        let mut letters = self.rest().char_indices();
        while let Some((offset, letter)) = letters.next() {
            match letter {
                '\\' if quote != '`' => {
                    text.push(escaped(&mut letters).ok_or_else(|| self.error("bad escape"))?)
                }
                '\n' if quote != '`' => break,
                letter if letter == quote => {
                    self.at += offset + 1;
                    return match (quote, text.chars().next()) {
                        ('\'', Some(only)) if text.chars().count() == 1 => {
                            Ok(Kind::Number(only as u32 as f64))
                        }
                        ('\'', _) => Err(self.error("malformed character constant")),
                        _ => Ok(Kind::Literal(text)),
                    };
                }
                letter => text.push(letter),
            }
        }
        let name = if quote == '`' { "raw quoted string" } else { "quoted string" };
        Err(self.error(&format!("unterminated {name}")))
    }

    fn error(&self, what: &str) -> TemplateError {
        let line = 1 + self.source[..self.at.min(self.source.len())].matches('\n').count();
        TemplateError(format!(":{line}: {what}"))
    }
}

fn escaped(letters: &mut std::str::CharIndices<'_>) -> Option<char> {
    let (_, letter) = letters.next()?;
    let mut hex = |count: usize| {
        let digits: String = letters.by_ref().take(count).map(|(_, digit)| digit).collect();
        char::from_u32(u32::from_str_radix(&digits, 16).ok()?)
    };
    match letter {
        'n' => Some('\n'),
        't' => Some('\t'),
        'r' => Some('\r'),
        '0' => Some('\0'),
        'x' => hex(2),
        'u' => hex(4),
        '\\' | '"' | '\'' => Some(letter),
        _ => None,
    }
}
