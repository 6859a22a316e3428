//! Words, quoted texts and signs of an expression.

use super::ExprError;

/// One token and where it starts, counted in characters from 1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Token<'s> {
    pub(crate) at: usize,
    pub(crate) what: What<'s>,
}

/// What a token is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum What<'s> {
    /// Between double quotes, without them.
    Quoted(&'s str),
    Sign(&'static str),
    /// A name, path, number or keyword.
    Word(&'s str),
}

/// Cuts `source` into tokens.
///
/// # Errors
///
/// A character that begins no token, or a quote that does not end.
pub(crate) fn tokens(source: &str) -> Result<Vec<Token<'_>>, ExprError> {
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let at = source[..source.len() - rest.len()].chars().count() + 1;
        let fail = |problem: &str| ExprError {
            at,
            problem: problem.to_owned(),
        };
        if first.is_whitespace() {
            rest = &rest[first.len_utf8()..];
        } else if let Some(text) = rest.strip_prefix('"') {
            let end = text
                .find('"')
                .ok_or_else(|| fail("the quote does not end"))?;
            found.push(Token {
                at,
                what: What::Quoted(&text[..end]),
            });
            rest = &text[end + 1..];
        } else if is_word(first) {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            found.push(Token {
                at,
                what: What::Word(&rest[..end]),
            });
            rest = &rest[end..];
        } else {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
            let sign = sign.ok_or_else(|| fail("this character means nothing here"))?;
            found.push(Token {
                at,
                what: What::Sign(sign),
            });
            rest = &rest[sign.len()..];
        }
    }
    Ok(found)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '.'
}

/// Longer signs before those they begin with.
const SIGNS: [&str; 15] = [
    "=>", "!=", "<=", ">=", "=", "<", ">", "(", ")", "{", "}", ",", ":", "+", "-",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_words_and_quotes_are_told_apart() {
        let source = "A.B>=0 => x in {-1,\"*\"}";
        let texts: Vec<String> = tokens(source)
            .unwrap()
            .iter()
            .map(|token| match token.what {
                What::Quoted(text) => format!("q{text}"),
                What::Sign(sign) => sign.to_owned(),
                What::Word(word) => word.to_owned(),
            })
            .collect();
        assert_eq!(texts.join(" "), "A.B >= 0 => x in { - 1 , q* }");
    }

    #[test]
    fn an_error_counts_characters_not_bytes() {
        assert_eq!(tokens("甲 = ;").unwrap_err().at, 5);
        assert_eq!(tokens("甲 = \"x").unwrap_err().at, 5);
    }
}
