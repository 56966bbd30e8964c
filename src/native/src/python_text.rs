//! How Python prints values: `str()` and `repr()` of what templates hold.

use minijinja::value::{Tuple, ValueKind};
use minijinja::{Error, ErrorKind, Value};

/// Deeper values are not printed; JSON parsers stop earlier.
pub const DEEPEST: usize = 512;

/// str(value). Undefined prints as nothing, as in Jinja.
pub fn python_str(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::Undefined => Ok(String::new()),
        ValueKind::String => Ok(value.to_string()),
        _ => python_repr(value, 0),
    }
}

fn python_repr(value: &Value, depth: usize) -> Result<String, Error> {
    if depth > DEEPEST {
        return Err(Error::new(ErrorKind::InvalidOperation, format!("a value is nested deeper than {DEEPEST}")));
    }
    match value.kind() {
        ValueKind::String => Ok(quoted(value.as_str().unwrap_or_default())),
        ValueKind::Number => Ok(python_number(value)),
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value
                .try_iter()?
                .checked()
                .map(|item| python_repr(&item?, depth + 1))
                .collect::<Result<Vec<String>, Error>>()?;
            Ok(match value.downcast_object_ref::<Tuple>() {
                Some(_) if items.len() == 1 => format!("({},)", items[0]),
                Some(_) => format!("({})", items.join(", ")),
                None => format!("[{}]", items.join(", ")),
            })
        }
        ValueKind::Map => {
            let mut items = Vec::new();
            for key in value.try_iter()?.checked() {
                let key = key?;
                let item = python_repr(&value.get_item(&key)?, depth + 1)?;
                items.push(format!("{}: {item}", python_repr(&key, depth + 1)?));
            }
            Ok(format!("{{{}}}", items.join(", ")))
        }
        ValueKind::Undefined => Ok("Undefined".to_string()),
        ValueKind::Invalid => Err(Error::new(ErrorKind::BadSerialization, value.to_string())),
        _ => Ok(value.to_string()),
    }
}

/// Integers as they are, floats as repr(float).
pub fn python_number(value: &Value) -> String {
    match f64::try_from(value.clone()) {
        Ok(number) if !value.is_integer() => python_float(number),
        _ => value.to_string(),
    }
}

/// The shortest digits that read back the same; an exponent below 1e-4 and from 1e16 on.
fn python_float(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_string();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_string();
    }
    let scientific = format!("{number:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) || number == 0.0 {
        let plain = number.to_string();
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

/// repr(str): single quotes unless the text has them and no double ones.
fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut result = String::with_capacity(text.len() + 2);
    result.push(quote);
    for character in text.chars() {
        match character {
            '\n' => result.push_str("\\n"),
            '\r' => result.push_str("\\r"),
            '\t' => result.push_str("\\t"),
            '\\' => result.push_str("\\\\"),
            _ if character == quote => {
                result.push('\\');
                result.push(character);
            }
            _ if character.is_control() || character == '\u{a0}' || character == '\u{ad}' => {
                result.push_str(&format!("\\x{:02x}", u32::from(character)));
            }
            _ => result.push(character),
        }
    }
    result.push(quote);
    result
}
