//! From tokens to a tree of nodes.

use super::TemplateError;
use super::functions;
use super::lexer::{Kind, Token, tokens};

/// One piece of a template.
#[derive(Debug)]
pub enum Node {
    /// Printed as it is.
    Text(String),
    /// A pipeline whose value is printed, unless it only sets a variable.
    Action(Pipeline),
    /// `if`: one of two lists.
    If(Pipeline, Vec<Node>, Vec<Node>),
    /// `with`: the same, and dot is the pipeline's value in the first.
    With(Pipeline, Vec<Node>, Vec<Node>),
    /// `range`: the first list once an element, the second when there is none.
    Range(Pipeline, Vec<Node>, Vec<Node>),
    /// Ends the innermost `range`.
    Break,
    /// Goes on with the next element of the innermost `range`.
    Continue,
}

/// Commands, each of which gets the value of the one before as its last argument.
#[derive(Debug)]
pub struct Pipeline {
    /// Variables that it sets.
    pub variables: Vec<String>,
    /// They are new ones (`:=`), rather than assigned to (`=`).
    pub declares: bool,
    /// The commands, at least one.
    pub commands: Vec<Command>,
}

/// A function or value with its arguments.
#[derive(Debug)]
pub struct Command {
    /// The words of it, at least one.
    pub operands: Vec<Operand>,
}

/// One word of a command, with the fields that are taken from it.
#[derive(Debug)]
pub struct Operand {
    /// Where the value comes from.
    pub base: Base,
    /// Then these fields, one after the other.
    pub fields: Vec<String>,
    /// Where Go says that it is, in bytes from the template's start.
    pub offset: usize,
    /// Its source, for errors.
    pub text: String,
}

/// Where an operand's value comes from.
#[derive(Debug)]
pub enum Base {
    /// `.`
    Dot,
    /// `$name`
    Variable(String),
    /// A function's name.
    Function(String),
    /// A constant.
    Constant(serde_json::Value),
    /// `( … )`
    Pipeline(Box<Pipeline>),
}

/// Reads a whole template.
pub fn parse(source: &str) -> Result<Vec<Node>, TemplateError> {
    let mut parser =
        Parser { source, tokens: tokens(source)?, at: 0, variables: vec![String::new()], loops: 0 };
    let (nodes, end) = parser.list()?;
    match end {
        Stop::Source => Ok(nodes),
        other => Err(parser.error(format!("unexpected {{{{{}}}}}", other.word()))),
    }
}

#[derive(PartialEq)]
enum Stop {
    Source,
    End,
    Else,
}

impl Stop {
    fn word(&self) -> &'static str {
        if *self == Stop::Else { "else" } else { "end" }
    }
}

struct Parser<'a> {
    source: &'a str,
    tokens: Vec<Token>,
    at: usize,
    variables: Vec<String>,
    loops: usize,
}

type Parsed<T> = Result<T, TemplateError>;

impl Parser<'_> {
    fn peek(&self) -> Option<&Kind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn error(&self, what: impl std::fmt::Display) -> TemplateError {
        let offset =
            self.tokens.get(self.at.saturating_sub(1)).map_or(self.source.len(), |token| token.offset);
        let line = 1 + self.source[..offset].matches('\n').count();
        TemplateError(format!(":{line}: {what}"))
    }

    fn close(&mut self, context: &str) -> Parsed<()> {
        match self.next() {
            Some(Token { kind: Kind::Close, .. }) => Ok(()),
            Some(_) => Err(self.error(format!("unexpected operand in {context}"))),
            None => Err(self.error("unclosed action")),
        }
    }

    /// Nodes up to an `end`, an `else`, or the template's end. The `else` stays to be read.
    fn list(&mut self) -> Parsed<(Vec<Node>, Stop)> {
        let mut nodes = Vec::new();
        while let Some(token) = self.next() {
            if let Kind::Text(text) = token.kind {
                nodes.push(Node::Text(text));
                continue;
            }
            let word = match self.peek() {
                Some(Kind::Word(word)) => word.clone(),
                _ => String::new(),
            };
            match word.as_str() {
                "end" => {
                    self.at += 1;
                    self.close("end")?;
                    return Ok((nodes, Stop::End));
                }
                "else" => {
                    self.at += 1;
                    return Ok((nodes, Stop::Else));
                }
                _ => nodes.push(self.action(&word)?),
            }
        }
        Ok((nodes, Stop::Source))
    }

    fn action(&mut self, word: &str) -> Parsed<Node> {
        match word {
            "if" | "with" | "range" => {
                self.at += 1;
                self.branch(word)
            }
            "break" | "continue" => {
                self.at += 1;
                self.close(word)?;
                match (self.loops, word) {
                    (0, _) => Err(self.error(format!("{{{{{word}}}}} outside {{{{range}}}}"))),
                    (_, "break") => Ok(Node::Break),
                    _ => Ok(Node::Continue),
                }
            }
            "define" | "template" | "block" => Err(self.error(format!("{{{{{word}}}}} is not supported"))),
            _ => {
                let pipeline = self.pipeline()?;
                self.close("command")?;
                Ok(Node::Action(pipeline))
            }
        }
    }

    fn branch(&mut self, word: &str) -> Parsed<Node> {
        let scope = self.variables.len();
        let pipeline = self.pipeline()?;
        self.close(word)?;
        self.loops += usize::from(word == "range");
        let (body, end) = self.list()?;
        self.loops -= usize::from(word == "range");
        let otherwise = match end {
            Stop::Source => return Err(self.error("unexpected EOF")),
            Stop::End => Vec::new(),
            Stop::Else => self.otherwise(word)?,
        };
        self.variables.truncate(scope);
        Ok(match word {
            "if" => Node::If(pipeline, body, otherwise),
            "with" => Node::With(pipeline, body, otherwise),
            _ => Node::Range(pipeline, body, otherwise),
        })
    }

    /// What follows `{{else`: the rest of the list, or `else if` as one nested branch that shares the `end`.
    fn otherwise(&mut self, word: &str) -> Parsed<Vec<Node>> {
        if matches!(self.peek(), Some(Kind::Word(next)) if next == word && word != "range") {
            self.at += 1;
            return Ok(vec![self.branch(word)?]);
        }
        self.close("else")?;
        match self.list()? {
            (nodes, Stop::End) => Ok(nodes),
            (_, Stop::Else) => Err(self.error("expected end; found {{else}}")),
            (_, Stop::Source) => Err(self.error("unexpected EOF")),
        }
    }

    fn pipeline(&mut self) -> Parsed<Pipeline> {
        let (variables, declares) = self.assignment()?;
        let mut commands = Vec::new();
        loop {
            commands.push(self.command()?);
            match self.peek() {
                Some(Kind::Sign("|")) => self.at += 1,
                _ => break,
            }
        }
        if declares {
            self.variables.extend(variables.iter().cloned());
        }
        Ok(Pipeline { variables, declares, commands })
    }

    /// `$x :=`, `$x =`, `$i, $x :=`, or nothing.
    fn assignment(&mut self) -> Parsed<(Vec<String>, bool)> {
        let start = self.at;
        let mut variables = Vec::new();
        while let Some(Kind::Variable(name)) = self.peek() {
            variables.push(name.clone());
            self.at += 1;
            match self.peek() {
                Some(Kind::Sign(",")) => self.at += 1,
                Some(Kind::Sign(sign @ (":=" | "="))) => {
                    let declares = *sign == ":=";
                    self.at += 1;
                    if !declares {
                        variables.iter().try_for_each(|name| self.known(name))?;
                    }
                    return Ok((variables, declares));
                }
                _ => break,
            }
        }
        self.at = start;
        Ok((Vec::new(), false))
    }

    fn known(&self, name: &String) -> Parsed<()> {
        match self.variables.contains(name) {
            true => Ok(()),
            false => Err(self.error(format!("undefined variable \"${name}\""))),
        }
    }

    fn command(&mut self) -> Parsed<Command> {
        let mut operands = Vec::new();
        loop {
            match self.peek() {
                None => return Err(self.error("unclosed action")),
                Some(Kind::Close | Kind::Sign("|" | ")")) if operands.is_empty() => {
                    return Err(self.error("missing value for command"));
                }
                Some(Kind::Close | Kind::Sign("|" | ")")) => return Ok(Command { operands }),
                Some(_) => operands.push(self.operand()?),
            }
        }
    }

    fn operand(&mut self) -> Parsed<Operand> {
        let Some(token) = self.next() else {
            return Err(self.error("unclosed action"));
        };
        let mut fields = Vec::new();
        let base = match token.kind {
            Kind::Dot => Base::Dot,
            Kind::Field(name) => {
                fields.push(name);
                Base::Dot
            }
            Kind::Variable(name) => {
                self.known(&name)?;
                Base::Variable(name)
            }
            Kind::Literal(text) => Base::Constant(text.into()),
            Kind::Number(value) if value.fract() == 0.0 => Base::Constant((value as i64).into()),
            Kind::Number(value) => Base::Constant(value.into()),
            Kind::Word(word) => self.word(word)?,
            Kind::Sign("(") => {
                let inner = self.pipeline()?;
                match self.next().map(|token| token.kind) {
                    Some(Kind::Sign(")")) => Base::Pipeline(Box::new(inner)),
                    _ => return Err(self.error("unclosed left paren")),
                }
            }
            other => return Err(self.error(format!("unexpected {other:?} in operand"))),
        };
        let mut offset = token.offset;
        self.chain(&mut fields, &mut offset);
        let end = self.tokens.get(self.at).map_or(self.source.len(), |token| token.offset);
        let text = self.source[token.offset..end].trim().to_string();
        Ok(Operand { base, fields, offset, text })
    }

    /// Further fields, which follow without a blank. Go places a chain where its second part starts.
    fn chain(&mut self, fields: &mut Vec<String>, offset: &mut usize) {
        let mut first = true;
        while let Some(Token { kind: Kind::Field(name), offset: at, spaced: false }) =
            self.tokens.get(self.at)
        {
            if std::mem::take(&mut first) {
                *offset = *at;
            }
            fields.push(name.clone());
            self.at += 1;
        }
    }

    fn word(&self, word: String) -> Parsed<Base> {
        match word.as_str() {
            "true" => Ok(Base::Constant(true.into())),
            "false" => Ok(Base::Constant(false.into())),
            "nil" => Ok(Base::Constant(serde_json::Value::Null)),
            name if functions::exists(name) => Ok(Base::Function(word)),
            name => Err(self.error(format!("function {name:?} not defined"))),
        }
    }
}
