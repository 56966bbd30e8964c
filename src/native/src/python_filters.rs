//! Jinja filters whose minijinja versions differ from Jinja's or trust their numbers.

use minijinja::value::Kwargs;
use minijinja::{Error, ErrorKind, Value};

const WIDEST_INDENT: i64 = 1 << 12;

/// indent(width=4, first=false, blank=false); the width may be the text itself.
pub fn indent(
    text: String,
    width: Option<Value>,
    first: Option<bool>,
    blank: Option<bool>,
    options: Kwargs,
) -> Result<String, Error> {
    let width = width.or(options.get("width")?).unwrap_or_else(|| Value::from(4));
    let first = first.or(options.get("first")?).unwrap_or(false);
    let blank = blank.or(options.get("blank")?).unwrap_or(false);
    options.assert_all_used()?;
    let indention = match (width.as_str(), width.as_i64()) {
        (Some(text), _) => text.to_string(),
        (None, Some(width)) if width <= WIDEST_INDENT => " ".repeat(width.max(0) as usize),
        _ => {
            let message = format!("indent: the width must be a text or a number up to {WIDEST_INDENT}, not {width}");
            return Err(Error::new(ErrorKind::InvalidOperation, message));
        }
    };
    let mut result = String::with_capacity(text.len());
    // As Jinja, which appends a newline before splitting: a trailing newline stays.
    for (index, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let indented = if index == 0 { first } else { blank || !line.is_empty() };
        if index > 0 {
            result.push('\n');
        }
        if indented {
            result.push_str(&indention);
        }
        result.push_str(line);
    }
    Ok(result)
}
