//! Hugging Face `tokenizers` behind opaque handles. A handle is immutable once built and may be used from
//! several threads; a stream decoder keeps its tokenizer alive and belongs to one thread at a time.

use crate::ffi::{guard, slice, text, Buffer, NOT_FOUND, OK};
use crate::stream_decoder::StreamDecoder;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;
use tokenizers::{AddedToken, ModelWrapper, Tokenizer};

/// No model's vocabulary comes near this; an id beyond it is a damaged file, not a token.
const MAX_TOKEN_ID: u32 = 1 << 24;

pub struct TokenizerHandle {
    tokenizer: Arc<Tokenizer>,
}

/// What tokenizer_config.json adds: an entry of `added_tokens_decoder` or a named special token.
#[derive(Deserialize)]
struct ExtraToken {
    content: String,
    special: bool,
    single_word: bool,
    lstrip: bool,
    rstrip: bool,
    normalized: bool,
}

#[derive(Deserialize)]
struct ListedToken {
    id: u32,
    content: String,
}

/// The part of tokenizer.json that is checked before the library interprets it.
#[derive(Deserialize)]
struct Outline {
    #[serde(default)]
    added_tokens: Vec<ListedToken>,
}

fn load(json: &[u8], extra_tokens: &str) -> Result<Tokenizer, String> {
    let outline: Outline = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    check_ids_are_distinct(outline.added_tokens.iter().map(|token| (token.content.as_str(), token.id)))?;
    let mut tokenizer = Tokenizer::from_bytes(json).map_err(|error| error.to_string())?;
    check_ids_are_distinct(tokenizer.get_vocab(false).iter().map(|(token, id)| (token.as_str(), *id)))?;

    // Lengths are the callers' business, and encoding must be a function of the text alone.
    tokenizer.with_truncation(None).map_err(|error| error.to_string())?;
    tokenizer.with_padding(None);
    if let ModelWrapper::BPE(model) = tokenizer.get_model() {
        if model.dropout.is_some_and(|dropout| dropout > 0.0) {
            let mut model = model.clone();
            model.dropout = None;
            tokenizer.with_model(model);
        }
    }
    add_missing_tokens(&mut tokenizer, extra_tokens)?;
    Ok(tokenizer)
}

fn check_ids_are_distinct<'a>(tokens: impl Iterator<Item = (&'a str, u32)>) -> Result<(), String> {
    let mut owners: HashMap<u32, &str> = HashMap::new();
    for (token, id) in tokens {
        if id >= MAX_TOKEN_ID {
            return Err(format!("token {token:?} has id {id}; ids above {MAX_TOKEN_ID} are not usable"));
        }
        if let Some(other) = owners.insert(id, token) {
            if other != token {
                return Err(format!("tokens {other:?} and {token:?} share id {id}"));
            }
        }
    }
    Ok(())
}

/// As transformers does: tokens the model's files name but tokenizer.json does not list are matched whole too.
fn add_missing_tokens(tokenizer: &mut Tokenizer, extra_tokens: &str) -> Result<(), String> {
    let extra: Vec<ExtraToken> = serde_json::from_str(extra_tokens).map_err(|error| error.to_string())?;
    let known = tokenizer.get_added_tokens_decoder();
    let missing: Vec<AddedToken> = extra
        .into_iter()
        .filter(|token| !token.content.is_empty() && !known.values().any(|other| other.content == token.content))
        .map(|token| {
            AddedToken::from(token.content, token.special)
                .single_word(token.single_word)
                .lstrip(token.lstrip)
                .rstrip(token.rstrip)
                .normalized(token.normalized)
        })
        .collect();
    tokenizer.add_tokens(missing).map_err(|error| error.to_string())?;
    Ok(())
}

fn id_bytes(ids: &[u32]) -> Vec<u8> {
    ids.iter().flat_map(|id| id.to_ne_bytes()).collect()
}

/// Ids as the C side has them. Those no u32 can hold are in no vocabulary and decode to nothing.
pub fn usable_ids(ids: &[i64]) -> Result<Vec<u32>, String> {
    if let Some(id) = ids.iter().find(|id| **id < 0) {
        return Err(format!("{id} is not a token id"));
    }
    Ok(ids.iter().filter_map(|id| u32::try_from(*id).ok()).collect())
}

pub unsafe fn id_slice<'a>(ids: *const i64, count: usize) -> &'a [i64] {
    if count == 0 {
        &[]
    } else {
        std::slice::from_raw_parts(ids, count)
    }
}

#[no_mangle]
pub unsafe extern "C" fn cutd_tokenizer_new(
    json: *const u8,
    json_size: usize,
    extra_tokens: *const u8,
    extra_tokens_size: usize,
    handle: *mut *mut TokenizerHandle,
    out: *mut Buffer,
) -> i32 {
    handle.write(std::ptr::null_mut());
    guard(out, || {
        let tokenizer = load(slice(json, json_size), text(extra_tokens, extra_tokens_size)?)?;
        handle.write(Box::into_raw(Box::new(TokenizerHandle { tokenizer: Arc::new(tokenizer) })));
        Ok(Vec::new())
    })
}

#[no_mangle]
pub unsafe extern "C" fn cutd_tokenizer_free(handle: *mut TokenizerHandle) {
    drop(Box::from_raw(handle));
}

#[no_mangle]
pub unsafe extern "C" fn cutd_tokenizer_encode(
    handle: *const TokenizerHandle,
    input: *const u8,
    input_size: usize,
    add_special_tokens: bool,
    out: *mut Buffer,
) -> i32 {
    guard(out, || {
        let input = text(input, input_size)?;
        let encoding =
            (*handle).tokenizer.encode_fast(input, add_special_tokens).map_err(|error| error.to_string())?;
        Ok(id_bytes(encoding.get_ids()))
    })
}

/// A text of the caller's.
#[repr(C)]
pub struct Slice {
    data: *const u8,
    size: usize,
}

#[no_mangle]
pub unsafe extern "C" fn cutd_tokenizer_encode_batch(
    handle: *const TokenizerHandle,
    inputs: *const Slice,
    count: usize,
    add_special_tokens: bool,
    out: *mut Buffer,
) -> i32 {
    guard(out, || {
        let inputs = if count == 0 { &[] } else { std::slice::from_raw_parts(inputs, count) };
        let inputs: Vec<&str> =
            inputs.iter().map(|input| text(input.data, input.size)).collect::<Result<_, String>>()?;
        let encodings = (*handle)
            .tokenizer
            .encode_batch_fast(inputs, add_special_tokens)
            .map_err(|error| error.to_string())?;
        let mut result: Vec<u32> = encodings.iter().map(|encoding| encoding.len() as u32).collect();
        encodings.iter().for_each(|encoding| result.extend_from_slice(encoding.get_ids()));
        Ok(id_bytes(&result))
    })
}

#[no_mangle]
pub unsafe extern "C" fn cutd_tokenizer_decode(
    handle: *const TokenizerHandle,
    ids: *const i64,
    count: usize,
    skip_special_tokens: bool,
    out: *mut Buffer,
) -> i32 {
    guard(out, || {
        let ids = usable_ids(id_slice(ids, count))?;
        let decoded =
            (*handle).tokenizer.decode(&ids, skip_special_tokens).map_err(|error| error.to_string())?;
        Ok(decoded.into_bytes())
    })
}

#[no_mangle]
pub unsafe extern "C" fn cutd_tokenizer_token(handle: *const TokenizerHandle, id: i64, out: *mut Buffer) -> i32 {
    let mut found = false;
    let code = guard(out, || {
        let token = u32::try_from(id).ok().and_then(|id| (*handle).tokenizer.id_to_token(id));
        found = token.is_some();
        Ok(token.unwrap_or_default().into_bytes())
    });
    if code == OK && !found {
        NOT_FOUND
    } else {
        code
    }
}

#[no_mangle]
pub unsafe extern "C" fn cutd_tokenizer_id(
    handle: *const TokenizerHandle,
    token: *const u8,
    token_size: usize,
    id: *mut u32,
    out: *mut Buffer,
) -> i32 {
    let mut found = false;
    let code = guard(out, || {
        if let Some(known) = (*handle).tokenizer.token_to_id(text(token, token_size)?) {
            id.write(known);
            found = true;
        }
        Ok(Vec::new())
    });
    if code == OK && !found {
        NOT_FOUND
    } else {
        code
    }
}

#[no_mangle]
pub unsafe extern "C" fn cutd_tokenizer_vocabulary_size(handle: *const TokenizerHandle) -> usize {
    (*handle).tokenizer.get_vocab_size(true)
}

#[no_mangle]
pub unsafe extern "C" fn cutd_tokenizer_special_ids(handle: *const TokenizerHandle, out: *mut Buffer) -> i32 {
    guard(out, || {
        let mut ids: Vec<u32> = (*handle)
            .tokenizer
            .get_added_tokens_decoder()
            .iter()
            .filter(|(_, token)| token.special)
            .map(|(id, _)| *id)
            .collect();
        ids.sort_unstable();
        Ok(id_bytes(&ids))
    })
}

#[no_mangle]
pub unsafe extern "C" fn cutd_decoder_new(
    handle: *const TokenizerHandle,
    skip_special_tokens: bool,
    decoder: *mut *mut StreamDecoder,
    out: *mut Buffer,
) -> i32 {
    decoder.write(std::ptr::null_mut());
    guard(out, || {
        let stream = StreamDecoder::new((*handle).tokenizer.clone(), skip_special_tokens);
        decoder.write(Box::into_raw(Box::new(stream)));
        Ok(Vec::new())
    })
}

#[no_mangle]
pub unsafe extern "C" fn cutd_decoder_free(decoder: *mut StreamDecoder) {
    drop(Box::from_raw(decoder));
}

#[no_mangle]
pub unsafe extern "C" fn cutd_decoder_push(
    decoder: *mut StreamDecoder,
    ids: *const i64,
    count: usize,
    out: *mut Buffer,
) -> i32 {
    guard(out, || {
        let mut piece = String::new();
        for id in usable_ids(id_slice(ids, count))? {
            (*decoder).push(id, &mut piece)?;
        }
        Ok(piece.into_bytes())
    })
}

#[no_mangle]
pub unsafe extern "C" fn cutd_decoder_finish(decoder: *mut StreamDecoder, out: *mut Buffer) -> i32 {
    guard(out, || Ok((*decoder).finish()?.into_bytes()))
}
