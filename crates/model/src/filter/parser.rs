//! Tokens to a tree, by recursive descent of limited depth.

use super::ast::{Comparison, Condition, Expr, Test};
use super::error::{FilterError, cite};
use super::field::{Kind, fields, nearest};
use super::lexer::{Lexer, Span, Symbol, Token};
use super::{Field, Filter, Glob, Network, value};
use crate::Protocol;

/// Words that are an expression by themselves, beside the protocols of [`PROTOCOLS`].
const BARE: [&str; 3] = ["active", "ended", "tunnel"];
/// Keywords of protocols that may stand alone.
const PROTOCOLS: [&str; 9] = ["tcp", "udp", "icmp", "icmpv6", "sctp", "gre", "esp", "igmp", "dccp"];

pub(super) fn parse(text: &str) -> Result<Expr, FilterError> {
    if text.len() > Filter::MAX_BYTES {
        let span = Span { start: Filter::MAX_BYTES, end: text.len() };
        return Err(FilterError::new(format!("the filter is longer than {} bytes", Filter::MAX_BYTES), span));
    }
    let mut parser = Parser::new(text)?;
    if parser.token == Token::End {
        return Ok(Expr::And(Vec::new()));
    }
    let expr = parser.or()?;
    match parser.token {
        Token::End => Ok(expr),
        Token::Symbol(Symbol::Close) => Err(parser.fault("this `)` closes nothing")),
        _ => Err(parser.fault(format!("expected `and`, `or` or the end, found {}", parser.found()))),
    }
}

struct Parser<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    token: Token<'a>,
    span: Span,
    depth: usize,
    values: usize,
}

/// An operator between field and value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Compare(Comparison),
    NotEqual,
    In { negated: bool },
    Like { negated: bool },
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Result<Self, FilterError> {
        let mut lexer = Lexer::new(text);
        let (token, span) = lexer.next()?;
        Ok(Self { text, lexer, token, span, depth: 0, values: 0 })
    }

    fn or(&mut self) -> Result<Expr, FilterError> {
        let mut list = vec![self.and()?];
        while self.takes_keyword("or", Symbol::Or)? {
            list.push(self.and()?);
        }
        Ok(join(list, Expr::Or, |e| match e {
            Expr::Or(inner) => Ok(inner),
            other => Err(other),
        }))
    }

    fn and(&mut self) -> Result<Expr, FilterError> {
        let mut list = vec![self.not()?];
        while self.takes_keyword("and", Symbol::And)? {
            list.push(self.not()?);
        }
        Ok(join(list, Expr::And, |e| match e {
            Expr::And(inner) => Ok(inner),
            other => Err(other),
        }))
    }

    fn not(&mut self) -> Result<Expr, FilterError> {
        if !self.takes_keyword("not", Symbol::Not)? {
            return self.primary();
        }
        self.deeper()?;
        let inner = self.not()?;
        self.depth -= 1;
        Ok(Expr::Not(Box::new(inner)))
    }

    fn primary(&mut self) -> Result<Expr, FilterError> {
        match self.token.clone() {
            Token::Symbol(Symbol::Open) => {
                let open = self.span;
                self.advance()?;
                self.deeper()?;
                let inner = self.or()?;
                self.depth -= 1;
                if self.token != Token::Symbol(Symbol::Close) {
                    let message = format!("expected `and`, `or` or `)`, found {}", self.found());
                    let missing = FilterError::new("this `(` is never closed: a `)` is missing", open);
                    return Err(if self.token == Token::End { missing } else { self.fault(message) });
                }
                self.advance()?;
                Ok(inner)
            }
            Token::Word(word) if !is_keyword(word) => self.test(word),
            Token::Text(_) => {
                Err(self.fault("a quoted text is no condition: write a field before it, as in name = \"…\""))
            }
            _ => Err(self.fault(format!("expected a field or `(`, found {}", self.found()))),
        }
    }

    fn test(&mut self, word: &'a str) -> Result<Expr, FilterError> {
        let place = self.span;
        self.advance()?;
        let Some(mut field) = Field::from_name(word) else {
            return bare(word).map(Expr::Test).ok_or_else(|| unknown_field(word, place));
        };
        if let Token::Word(next) = self.token
            && let Some(narrow) = two_words(field, next)
        {
            field = narrow;
            self.advance()?;
        }
        self.count(place)?;
        let operator = self.operator()?;
        let starts_value = matches!(&self.token, Token::Text(_))
            || matches!(&self.token, Token::Word(w) if !is_keyword(w))
            || (operator.is_some() && self.token == Token::Symbol(Symbol::Open));
        if !starts_value {
            if operator.is_none() && field == Field::Tunnel {
                return Ok(Expr::Test(Test { field, negated: false, condition: Condition::Present }));
            }
            let name = field.descriptor().name;
            let after = if operator.is_some() { "the operator" } else { "the field" };
            let example = field.descriptor().example;
            return Err(self.fault(format!(
                "expected a value of `{name}` after {after}, found {}; for example {example}",
                self.found()
            )));
        }
        self.comparison(field, operator.unwrap_or(Operator::Compare(Comparison::Equal)), place).map(Expr::Test)
    }

    fn operator(&mut self) -> Result<Option<Operator>, FilterError> {
        let operator = match &self.token {
            Token::Symbol(Symbol::Equal) => Operator::Compare(Comparison::Equal),
            Token::Symbol(Symbol::Less) => Operator::Compare(Comparison::Less),
            Token::Symbol(Symbol::LessOrEqual) => Operator::Compare(Comparison::LessOrEqual),
            Token::Symbol(Symbol::Greater) => Operator::Compare(Comparison::Greater),
            Token::Symbol(Symbol::GreaterOrEqual) => Operator::Compare(Comparison::GreaterOrEqual),
            Token::Symbol(Symbol::NotEqual) => Operator::NotEqual,
            Token::Symbol(Symbol::Like) => Operator::Like { negated: false },
            Token::Symbol(Symbol::NotLike) => Operator::Like { negated: true },
            Token::Word(word) if word.eq_ignore_ascii_case("in") => Operator::In { negated: false },
            Token::Word(word) if word.eq_ignore_ascii_case("not") => {
                self.advance()?;
                if !matches!(self.token, Token::Word(w) if w.eq_ignore_ascii_case("in")) {
                    return Err(self.fault(format!("expected `in` after `not`, found {}", self.found())));
                }
                Operator::In { negated: true }
            }
            _ => return Ok(None),
        };
        self.advance()?;
        Ok(Some(operator))
    }

    fn comparison(&mut self, field: Field, operator: Operator, place: Span) -> Result<Test, FilterError> {
        let kind = field.descriptor().kind;
        let start = self.span;
        let negated = match operator {
            Operator::NotEqual => true,
            Operator::In { negated } | Operator::Like { negated } => negated,
            Operator::Compare(_) => false,
        };
        let condition = match operator {
            Operator::Compare(c) if !kind.takes(c) => return Err(wrong_operator(field, c.as_str(), place, start)),
            Operator::Like { .. } if !kind.is_text() => return Err(wrong_operator(field, "~", place, start)),
            Operator::Like { .. } => self.like()?,
            Operator::Compare(c) if c != Comparison::Equal => {
                Condition::Number(c, self.one(|_, word| value::parse(kind, word))?)
            }
            _ => self.equality(kind, operator)?,
        };
        Ok(Test { field, negated, condition })
    }

    /// The values of `=`, `!=`, `in` and `not in`.
    fn equality(&mut self, kind: Kind, operator: Operator) -> Result<Condition, FilterError> {
        let listing = matches!(operator, Operator::In { .. });
        if !listing && matches!(self.token, Token::Word(w) if w.eq_ignore_ascii_case("any")) {
            self.advance()?;
            return Ok(Condition::Present);
        }
        match kind {
            Kind::Address => self
                .list(|_, word| {
                    Network::parse(word).ok_or_else(|| {
                        let hint =
                            "expected an address or a network such as 10.0.0.0/8 (names are asked for with `name`)";
                        format!("{} is no address: {hint}", cite(word))
                    })
                })
                .map(Condition::Networks),
            Kind::Name | Kind::Text => self
                .list(|quoted, word| {
                    let pattern = !quoted && word.contains(['*', '?']);
                    let message = format!("{} looks like a pattern: write `~` instead, or quotation marks", cite(word));
                    if pattern { Err(message) } else { Ok(word.to_owned()) }
                })
                .map(Condition::Texts),
            kind => {
                let ranges = self.list(|_, word| range(kind, word))?;
                Ok(match ranges.as_slice() {
                    [(low, high)] if low == high => Condition::Number(Comparison::Equal, *low),
                    _ => Condition::Ranges(ranges),
                })
            }
        }
    }

    fn like(&mut self) -> Result<Condition, FilterError> {
        let long = || format!("the pattern is longer than {} bytes", crate::Untrusted::MAX_BYTES);
        self.one(|_, word| Glob::new(word).ok_or_else(long)).map(Condition::Like)
    }

    /// One value, or several in parentheses.
    fn list<T>(&mut self, read: impl Fn(bool, &str) -> Result<T, String>) -> Result<Vec<T>, FilterError> {
        if self.token != Token::Symbol(Symbol::Open) {
            return Ok(vec![self.one(read)?]);
        }
        let open = self.span;
        let mut list = Vec::new();
        loop {
            self.advance()?;
            if !list.is_empty() {
                self.count(self.span)?;
            }
            list.push(self.one(&read)?);
            match self.token {
                Token::Symbol(Symbol::Comma) => {}
                Token::Symbol(Symbol::Close) => break,
                Token::End => return Err(FilterError::new("this list is never closed: a `)` is missing", open)),
                _ => return Err(self.fault(format!("expected `,` or `)`, found {}", self.found()))),
            }
        }
        self.advance()?;
        Ok(list)
    }

    /// One value; `read` is told whether it was quoted.
    fn one<T>(&mut self, read: impl Fn(bool, &str) -> Result<T, String>) -> Result<T, FilterError> {
        let result = match &self.token {
            Token::Text(text) => read(true, text),
            Token::Word(word) if !is_keyword(word) => read(false, word),
            _ => Err(format!("expected a value, found {}", self.found())),
        };
        let value = result.map_err(|message| self.fault(message))?;
        self.advance()?;
        Ok(value)
    }

    fn advance(&mut self) -> Result<(), FilterError> {
        (self.token, self.span) = self.lexer.next()?;
        Ok(())
    }

    fn takes_keyword(&mut self, word: &str, symbol: Symbol) -> Result<bool, FilterError> {
        let here = match &self.token {
            Token::Word(w) => w.eq_ignore_ascii_case(word),
            token => *token == Token::Symbol(symbol),
        };
        if here {
            self.advance()?;
        }
        Ok(here)
    }

    fn deeper(&mut self) -> Result<(), FilterError> {
        self.depth += 1;
        if self.depth > Filter::MAX_DEPTH {
            return Err(self.fault(format!("nested deeper than {} levels", Filter::MAX_DEPTH)));
        }
        Ok(())
    }

    fn count(&mut self, span: Span) -> Result<(), FilterError> {
        self.values += 1;
        if self.values > Filter::MAX_VALUES {
            return Err(FilterError::new(format!("more than {} values", Filter::MAX_VALUES), span));
        }
        Ok(())
    }

    fn fault(&self, message: impl Into<String>) -> FilterError {
        FilterError::new(message, self.span)
    }

    fn found(&self) -> String {
        match self.token {
            Token::End => "the end".to_owned(),
            _ => cite(self.text.get(self.span.start..self.span.end).unwrap_or("")),
        }
    }
}

/// One expression stays as it is; several are joined, operands of the same kind merged.
fn join(mut list: Vec<Expr>, make: fn(Vec<Expr>) -> Expr, inner: fn(Expr) -> Result<Vec<Expr>, Expr>) -> Expr {
    if list.len() == 1
        && let Some(only) = list.pop()
    {
        return only;
    }
    let mut flat = Vec::with_capacity(list.len());
    for e in list {
        match inner(e) {
            Ok(operands) => flat.extend(operands),
            Err(other) => flat.push(other),
        }
    }
    make(flat)
}

fn is_keyword(word: &str) -> bool {
    ["and", "or", "not", "in"].iter().any(|k| k.eq_ignore_ascii_case(word))
}

/// `src port`, `dst host` and their like, as tcpdump users write them.
fn two_words(first: Field, second: &str) -> Option<Field> {
    let port = second.eq_ignore_ascii_case("port");
    let host = second.eq_ignore_ascii_case("host") || second.eq_ignore_ascii_case("net");
    match first {
        Field::Source if port => Some(Field::SourcePort),
        Field::Destination if port => Some(Field::DestinationPort),
        Field::Source | Field::Destination if host => Some(first),
        _ => None,
    }
}

/// A word that is a condition by itself; `tunnel` is handled where fields are.
fn bare(word: &str) -> Option<Test> {
    let test = |field, negated, condition| Some(Test { field, negated, condition });
    if word.eq_ignore_ascii_case("active") {
        return test(Field::EndReason, true, Condition::Present);
    }
    if word.eq_ignore_ascii_case("ended") {
        return test(Field::EndReason, false, Condition::Present);
    }
    let known = PROTOCOLS.iter().any(|p| p.eq_ignore_ascii_case(word));
    let protocol = known.then(|| Protocol::from_name(word)).flatten()?;
    test(Field::Protocol, false, Condition::Number(Comparison::Equal, protocol.0.into()))
}

/// A number, or two joined by `-` where the kind has ranges.
fn range(kind: Kind, word: &str) -> Result<(u64, u64), String> {
    let single = match value::parse(kind, word) {
        Ok(n) => return Ok((n, n)),
        Err(message) => message,
    };
    let Some((low, high)) = word.split_once('-').filter(|_| kind.has_ranges()) else { return Err(single) };
    let (low, high) = (value::parse(kind, low)?, value::parse(kind, high)?);
    if low > high {
        return Err(format!("the range {} is empty: the smaller value stands first", cite(word)));
    }
    Ok((low, high))
}

fn unknown_field(word: &str, span: Span) -> FilterError {
    let names = fields().iter().flat_map(|d| std::iter::once(d.name).chain(d.aliases.iter().copied()));
    let message = match nearest(word, names.chain(BARE).chain(PROTOCOLS)) {
        Some(near) => format!("there is no field {}: did you mean `{near}`?", cite(word)),
        None => {
            format!("there is no field {}: fields are for example src, dst, port, name, process, bytes", cite(word))
        }
    };
    FilterError::new(message, span)
}

fn wrong_operator(field: Field, operator: &str, place: Span, value: Span) -> FilterError {
    let d = field.descriptor();
    let message = format!("`{}` does not take `{operator}`: expected one of {}", d.name, d.kind.operators().join(", "));
    FilterError::new(message, Span { start: place.start, end: value.start.max(place.end) })
}
