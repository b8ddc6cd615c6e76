//! A tree of nodes applied to a value.

use super::functions;
use super::parser::{Base, Command, Node, Operand, Pipeline};
use super::text::{is_true, plain};
use super::{Mode, TemplateError};
use serde_json::Value;

/// Renders `nodes` with `dot` as the outermost dot.
pub fn render(nodes: &[Node], source: &str, dot: &Value, mode: Mode) -> Result<String, TemplateError> {
    let variables = vec![(String::new(), dot.clone())];
    let mut scope = Scope { source, mode, variables, output: String::new() };
    scope.list(nodes, dot)?;
    Ok(scope.output)
}

struct Scope<'a> {
    source: &'a str,
    mode: Mode,
    variables: Vec<(String, Value)>,
    output: String,
}

/// Whether a list ran to its end.
#[derive(PartialEq)]
enum Flow {
    Next,
    Break,
    Continue,
}

type Evaluated<T> = Result<T, TemplateError>;

impl Scope<'_> {
    fn list(&mut self, nodes: &[Node], dot: &Value) -> Evaluated<Flow> {
        for node in nodes {
            let flow = self.node(node, dot)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    /// A list with variables of its own.
    fn nested(&mut self, nodes: &[Node], dot: &Value, scope: usize) -> Evaluated<Flow> {
        let flow = self.list(nodes, dot);
        self.variables.truncate(scope);
        flow
    }

    fn node(&mut self, node: &Node, dot: &Value) -> Evaluated<Flow> {
        let scope = self.variables.len();
        match node {
            Node::Text(text) => self.output.push_str(text),
            Node::Action(pipeline) => {
                let value = self.pipeline(pipeline, dot)?;
                if pipeline.variables.is_empty() {
                    self.output.push_str(&plain(&value));
                }
            }
            Node::If(pipeline, yes, no) => {
                let value = self.pipeline(pipeline, dot)?;
                return self.nested(if is_true(&value) { yes } else { no }, dot, scope);
            }
            Node::With(pipeline, yes, no) => {
                let value = self.pipeline(pipeline, dot)?;
                return match is_true(&value) {
                    true => self.nested(yes, &value, scope),
                    false => self.nested(no, dot, scope),
                };
            }
            Node::Range(pipeline, body, otherwise) => return self.range(pipeline, body, otherwise, dot),
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn range(&mut self, over: &Pipeline, body: &[Node], otherwise: &[Node], dot: &Value) -> Evaluated<Flow> {
        let scope = self.variables.len();
        let value = self.commands(over, dot)?;
        let elements = match &value {
            Value::Array(items) => {
                items.iter().enumerate().map(|(at, item)| (Value::from(at), item.clone())).collect()
            }
            Value::Object(map) => {
                let mut pairs: Vec<(Value, Value)> =
                    map.iter().map(|(key, item)| (key.as_str().into(), item.clone())).collect();
                pairs.sort_by(|one, other| one.0.as_str().cmp(&other.0.as_str()));
                pairs
            }
            Value::Number(count) => {
                (0..count.as_i64().unwrap_or(0)).map(|at| (at.into(), at.into())).collect()
            }
            Value::Null => Vec::new(),
            other => return Err(self.failed(over, format!("range can't iterate over {}", plain(other)))),
        };
        if elements.is_empty() {
            return self.nested(otherwise, dot, scope);
        }
        for (key, item) in elements {
            match over.variables.as_slice() {
                [one] => self.variables.push((one.clone(), item.clone())),
                [index, element] => {
                    self.variables.push((index.clone(), key));
                    self.variables.push((element.clone(), item.clone()));
                }
                _ => {}
            }
            if self.nested(body, &item, scope)? == Flow::Break {
                break;
            }
        }
        Ok(Flow::Next)
    }

    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Value) -> Evaluated<Value> {
        let value = self.commands(pipeline, dot)?;
        for name in &pipeline.variables {
            match self.variables.iter_mut().rev().find(|(known, _)| known == name) {
                Some((_, old)) if !pipeline.declares => *old = value.clone(),
                _ => self.variables.push((name.clone(), value.clone())),
            }
        }
        Ok(value)
    }

    fn commands(&mut self, pipeline: &Pipeline, dot: &Value) -> Evaluated<Value> {
        let mut piped = None;
        for command in &pipeline.commands {
            piped = Some(self.command(command, dot, piped)?);
        }
        Ok(piped.unwrap_or_default())
    }

    fn command(&mut self, command: &Command, dot: &Value, piped: Option<Value>) -> Evaluated<Value> {
        let (first, rest) = command.operands.split_first().expect("the parser makes no empty command");
        let Base::Function(name) = &first.base else {
            let value = self.operand(first, dot)?;
            return match (rest.is_empty() && piped.is_none(), &value) {
                (true, _) => Ok(value),
                // `.Label "key"` is a method of Docker's rows: here it is a map that is indexed.
                (false, Value::Object(map)) if first.fields.last().is_some_and(|field| field == "Label") => {
                    let key = self.operand(rest.first().unwrap_or(first), dot)?;
                    Ok(key.as_str().and_then(|key| map.get(key)).cloned().unwrap_or_else(|| "".into()))
                }
                _ => Err(self.error(first, "can't give argument to non-function")),
            };
        };
        if matches!(name.as_str(), "and" | "or") {
            return self.short_circuit(name == "and", rest, dot, piped);
        }
        let mut arguments =
            rest.iter().map(|operand| self.operand(operand, dot)).collect::<Evaluated<Vec<_>>>()?;
        arguments.extend(piped);
        functions::call(name, &arguments, self.mode)
            .map_err(|reason| self.error(first, &format!("error calling {name}: {reason}")))
    }

    /// `and` and `or` stop at the first argument that decides.
    fn short_circuit(
        &mut self,
        and: bool,
        rest: &[Operand],
        dot: &Value,
        piped: Option<Value>,
    ) -> Evaluated<Value> {
        let mut last = Value::Null;
        for operand in rest {
            last = self.operand(operand, dot)?;
            if is_true(&last) != and {
                return Ok(last);
            }
        }
        Ok(piped.unwrap_or(last))
    }

    fn operand(&mut self, operand: &Operand, dot: &Value) -> Evaluated<Value> {
        let mut value = match &operand.base {
            Base::Dot => dot.clone(),
            Base::Variable(name) => {
                let found = self.variables.iter().rev().find(|(known, _)| known == name);
                found.map(|(_, value)| value.clone()).unwrap_or_default()
            }
            Base::Constant(value) => value.clone(),
            Base::Pipeline(inner) => self.pipeline(inner, dot)?,
            Base::Function(name) => functions::call(name, &[], self.mode)
                .map_err(|reason| self.error(operand, &format!("error calling {name}: {reason}")))?,
        };
        for field in &operand.fields {
            value = match value {
                Value::Object(mut map) => map
                    .remove(field)
                    .ok_or_else(|| self.error(operand, &format!("map has no entry for key {field:?}")))?,
                Value::Null => {
                    return Err(self.error(operand, &format!("nil data; no entry for key {field:?}")));
                }
                other => {
                    let reason =
                        format!("can't evaluate field {field} in type {}", functions::type_name(&other));
                    return Err(self.error(operand, &reason));
                }
            };
        }
        Ok(value)
    }

    fn failed(&self, pipeline: &Pipeline, reason: String) -> TemplateError {
        let operand = pipeline.commands.first().and_then(|command| command.operands.first());
        operand.map_or_else(|| TemplateError(reason.clone()), |operand| self.error(operand, &reason))
    }

    fn error(&self, operand: &Operand, reason: &str) -> TemplateError {
        let before = &self.source[..operand.offset];
        let line = 1 + before.matches('\n').count();
        let column = before.len() - before.rfind('\n').map_or(0, |newline| newline + 1);
        TemplateError(format!(":{line}:{column}: executing \"\" at <{}>: {reason}", operand.text))
    }
}
