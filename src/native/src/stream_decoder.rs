//! Incremental decoding: each character is given once nothing that follows can change it, so that all pieces
//! concatenate to the decode of the whole sequence. How far a decoder looks around differs by kind, hence `Rule`.

use std::sync::Arc;
use tokenizers::decoders::DecoderWrapper;
use tokenizers::{Decoder, Tokenizer};

pub struct StreamDecoder {
    tokenizer: Arc<Tokenizer>,
    skip_special_tokens: bool,
    rule: Rule,
    state: State,
}

/// What a decoder's result for one token depends on.
enum Rule {
    /// GPT-2 style: tokens are bytes, the text is their UTF-8 decoding.
    Bytes,
    /// SentencePiece style: replacements in each token, runs of byte tokens, leading characters stripped once.
    Pieces { replacements: Vec<DecoderWrapper>, byte_fallback: bool, strip: Option<(char, usize)> },
    /// The token itself and whether it is the first (Metaspace, WordPiece).
    Positional,
    /// No decoder: tokens joined by spaces.
    Joined,
    /// Anything else: the whole prefix is decoded again at every token, as the last one and with one after it.
    Whole,
}

#[derive(Default)]
struct State {
    tokens_seen: usize,
    /// Bytes that form no character yet: at most 3 for `Bytes`, a run of byte tokens for `Pieces`.
    pending: Vec<u8>,
    /// Characters that `strip` may still remove; None before the first token.
    strip_left: Option<usize>,
    /// For `Whole`: everything so far, and how many bytes of its text have been given.
    tokens: Vec<String>,
    given: usize,
}

impl StreamDecoder {
    pub fn new(tokenizer: Arc<Tokenizer>, skip_special_tokens: bool) -> Self {
        let rule = rule_of(tokenizer.get_decoder());
        StreamDecoder { tokenizer, skip_special_tokens, rule, state: State::default() }
    }

    /// Appends to `piece` the text that this token makes certain.
    pub fn push(&mut self, id: u32, piece: &mut String) -> Result<(), String> {
        let Some(token) = self.tokenizer.id_to_token(id) else { return Ok(()) };
        if self.skip_special_tokens && self.tokenizer.get_added_vocabulary().is_special_token(&token) {
            return Ok(());
        }
        let state = &mut self.state;
        state.tokens_seen += 1;
        match &self.rule {
            Rule::Bytes => {
                push_token_bytes(&token, &mut state.pending);
                drain_characters(&mut state.pending, piece);
            }
            Rule::Pieces { replacements, byte_fallback, strip } => {
                if let Some(byte) = byte_of_token(&token).filter(|_| *byte_fallback) {
                    state.pending.push(byte);
                    return Ok(());
                }
                let mut text = drain_run(&mut state.pending);
                let mut tokens = vec![token];
                for replacement in replacements {
                    tokens = replacement.decode_chain(tokens).map_err(|error| error.to_string())?;
                }
                text.push_str(&tokens.concat());
                push_stripped(&text, *strip, &mut state.strip_left, piece);
            }
            Rule::Positional => {
                let first = state.tokens_seen == 1;
                let tokens = if first { vec![token] } else { vec![String::new(), token] };
                if let Some(decoder) = self.tokenizer.get_decoder() {
                    let decoded = decoder.decode_chain(tokens).map_err(|error| error.to_string())?;
                    piece.push_str(&decoded[usize::from(!first)]);
                }
            }
            Rule::Joined => {
                if state.tokens_seen > 1 {
                    piece.push(' ');
                }
                piece.push_str(&token);
            }
            Rule::Whole => {
                state.tokens.push(token);
                let as_last = decode_whole(&self.tokenizer, &state.tokens)?;
                state.tokens.push(String::new());
                let as_inner = decode_whole(&self.tokenizer, &state.tokens)?;
                state.tokens.pop();
                // A trailing replacement character may be the first bytes of something real.
                let certain = common_prefix(&as_last, &as_inner).trim_end_matches('\u{fffd}');
                give_beyond(certain, &mut state.given, piece);
            }
        }
        Ok(())
    }

    /// The text still held back; the decoder then is as new.
    pub fn finish(&mut self) -> Result<String, String> {
        let mut state = std::mem::take(&mut self.state);
        let mut piece = String::new();
        match &self.rule {
            Rule::Bytes => piece.push_str(&String::from_utf8_lossy(&state.pending)),
            Rule::Pieces { strip, .. } => {
                push_stripped(&drain_run(&mut state.pending), *strip, &mut state.strip_left, &mut piece)
            }
            Rule::Positional | Rule::Joined => {}
            Rule::Whole => {
                let text = decode_whole(&self.tokenizer, &state.tokens)?;
                give_beyond(&text, &mut state.given, &mut piece);
            }
        }
        Ok(piece)
    }
}

fn rule_of(decoder: Option<&DecoderWrapper>) -> Rule {
    match decoder {
        None => Rule::Joined,
        Some(DecoderWrapper::ByteLevel(_)) => Rule::Bytes,
        Some(DecoderWrapper::Metaspace(_)) | Some(DecoderWrapper::WordPiece(_)) => Rule::Positional,
        Some(DecoderWrapper::Sequence(sequence)) => sequence_rule(sequence.get_decoders()),
        Some(single) => sequence_rule(std::slice::from_ref(single)),
    }
}

/// `Replace* ByteFallback? Fuse? (Strip of leading characters, after Fuse)?`, as Llama, Gemma and Mistral have it.
fn sequence_rule(decoders: &[DecoderWrapper]) -> Rule {
    if let [DecoderWrapper::ByteLevel(_)] = decoders {
        return Rule::Bytes;
    }
    let mut rest = decoders;
    let mut replacements = Vec::new();
    while let [replacement @ DecoderWrapper::Replace(_), tail @ ..] = rest {
        replacements.push(replacement.clone());
        rest = tail;
    }
    let byte_fallback = matches!(rest, [DecoderWrapper::ByteFallback(_), ..]);
    if byte_fallback {
        rest = &rest[1..];
    }
    let strip = match rest {
        [] | [DecoderWrapper::Fuse(_)] => None,
        [DecoderWrapper::Fuse(_), DecoderWrapper::Strip(strip)] if strip.stop == 0 => {
            Some((strip.content, strip.start))
        }
        _ => return Rule::Whole,
    };
    Rule::Pieces { replacements, byte_fallback, strip }
}

/// The bytes a GPT-2 style token stands for; a token outside that alphabet stands for its own text.
fn push_token_bytes(token: &str, bytes: &mut Vec<u8>) {
    let start = bytes.len();
    for character in token.chars() {
        match byte_of_character(character) {
            Some(byte) => bytes.push(byte),
            None => {
                bytes.truncate(start);
                bytes.extend_from_slice(token.as_bytes());
                return;
            }
        }
    }
}

/// GPT-2's printable stand-ins: printable Latin-1 stands for itself, the other 68 bytes for U+0100 onwards.
fn byte_of_character(character: char) -> Option<u8> {
    match u32::from(character) {
        code @ (0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff) => Some(code as u8),
        code @ 0x100..=0x120 => Some((code - 0x100) as u8),
        code @ 0x121..=0x142 => Some((code - 0x121 + 0x7f) as u8),
        0x143 => Some(0xad),
        _ => None,
    }
}

/// Moves everything but an unfinished last character to `text`, invalid bytes as U+FFFD.
fn drain_characters(bytes: &mut Vec<u8>, text: &mut String) {
    let mut start = 0;
    loop {
        match std::str::from_utf8(&bytes[start..]) {
            Ok(valid) => {
                text.push_str(valid);
                start = bytes.len();
                break;
            }
            Err(error) => {
                let valid_end = start + error.valid_up_to();
                text.push_str(std::str::from_utf8(&bytes[start..valid_end]).unwrap_or_default());
                start = valid_end;
                match error.error_len() {
                    Some(length) => {
                        text.push('\u{fffd}');
                        start += length;
                    }
                    None => break,
                }
            }
        }
    }
    bytes.drain(..start);
}

/// A finished run of byte tokens: its text, or one U+FFFD per byte if any byte is out of place.
fn drain_run(bytes: &mut Vec<u8>) -> String {
    let count = bytes.len();
    String::from_utf8(std::mem::take(bytes)).unwrap_or_else(|_| "\u{fffd}".repeat(count))
}

/// The byte of a token "<0xNN>".
fn byte_of_token(token: &str) -> Option<u8> {
    if token.len() == 6 && token.starts_with("<0x") && token.ends_with('>') {
        token.get(3..5).and_then(|digits| u8::from_str_radix(digits, 16).ok())
    } else {
        None
    }
}

fn push_stripped(text: &str, strip: Option<(char, usize)>, left: &mut Option<usize>, piece: &mut String) {
    let mut rest = text;
    if let Some((content, start)) = strip {
        let left = left.get_or_insert(start);
        while *left > 0 && !rest.is_empty() {
            match rest.strip_prefix(content) {
                Some(tail) => {
                    rest = tail;
                    *left -= 1;
                }
                None => *left = 0,
            }
        }
    }
    piece.push_str(rest);
}

fn decode_whole(tokenizer: &Tokenizer, tokens: &[String]) -> Result<String, String> {
    match tokenizer.get_decoder() {
        Some(decoder) => decoder.decode(tokens.to_vec()).map_err(|error| error.to_string()),
        None => Ok(tokens.join(" ")),
    }
}

fn common_prefix<'a>(left: &'a str, right: &str) -> &'a str {
    let same = left.chars().zip(right.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    &left[..same]
}

/// Appends what `text` has beyond the bytes already given.
fn give_beyond(text: &str, given: &mut usize, piece: &mut String) {
    if let Some(fresh) = text.get(*given..) {
        piece.push_str(fresh);
        *given = text.len();
    }
}
