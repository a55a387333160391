//! Reads a GraphQL query into fields: as much of the language as counting
//! needs, and the server's words for what does not parse.
//!
//! Knows no class and no cluster.

/// A field with what it asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// The name in the answer: the alias, or the name.
    pub(super) key: String,
    pub(super) name: String,
    pub(super) arguments: Vec<(String, String)>,
    pub(super) fields: Vec<Field>,
    pub(super) place: Place,
}

/// Where something stands in the query, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// What does not parse, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unparsable {
    pub(super) message: String,
    pub(super) place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Name(String),
    Text(String),
    Sign(char),
    End,
}

/// Reads a query.
pub(super) fn parse(query: &str) -> Result<Vec<Field>, Unparsable> {
    let mut reader = Reader { query, tokens: tokens(query), at: 0 };
    if matches!(reader.peek(), Token::Name(word) if word == "query") {
        reader.at += 1;
        if matches!(reader.peek(), Token::Name(_)) {
            reader.at += 1;
        }
    }
    reader.fields()
}

struct Reader<'a> {
    query: &'a str,
    tokens: Vec<(Token, Place)>,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> &Token {
        &self.tokens[self.at].0
    }

    /// Takes the next token; the last one, `End`, is never passed.
    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn fields(&mut self) -> Result<Vec<Field>, Unparsable> {
        self.sign('{')?;
        let mut fields = Vec::new();
        loop {
            fields.push(self.field()?);
            if *self.peek() == Token::Sign('}') {
                self.at += 1;
                return Ok(fields);
            }
        }
    }

    fn field(&mut self) -> Result<Field, Unparsable> {
        let place = self.place();
        let key = self.name()?;
        let mut name = key.clone();
        if *self.peek() == Token::Sign(':') {
            self.at += 1;
            name = self.name()?;
        }
        let mut arguments = Vec::new();
        if *self.peek() == Token::Sign('(') {
            self.at += 1;
            while *self.peek() != Token::Sign(')') {
                let name = self.name()?;
                self.sign(':')?;
                let (Token::Text(value) | Token::Name(value)) = self.peek().clone() else {
                    return Err(self.unexpected("Value"));
                };
                self.at += 1;
                arguments.push((name, value));
            }
            self.at += 1;
        }
        let fields = if *self.peek() == Token::Sign('{') { self.fields()? } else { Vec::new() };
        Ok(Field { key, name, arguments, fields, place })
    }

    fn name(&mut self) -> Result<String, Unparsable> {
        if !matches!(self.peek(), Token::Name(_)) {
            return Err(self.unexpected("Name"));
        }
        let Token::Name(name) = self.next() else { return Ok(String::new()) };
        Ok(name)
    }

    fn sign(&mut self, sign: char) -> Result<(), Unparsable> {
        if *self.peek() != Token::Sign(sign) {
            return Err(self.unexpected(&sign.to_string()));
        }
        self.at += 1;
        Ok(())
    }

    fn place(&self) -> Place {
        self.tokens[self.at].1
    }

    fn unexpected(&self, expected: &str) -> Unparsable {
        let place = self.place();
        let found = match self.peek() {
            Token::Name(name) => format!("Name \"{name}\""),
            Token::Text(text) => format!("String \"{text}\""),
            Token::Sign(sign) => sign.to_string(),
            Token::End => "EOF".to_owned(),
        };
        let Place { line, column } = place;
        let source = self.query.lines().nth(line - 1).unwrap_or_default();
        let caret = " ".repeat(column + line.to_string().len() + 1);
        Unparsable {
            message: format!(
                "Syntax Error GraphQL request ({line}:{column}) Expected {expected}, found \
                 {found}\n\n{line}: {source}\n{caret}^\n"
            ),
            place,
        }
    }
}

/// Cuts a query into tokens, each with where it begins.
fn tokens(query: &str) -> Vec<(Token, Place)> {
    let mut tokens = Vec::new();
    let mut next = Place { line: 1, column: 1 };
    // With its place each, because a query for 1,000 classes is one long line.
    let mut letters = query
        .chars()
        .map(|letter| {
            let place = next;
            next.column += 1;
            if letter == '\n' {
                next = Place { line: place.line + 1, column: 1 };
            }
            (place, letter)
        })
        .peekable();
    while let Some((start, letter)) = letters.next() {
        if letter.is_whitespace() || letter == ',' {
            continue;
        }
        let token = if letter == '"' {
            let text: String = letters
                .by_ref()
                .map(|(_, letter)| letter)
                .take_while(|&letter| letter != '"')
                .collect();
            Token::Text(text)
        } else if letter.is_alphanumeric() || letter == '_' || letter == '-' {
            let mut name = String::from(letter);
            while let Some((_, next)) = letters.next_if(|(_, c)| c.is_alphanumeric() || *c == '_') {
                name.push(next);
            }
            Token::Name(name)
        } else {
            Token::Sign(letter)
        };
        tokens.push((token, start));
    }
    drop(letters);
    tokens.push((Token::End, next));
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_aliases_and_arguments() {
        let fields = parse("query X { Aggregate { a: MT(tenant: \"t1\") { meta { count } } } }")
            .expect("a query");
        let class = &fields[0].fields[0];
        assert_eq!((class.key.as_str(), class.name.as_str()), ("a", "MT"));
        assert_eq!(class.arguments, [("tenant".to_owned(), "t1".to_owned())]);
        assert_eq!(class.fields[0].fields[0].name, "count");
        assert_eq!(class.place, Place { line: 1, column: 23 });
    }

    #[test]
    fn says_what_is_missing_where() {
        let error = parse("{Aggregate{Obj{meta{count}}}").expect_err("no query");
        assert_eq!(
            error.message,
            "Syntax Error GraphQL request (1:29) Expected Name, found EOF\n\n\
             1: {Aggregate{Obj{meta{count}}}\n                               ^\n"
        );
    }
}
