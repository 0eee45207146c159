//! Tonel, Pharo's source file format: `X.class.st`, `X.trait.st`, `X.extension.st` and `package.st`.
//!
//! The reader takes files apart and compiles nothing: methods come out as source text with their place in the file.
//! Where a method's body ends is decided by the lexer, so `$]`, strings, comments and literal arrays cannot mislead it.

use super::ast::Span;
use super::error::line_and_column;
use super::lexer::{Lexer, Mode, Token, TokenKind};
use super::ston::{self, Ston};

/// What is wrong with a Tonel file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct TonelError {
    /// The file's name, as the caller gave it.
    pub file: String,
    /// 1-based.
    pub line: u32,
    /// 1-based, in characters.
    pub column: u32,
    /// One sentence.
    pub message: String,
}

/// The contents of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TonelFile {
    /// What the file defines.
    pub definition: Definition,
    /// The methods, in file order.
    pub methods: Vec<MethodDefinition>,
}

/// What a file defines, from its head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Definition {
    /// `Class { … }` or `Trait { … }`
    Class(Box<ClassDefinition>),
    /// `Extension { #name : #X }`: methods of a class that is defined elsewhere.
    Extension {
        /// The class's name.
        class_name: String,
    },
    /// `Package { #name : 'X' }`
    Package {
        /// The package's name.
        name: String,
    },
}

/// A class or trait.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassDefinition {
    /// Its name.
    pub name: String,
    /// Whether it is a trait.
    pub is_trait: bool,
    /// The class comment; empty when there is none.
    pub comment: String,
    /// Name of the superclass; None for the root, whose file says `nil`, and for traits.
    pub superclass: Option<String>,
    /// Layout of the instances: `normal`, `variable`, `bytes`, `words`, `weak`, `immediate`, …
    pub layout: String,
    /// Instance variables.
    pub instance_variables: Vec<String>,
    /// Class variables.
    pub class_variables: Vec<String>,
    /// Instance variables of the class itself.
    pub class_instance_variables: Vec<String>,
    /// Shared pools.
    pub pools: Vec<String>,
    /// The trait composition expression, empty when there is none.
    pub traits: String,
    /// The trait composition expression of the class side, empty when there is none.
    pub class_traits: String,
    /// `Package-Tag`, or what stands for it in the file.
    pub category: String,
    /// The package.
    pub package: String,
    /// The tag within the package; empty when there is none.
    pub tag: String,
}

/// A method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodDefinition {
    /// The class it belongs to.
    pub class_name: String,
    /// Whether it is a method of the class itself.
    pub is_class_side: bool,
    /// Its protocol; empty when the file gives none.
    pub protocol: String,
    /// The source, pattern and body without the brackets: what the compiler takes.
    pub source: String,
    /// Where the pattern stands in the file.
    pattern: Span,
    /// Where the body begins in the file.
    body_start: u32,
}

impl MethodDefinition {
    /// Where the character of `source` with the 0-based index `offset` stands in the file: 0-based.
    pub fn file_offset(&self, offset: u32) -> u32 {
        let pattern_length = self.pattern.end - self.pattern.start;
        if offset < pattern_length {
            self.pattern.start + offset
        } else {
            self.body_start + (offset - pattern_length)
        }
    }

    /// The message pattern, without the body.
    pub fn pattern(&self) -> String {
        let length = self.pattern.end - self.pattern.start;
        self.source.chars().take(length as usize).collect()
    }
}

/// Reads the file named `file` with the contents `source`.
///
/// # Errors
/// Where the file's structure is broken. Whether its methods compile is not looked at.
pub fn read(file: &str, source: &str) -> Result<TonelFile, TonelError> {
    let reader = Reader {
        characters: source.chars().collect(),
        lexer: Lexer::new(source),
        position: 0,
    };
    reader.file().map_err(|failure| {
        let (line, column) = line_and_column(source, failure.position as u32);
        TonelError {
            file: file.to_owned(),
            line,
            column,
            message: failure.message,
        }
    })
}

struct Failure {
    message: String,
    position: usize,
}

struct Reader {
    characters: Vec<char>,
    lexer: Lexer,
    position: usize,
}

impl Reader {
    fn file(mut self) -> Result<TonelFile, Failure> {
        let comment = self.comment()?;
        self.skip_blanks();
        let head = self.position;
        let kind: String = self.characters[head..]
            .iter()
            .take_while(|c| c.is_alphabetic())
            .collect();
        self.position += kind.chars().count();
        let is_trait = match kind.as_str() {
            "Class" | "Extension" | "Package" => false,
            "Trait" => true,
            _ => {
                return Err(Failure {
                    message: "Class, Trait, Extension or Package expected".to_owned(),
                    position: head,
                });
            }
        };
        let map = self.ston()?;
        let name = text(&map, "name");
        if name.is_empty() {
            return Err(Failure {
                message: format!("{kind} {{ … }} without #name"),
                position: head,
            });
        }
        let definition = match kind.as_str() {
            "Package" => Definition::Package { name },
            "Extension" => Definition::Extension { class_name: name },
            _ => Definition::Class(Box::new(class_definition(&map, name, is_trait, comment))),
        };
        let mut methods = Vec::new();
        self.skip_blanks();
        while self.position < self.characters.len() {
            methods.push(self.method()?);
            self.skip_blanks();
        }
        Ok(TonelFile {
            definition,
            methods,
        })
    }

    fn skip_blanks(&mut self) {
        while self
            .characters
            .get(self.position)
            .is_some_and(|c| c.is_whitespace() || *c == '\u{feff}')
        {
            self.position += 1;
        }
    }

    /// The comment before the head, its doubled quotes undone.
    fn comment(&mut self) -> Result<String, Failure> {
        self.skip_blanks();
        let start = self.position;
        if self.characters.get(start) != Some(&'"') {
            return Ok(String::new());
        }
        let mut text = String::new();
        self.position += 1;
        loop {
            match self.characters.get(self.position) {
                None => {
                    return Err(Failure {
                        message: "The comment that begins here has no end".to_owned(),
                        position: start,
                    });
                }
                Some('"') if self.characters.get(self.position + 1) == Some(&'"') => {
                    text.push('"');
                    self.position += 2;
                }
                Some('"') => break,
                Some(character) => {
                    text.push(*character);
                    self.position += 1;
                }
            }
        }
        self.position += 1;
        Ok(text.trim_matches(['\n', '\r']).to_owned())
    }

    fn ston(&mut self) -> Result<Ston, Failure> {
        let (value, end) =
            ston::read(&self.characters, self.position).map_err(|error| Failure {
                message: error.message,
                position: error.position,
            })?;
        self.position = end;
        Ok(value)
    }

    /// `{ #category : #x } Foo class >> pattern [ body ]`
    fn method(&mut self) -> Result<MethodDefinition, Failure> {
        let protocol = if self.characters[self.position] == '{' {
            text(&self.ston()?, "category")
        } else {
            String::new()
        };
        self.lexer.seek(self.position as u32);
        let (class_name, is_class_side) = self.owner()?;
        let (pattern, open) = self.pattern()?;
        let close = self.body_end(open)?;
        self.position = close.end as usize;
        let pattern_text = self.lexer.text(pattern);
        let body = self.lexer.text(Span::new(open.end, close.start));
        Ok(MethodDefinition {
            class_name,
            is_class_side,
            protocol,
            source: pattern_text + body.trim_end(),
            pattern,
            body_start: open.end,
        })
    }

    /// `Foo >>` or `Foo class >>`
    fn owner(&mut self) -> Result<(String, bool), Failure> {
        let token = self.lexer.next(Mode::Code);
        let TokenKind::Identifier(class_name) = token.kind else {
            return Err(expected("a method, 'ClassName >> pattern [ … ]',", &token));
        };
        let mut token = self.lexer.next(Mode::Code);
        let is_class_side = matches!(&token.kind, TokenKind::Identifier(word) if word == "class" || word == "classTrait");
        if is_class_side {
            token = self.lexer.next(Mode::Code);
        }
        match &token.kind {
            TokenKind::Binary(operator) if operator == ">>" => Ok((class_name, is_class_side)),
            _ => Err(expected("'>>'", &token)),
        }
    }

    /// The message pattern, and the bracket that opens the body.
    fn pattern(&mut self) -> Result<(Span, Span), Failure> {
        let mut pattern: Option<Span> = None;
        loop {
            let token = self.lexer.next(Mode::Code);
            match token.kind {
                TokenKind::Special('[') => {
                    return match pattern {
                        Some(pattern) => Ok((pattern, token.span)),
                        None => Err(expected("a message pattern", &token)),
                    };
                }
                TokenKind::End => return Err(expected("'['", &token)),
                _ => pattern = Some(pattern.map_or(token.span, |p| p.to(token.span))),
            }
        }
    }

    /// The bracket that closes the body which `open` opened.
    fn body_end(&mut self, open: Span) -> Result<Span, Failure> {
        let mut brackets = 1;
        loop {
            let token = self.lexer.next(Mode::Code);
            match token.kind {
                TokenKind::Special('[') | TokenKind::ByteArrayStart => brackets += 1,
                TokenKind::Special(']') => {
                    brackets -= 1;
                    if brackets == 0 {
                        return Ok(token.span);
                    }
                }
                TokenKind::ArrayStart => self.skip_literal_array(),
                TokenKind::Error { cause, at } if at as usize == self.characters.len() => {
                    return Err(Failure {
                        message: cause,
                        position: token.span.start as usize,
                    });
                }
                TokenKind::End => {
                    return Err(Failure {
                        message: "The method body that begins here has no closing bracket"
                            .to_owned(),
                        position: open.start as usize,
                    });
                }
                _ => {}
            }
        }
    }

    /// Brackets inside a literal array are symbols.
    fn skip_literal_array(&mut self) {
        let mut open = 1;
        while open > 0 {
            match self.lexer.next(Mode::LiteralArray).kind {
                TokenKind::Special('(') | TokenKind::ArrayStart => open += 1,
                TokenKind::Special(')') => open -= 1,
                TokenKind::End => return,
                _ => {}
            }
        }
    }
}

fn expected(what: &str, token: &Token) -> Failure {
    Failure {
        message: format!("{what} expected"),
        position: token.span.start as usize,
    }
}

fn class_definition(map: &Ston, name: String, is_trait: bool, comment: String) -> ClassDefinition {
    let category = text(map, "category");
    let mut package = text(map, "package");
    let mut tag = text(map, "tag");
    if package.is_empty() {
        package.clone_from(&category);
    } else if tag.is_empty() {
        category
            .strip_prefix(&package)
            .and_then(|rest| rest.strip_prefix('-'))
            .unwrap_or("")
            .clone_into(&mut tag);
    }
    let layout = match text(map, "type") {
        layout if layout.is_empty() => "normal".to_owned(),
        layout => layout,
    };
    let superclass = text(map, "superclass");
    ClassDefinition {
        name,
        is_trait,
        comment,
        superclass: (!superclass.is_empty() && superclass != "nil").then_some(superclass),
        layout,
        instance_variables: names(map, "instVars"),
        class_variables: names(map, "classVars"),
        class_instance_variables: names(map, "classInstVars"),
        pools: names(map, "pools"),
        traits: text(map, "traits"),
        class_traits: text(map, "classTraits"),
        category,
        package,
        tag,
    }
}

fn text(map: &Ston, key: &str) -> String {
    map.get(key)
        .and_then(Ston::as_text)
        .unwrap_or("")
        .to_owned()
}

/// The names in a list of variables: `'a'`, or a slot definition such as `'#a => WeakSlot'`.
fn names(map: &Ston, key: &str) -> Vec<String> {
    let Some(Ston::List(elements)) = map.get(key) else {
        return Vec::new();
    };
    elements
        .iter()
        .filter_map(Ston::as_text)
        .map(|text| {
            let name = text.trim_start_matches('#');
            let end = name
                .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                .unwrap_or(name.len());
            name[..end].to_owned()
        })
        .collect()
}
