//! The elements that hold text, one by one.

use zeroize::Zeroizing;

use super::{Limits, Scanner, Token, XmlError};

/// Calls `leaf` with path and text of every element without a child element.
///
/// The path is made of local names from the root on, `Document/Msg/ResultCode`:
/// senders differ in their prefixes. References in the text are resolved.
///
/// # Errors
///
/// See [`XmlError`]. `leaf` may have seen the document's beginning by then.
pub fn leaves(
    document: &[u8],
    limits: Limits,
    mut leaf: impl FnMut(&str, &str),
) -> Result<(), XmlError> {
    let mut scanner = Scanner::new(document, limits)?;
    let mut path = String::new();
    // Length of the path before each open element.
    let mut open = Vec::new();
    let mut text = Zeroizing::new(String::new());
    let mut childless = false;
    while let Some(token) = scanner.next()? {
        match token {
            Token::Open { name, .. } => {
                open.push(path.len());
                if !path.is_empty() {
                    path.push('/');
                }
                path.push_str(name.split_once(':').map_or(name, |(_, local)| local));
                text.clear();
                childless = true;
            }
            Token::Text(piece) => text.push_str(piece),
            Token::Char(c) => text.push(c),
            Token::Close => {
                if childless {
                    leaf(&path, &text);
                }
                path.truncate(open.pop().unwrap_or(0));
                childless = false;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_comes_with_path_and_resolved_text() {
        let document = b"<s:a x='1'><b>1 &lt;\n<![CDATA[<2>]]>&#13;</b><!-- c --><c/> </s:a>";
        let mut found = Vec::new();
        let end = leaves(document, Limits::default(), |path, text| {
            found.push((path.to_owned(), text.to_owned()));
        });
        assert_eq!(end, Ok(()));
        let expected = [("a/b", "1 <\n<2>\r"), ("a/c", "")];
        assert_eq!(
            found,
            expected.map(|(path, text)| (path.to_owned(), text.to_owned()))
        );
    }

    #[test]
    fn a_defect_after_the_leaves_still_fails() {
        let end = leaves(b"<a><b>1</b>", Limits::default(), |_, _| {});
        assert_eq!(end, Err(XmlError::CutShort));
    }
}
