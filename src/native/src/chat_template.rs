//! Chat templates as transformers renders them: Jinja with trimmed blocks, loop controls, Python's methods and
//! spelling of values, `raise_exception`, `strftime_now` and its own `tojson`.

use crate::ffi::{guard, text, Buffer};
use crate::json_filter::tojson;
use crate::python_filters::indent;
use crate::python_methods::call_method;
use crate::python_text::python_str;
use chrono::format::{Item, StrftimeItems};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, ValueKind};
use minijinja::{context, Environment, Error, ErrorKind, Value};

pub struct ChatTemplate {
    environment: Environment<'static>,
    source: String,
}

/// A template's own complaint, told apart from failures of rendering.
#[derive(Debug)]
struct Raised(String);

impl std::fmt::Display for Raised {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Raised {}

const NAME: &str = "chat template";

/// What one rendering may spend, in instructions and blocks of 64 bytes: bounds a hostile template to about a
/// second and 256 MB. A chat of a thousand messages takes some 50,000.
const FUEL: u64 = 4_000_000;

/// Published templates reach some 30 KB.
const LARGEST_SOURCE: usize = 1 << 16;
const STACK: usize = 128 << 20;

impl ChatTemplate {
    fn new(source: &str) -> Result<Self, Error> {
        if source.len() > LARGEST_SOURCE {
            let message = format!("the template has {} bytes, more than {LARGEST_SOURCE}", source.len());
            return Err(Error::new(ErrorKind::SyntaxError, message));
        }
        let template = ChatTemplate { environment: environment()?, source: neutralize_generation_tags(source) };
        on_deep_stack(|| template.environment.template_from_named_str(NAME, &template.source).map(drop))?;
        Ok(template)
    }

    /// `variables`: a JSON object. `now`: seconds since the epoch for strftime_now.
    fn render(&self, variables: &serde_json::Value, now: Option<i64>) -> Result<String, Error> {
        on_deep_stack(|| {
            // Compiling takes some 10 to 100 microseconds; a template that borrows its own source would need unsafe.
            let template = self.environment.template_from_named_str(NAME, &self.source)?;
            let strftime_now = Value::from_function(move |format: &str| strftime(format, now));
            template.render(context! { strftime_now, ..Value::from(Serde(variables)) })
        })
    }
}

/// Templates come with models that anybody may publish, and minijinja recurses without limit when it parses chains
/// such as `not not …` and when it frees values nested by a loop. With the limits on source and fuel this stack,
/// which costs only what is touched, holds the deepest.
fn on_deep_stack<T: Send>(work: impl FnOnce() -> Result<T, Error> + Send) -> Result<T, Error> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, work)
            .map_err(|error| Error::new(ErrorKind::InvalidOperation, format!("no thread to render on: {error}")))?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.set_fuel(Some(FUEL));
    environment.set_unknown_method_callback(call_method);
    environment.set_formatter(|out, _, value| out.write_str(&python_str(value)?).map_err(Error::from));
    environment.add_filter("tojson", tojson);
    environment.add_filter("indent", indent);
    environment.add_filter("string", |value: &Value| python_str(value).map(Value::from));
    // Python's strings and mappings are sequences, too, and None cannot be iterated.
    environment.add_test("sequence", |value: &Value| {
        matches!(value.kind(), ValueKind::Seq | ValueKind::String | ValueKind::Map | ValueKind::Undefined)
    });
    environment.add_test("iterable", |value: &Value| !value.is_none() && value.try_iter().is_ok());
    environment.add_function("raise_exception", |message: &Value| -> Result<Value, Error> {
        let message = python_str(message)?;
        Err(Error::new(ErrorKind::InvalidOperation, message.clone()).with_source(Raised(message)))
    });
    Ok(environment)
}

/// datetime.now().strftime(format), in local time.
fn strftime(format: &str, now: Option<i64>) -> Result<String, Error> {
    let time = match now {
        Some(seconds) => chrono::DateTime::from_timestamp(seconds, 0)
            .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, format!("{seconds} is no time")))?
            .with_timezone(&chrono::Local),
        None => chrono::Local::now(),
    };
    let items: Vec<Item> = StrftimeItems::new(format).collect();
    if items.iter().any(|item| matches!(item, Item::Error)) {
        return Err(Error::new(ErrorKind::InvalidOperation, format!("strftime_now: bad format {format:?}")));
    }
    Ok(time.format_with_items(items.iter()).to_string())
}

/// `{% generation %}` marks assistant text for loss masks and prints its body unchanged in a scope of its own:
/// `{% with %}` is just that, and keeps the tags' whitespace control.
fn neutralize_generation_tags(source: &str) -> String {
    let mut result = String::with_capacity(source.len());
    let mut rest = source;
    let mut raw = false;
    while let Some(start) = rest.find('{') {
        result.push_str(&rest[..start]);
        rest = &rest[start..];
        let (end, is_block) = match rest.as_bytes().get(1) {
            Some(b'%') => (tag_end(rest, "%}"), true),
            Some(b'{') if !raw => (tag_end(rest, "}}"), false),
            Some(b'#') if !raw => (rest.find("#}").map_or(rest.len(), |at| at + 2), false),
            _ => (1, false),
        };
        let tag = &rest[..end];
        let name = if is_block { block_name(tag) } else { "" };
        match name {
            "generation" if !raw => result.push_str(&tag.replacen("generation", "with", 1)),
            "endgeneration" if !raw => result.push_str(&tag.replacen("endgeneration", "endwith", 1)),
            // Inside {% raw %} only its end is a tag: step over one character of anything else.
            _ if raw && name != "endraw" => {
                result.push('{');
                rest = &rest[1..];
                continue;
            }
            _ => result.push_str(tag),
        }
        raw = if raw { name != "endraw" } else { name == "raw" };
        rest = &rest[end..];
    }
    result.push_str(rest);
    result
}

/// "generation" of "{%- generation -%}"; empty where the tag has more than one word.
fn block_name(tag: &str) -> &str {
    let inner = tag.strip_prefix("{%").and_then(|tag| tag.strip_suffix("%}")).unwrap_or_default();
    let inner = inner.strip_prefix(['-', '+']).unwrap_or(inner);
    inner.strip_suffix(['-', '+']).unwrap_or(inner).trim()
}

/// The length of a tag up to and with `close`, quoted strings passed over; to the end if it never closes.
fn tag_end(text: &str, close: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 2;
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'\'' | b'"') => {
                at += 1;
                while at < bytes.len() && bytes[at] != quote {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at += 1;
            }
            _ if bytes[at..].starts_with(close.as_bytes()) => return at + close.len(),
            _ => at += 1,
        }
    }
    text.len()
}

/// The template's own words if it raised them, else kind, detail and line.
fn message_of(error: &Error) -> String {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    let mut deepest = error.to_string();
    while let Some(current) = source {
        if let Some(raised) = current.downcast_ref::<Raised>() {
            return raised.0.clone();
        }
        if current.downcast_ref::<Error>().is_some() {
            deepest = current.to_string();
        }
        source = current.source();
    }
    deepest
}

#[no_mangle]
pub unsafe extern "C" fn cutd_chat_template_new(
    source: *const u8,
    size: usize,
    handle: *mut *mut ChatTemplate,
    out: *mut Buffer,
) -> i32 {
    handle.write(std::ptr::null_mut());
    guard(out, || {
        let template = ChatTemplate::new(text(source, size)?).map_err(|error| message_of(&error))?;
        handle.write(Box::into_raw(Box::new(template)));
        Ok(Vec::new())
    })
}

#[no_mangle]
pub unsafe extern "C" fn cutd_chat_template_free(handle: *mut ChatTemplate) {
    drop(Box::from_raw(handle));
}

#[no_mangle]
pub unsafe extern "C" fn cutd_chat_template_render(
    handle: *const ChatTemplate,
    variables: *const u8,
    size: usize,
    now: *const i64,
    out: *mut Buffer,
) -> i32 {
    guard(out, || {
        let variables: serde_json::Value =
            serde_json::from_str(text(variables, size)?).map_err(|error| error.to_string())?;
        let rendered = (*handle).render(&variables, now.as_ref().copied()).map_err(|error| message_of(&error))?;
        Ok(rendered.into_bytes())
    })
}
