//! Python methods on strings, lists and mappings beyond those of minijinja-contrib's pycompat.

use minijinja::value::{from_args, ValueKind};
use minijinja::{Error, ErrorKind, State, Value};
use minijinja_contrib::pycompat;

pub fn call_method(state: &mut State, value: &Value, name: &str, arguments: &[Value]) -> Result<Value, Error> {
    let result = match (value.kind(), value.as_str()) {
        (ValueKind::String, Some(text)) => string_method(text, name, arguments)?,
        (ValueKind::Seq, _) => sequence_method(value, name, arguments)?,
        _ => None,
    };
    match result {
        Some(result) => Ok(result),
        None => pycompat::unknown_method_callback(state, value, name, arguments),
    }
}

/// None: not a method of ours.
fn string_method(text: &str, name: &str, arguments: &[Value]) -> Result<Option<Value>, Error> {
    Ok(Some(match name {
        "removeprefix" => {
            let (prefix,): (&str,) = from_args(arguments)?;
            Value::from(text.strip_prefix(prefix).unwrap_or(text))
        }
        "removesuffix" => {
            let (suffix,): (&str,) = from_args(arguments)?;
            Value::from(text.strip_suffix(suffix).unwrap_or(text))
        }
        "partition" | "rpartition" => {
            let (separator,): (&str,) = from_args(arguments)?;
            partition(text, separator, name == "rpartition")?
        }
        "rsplit" => rsplit(text, arguments)?,
        "index" => {
            let (part,): (&str,) = from_args(arguments)?;
            let at = text.find(part).ok_or_else(|| failure("substring not found".to_string()))?;
            Value::from(text[..at].chars().count())
        }
        "ljust" | "rjust" | "center" => {
            let (width, fill): (i64, Option<&str>) = from_args(arguments)?;
            Value::from(justify(text, name, width, fill.unwrap_or(" "))?)
        }
        "zfill" => {
            let (width,): (i64,) = from_args(arguments)?;
            let (sign, digits) = match text.strip_prefix(['-', '+']) {
                Some(digits) => text.split_at(text.len() - digits.len()),
                None => ("", text),
            };
            Value::from(format!("{sign}{}", justify(digits, "rjust", width - sign.len() as i64, "0")?))
        }
        // pycompat formats, but would pad to any width.
        "format" if text.split(|character: char| !character.is_ascii_digit()).any(|digits| digits.len() > 4) => {
            return Err(failure("format: a width or precision above 9999".to_string()));
        }
        "casefold" => Value::from(text.to_lowercase()),
        "swapcase" => Value::from(text.chars().map(swap_case).collect::<String>()),
        _ => return Ok(None),
    }))
}

fn sequence_method(value: &Value, name: &str, arguments: &[Value]) -> Result<Option<Value>, Error> {
    if name != "index" {
        return Ok(None);
    }
    let (wanted,): (&Value,) = from_args(arguments)?;
    for (index, item) in value.try_iter()?.checked().enumerate() {
        if item? == *wanted {
            return Ok(Some(Value::from(index)));
        }
    }
    Err(failure(format!("{wanted} is not in list")))
}

fn partition(text: &str, separator: &str, from_right: bool) -> Result<Value, Error> {
    if separator.is_empty() {
        return Err(failure("empty separator".to_string()));
    }
    let parts = if from_right { text.rsplit_once(separator) } else { text.split_once(separator) };
    let parts = match (parts, from_right) {
        (Some((before, after)), _) => [before, separator, after],
        (None, false) => [text, "", ""],
        (None, true) => ["", "", text],
    };
    Ok(parts.into_iter().collect())
}

fn rsplit(text: &str, arguments: &[Value]) -> Result<Value, Error> {
    let (separator, most): (Option<&str>, Option<i64>) = from_args(arguments)?;
    let limit = most.filter(|most| *most >= 0).map_or(usize::MAX, |most| (most as usize).saturating_add(1));
    let mut parts: Vec<&str> = match separator {
        Some("") => return Err(failure("empty separator".to_string())),
        Some(separator) => text.rsplitn(limit, separator).collect(),
        None => rsplit_whitespace(text, limit),
    };
    parts.reverse();
    Ok(parts.into_iter().collect())
}

/// Words from the right, at most `limit` parts; the last part keeps its inner spaces.
fn rsplit_whitespace(text: &str, limit: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text.trim_end();
    while !rest.is_empty() && parts.len() + 1 < limit {
        match rest.char_indices().rev().find(|(_, character)| character.is_whitespace()) {
            Some((at, character)) => {
                parts.push(&rest[at + character.len_utf8()..]);
                rest = rest[..at].trim_end();
            }
            None => {
                parts.push(rest);
                rest = "";
            }
        }
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    parts
}

fn justify(text: &str, name: &str, width: i64, fill: &str) -> Result<String, Error> {
    const WIDEST: i64 = 1 << 20;
    if fill.chars().count() != 1 || width > WIDEST {
        return Err(failure(format!("{name}: a width up to {WIDEST} and one fill character are needed")));
    }
    let missing = (width.max(0) as usize).saturating_sub(text.chars().count());
    let left = match name {
        "ljust" => 0,
        "rjust" => missing,
        // CPython's rule for the odd space.
        _ => missing / 2 + (missing & width as usize & 1),
    };
    Ok(format!("{}{text}{}", fill.repeat(left), fill.repeat(missing - left)))
}

fn swap_case(character: char) -> String {
    if character.is_uppercase() {
        character.to_lowercase().collect()
    } else {
        character.to_uppercase().collect()
    }
}

fn failure(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}
