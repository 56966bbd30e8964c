//! The `tojson` filter as transformers defines it: Python's json.dumps with ensure_ascii off, keys in their
//! order, ", " and ": " between items, nothing escaped for HTML.

use crate::python_text::{python_number, DEEPEST};
use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, ErrorKind, Value};

/// tojson(ensure_ascii=false, indent=none, separators=none, sort_keys=false)
pub fn tojson(value: &Value, ensure_ascii: Option<bool>, options: Kwargs) -> Result<Value, Error> {
    let ensure_ascii = match ensure_ascii {
        Some(given) => given,
        None => options.get::<Option<bool>>("ensure_ascii")?.unwrap_or(false),
    };
    let indent = match options.get::<Option<Value>>("indent")? {
        None => None,
        Some(indent) if indent.is_none() => None,
        Some(indent) => Some(match (indent.as_str(), indent.as_i64()) {
            (Some(text), _) => text.to_string(),
            (None, Some(width)) => " ".repeat(width.clamp(0, 64) as usize),
            (None, None) => return Err(failure(format!("tojson: indent {indent} is no number"))),
        }),
    };
    let (item_separator, key_separator) = match options.get::<Option<Value>>("separators")? {
        Some(separators) if !separators.is_none() => separators_of(&separators)?,
        _ if indent.is_some() => (",".to_string(), ": ".to_string()),
        _ => (", ".to_string(), ": ".to_string()),
    };
    let sort_keys = options.get::<Option<bool>>("sort_keys")?.unwrap_or(false);
    options.assert_all_used()?;
    let mut writer = Writer { text: String::new(), ensure_ascii, indent, item_separator, key_separator, sort_keys };
    writer.value(value, 0)?;
    Ok(Value::from(writer.text))
}

fn separators_of(value: &Value) -> Result<(String, String), Error> {
    let parts: Vec<Value> = value.try_iter()?.collect();
    match parts.as_slice() {
        [item, key] => Ok((item.to_string(), key.to_string())),
        _ => Err(failure(format!("tojson: separators {value} are not a pair"))),
    }
}

fn failure(message: String) -> Error {
    Error::new(ErrorKind::BadSerialization, message)
}

struct Writer {
    text: String,
    ensure_ascii: bool,
    indent: Option<String>,
    item_separator: String,
    key_separator: String,
    sort_keys: bool,
}

impl Writer {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        if depth > DEEPEST {
            return Err(failure(format!("a value is nested deeper than {DEEPEST}")));
        }
        match value.kind() {
            ValueKind::None => self.text.push_str("null"),
            ValueKind::Bool => self.text.push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => self.text.push_str(&json_number(value)),
            ValueKind::String => self.string(value.as_str().unwrap_or_default()),
            ValueKind::Seq | ValueKind::Iterable => self.sequence(value, depth)?,
            ValueKind::Map => self.mapping(value, depth)?,
            kind => return Err(failure(format!("a value of type {kind} is not JSON serializable"))),
        }
        Ok(())
    }

    fn sequence(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        self.text.push('[');
        let mut empty = true;
        for item in value.try_iter()?.checked() {
            self.before_item(empty, depth + 1);
            self.value(&item?, depth + 1)?;
            empty = false;
        }
        self.after_items(empty, depth);
        self.text.push(']');
        Ok(())
    }

    fn mapping(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        let mut keys = value.try_iter()?.checked().collect::<Result<Vec<Value>, Error>>()?;
        if self.sort_keys {
            keys.sort();
        }
        self.text.push('{');
        let mut empty = true;
        for key in keys {
            self.before_item(empty, depth + 1);
            match key.kind() {
                ValueKind::String => self.string(key.as_str().unwrap_or_default()),
                ValueKind::None => self.text.push_str("\"null\""),
                ValueKind::Bool => self.text.push_str(if key.is_true() { "\"true\"" } else { "\"false\"" }),
                ValueKind::Number => self.text.push_str(&format!("\"{}\"", json_number(&key))),
                kind => return Err(failure(format!("a key of type {kind} is not JSON serializable"))),
            }
            self.text.push_str(&self.key_separator);
            self.value(&value.get_item(&key)?, depth + 1)?;
            empty = false;
        }
        self.after_items(empty, depth);
        self.text.push('}');
        Ok(())
    }

    fn before_item(&mut self, first: bool, depth: usize) {
        if !first {
            self.text.push_str(&self.item_separator);
        }
        self.new_line(depth);
    }

    fn after_items(&mut self, empty: bool, depth: usize) {
        if !empty {
            self.new_line(depth);
        }
    }

    fn new_line(&mut self, depth: usize) {
        if let Some(indent) = &self.indent {
            self.text.push('\n');
            self.text.push_str(&indent.repeat(depth));
        }
    }

    fn string(&mut self, text: &str) {
        self.text.push('"');
        for character in text.chars() {
            match character {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                '\t' => self.text.push_str("\\t"),
                '\u{8}' => self.text.push_str("\\b"),
                '\u{c}' => self.text.push_str("\\f"),
                '\0'..='\u{1f}' => self.escape(character),
                '\u{7f}'.. if self.ensure_ascii && character != '\u{7f}' => self.escape(character),
                _ => self.text.push(character),
            }
        }
        self.text.push('"');
    }

    /// \uXXXX, a surrogate pair beyond the basic plane.
    fn escape(&mut self, character: char) {
        for unit in character.encode_utf16(&mut [0; 2]) {
            self.text.push_str(&format!("\\u{unit:04x}"));
        }
    }
}

/// As Python spells them: NaN and Infinity included.
fn json_number(value: &Value) -> String {
    match python_number(value).as_str() {
        "nan" => "NaN".to_string(),
        "inf" => "Infinity".to_string(),
        "-inf" => "-Infinity".to_string(),
        number => number.to_string(),
    }
}
