// The C ABI of the Rust text library (src/native/src). Only core/ and text/ include this header.
//
// Conventions: strings are UTF-8 with explicit sizes; an entry that returns `int` gives
// CUTD_NATIVE_OK and its result, or another code and the error's text, in the same `out` buffer,
// which the caller frees with cutd_buffer_free in both cases. No entry lets a panic escape.
// Handles are used by one thread at a time unless an entry says otherwise. Entries that make a handle
// write it to their `T**` argument, null on failure; none of the others accepts a null handle.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { CUTD_NATIVE_OK = 0, CUTD_NATIVE_FAILED = 1, CUTD_NATIVE_PANICKED = 2, CUTD_NATIVE_NOT_FOUND = 3 };

typedef struct CutdBuffer {
  uint8_t* data;
  size_t size;
  size_t capacity;
} CutdBuffer;

void cutd_buffer_free(CutdBuffer buffer);

typedef struct CutdSha256 CutdSha256;
CutdSha256* cutd_sha256_new(void);
void cutd_sha256_update(CutdSha256* state, const uint8_t* data, size_t size);
void cutd_sha256_finish(CutdSha256* state, uint8_t digest[32]);  // frees the state
void cutd_sha256_free(CutdSha256* state);
void cutd_sha512(const uint8_t* data, size_t size, uint8_t digest[64]);

// One YAML document as JSON text; duplicate keys are an error.
int cutd_yaml_to_json(const uint8_t* data, size_t size, CutdBuffer* out);

// The first time after `after` (seconds since the epoch) that a cron expression names in a zone, as JSON:
// {"at": seconds, "local": text}.
int cutd_next_occurrence(const uint8_t* cron, size_t cron_size, const uint8_t* zone, size_t zone_size, int64_t after,
                         CutdBuffer* out);

// Token ids come back in `out` as an array of uint32_t in the machine's byte order.
//
// A tokenizer from the bytes of a tokenizer.json. Truncation, padding and dropout in it are ignored.
// `extra_tokens`: JSON array of {content, special, single_word, lstrip, rstrip, normalized}, added where missing.
// All cutd_tokenizer_* entries that take a const handle may run in several threads at once.
typedef struct CutdTokenizer CutdTokenizer;
int cutd_tokenizer_new(const uint8_t* json, size_t json_size, const uint8_t* extra_tokens, size_t extra_tokens_size,
                       CutdTokenizer** tokenizer, CutdBuffer* out);
void cutd_tokenizer_free(CutdTokenizer* tokenizer);
int cutd_tokenizer_encode(const CutdTokenizer* tokenizer, const uint8_t* text, size_t size, bool add_special_tokens,
                          CutdBuffer* out);

// Many texts on all cores; `out` holds `count` lengths, then the ids of all texts in order.
typedef struct CutdSlice {
  const uint8_t* data;
  size_t size;
} CutdSlice;
int cutd_tokenizer_encode_batch(const CutdTokenizer* tokenizer, const CutdSlice* texts, size_t count,
                                bool add_special_tokens, CutdBuffer* out);

int cutd_tokenizer_decode(const CutdTokenizer* tokenizer, const int64_t* ids, size_t count, bool skip_special_tokens,
                          CutdBuffer* out);
// The token of an id and the id of a token; CUTD_NATIVE_NOT_FOUND for those the vocabulary lacks.
int cutd_tokenizer_token(const CutdTokenizer* tokenizer, int64_t id, CutdBuffer* out);
int cutd_tokenizer_id(const CutdTokenizer* tokenizer, const uint8_t* token, size_t size, uint32_t* id, CutdBuffer* out);
size_t cutd_tokenizer_vocabulary_size(const CutdTokenizer* tokenizer);
int cutd_tokenizer_special_ids(const CutdTokenizer* tokenizer, CutdBuffer* out);

// Incremental decoding; keeps what it needs of the tokenizer alive. One thread at a time.
typedef struct CutdDecoder CutdDecoder;
int cutd_decoder_new(const CutdTokenizer* tokenizer, bool skip_special_tokens, CutdDecoder** decoder, CutdBuffer* out);
void cutd_decoder_free(CutdDecoder* decoder);
int cutd_decoder_push(CutdDecoder* decoder, const int64_t* ids, size_t count, CutdBuffer* out);
int cutd_decoder_finish(CutdDecoder* decoder, CutdBuffer* out);

// A Jinja chat template. Rendering is const and may run in several threads at once. `variables`: a JSON object.
// `now`: seconds since the epoch shown by strftime_now, or null for the present.
typedef struct CutdChatTemplate CutdChatTemplate;
int cutd_chat_template_new(const uint8_t* source, size_t size, CutdChatTemplate** chat_template, CutdBuffer* out);
void cutd_chat_template_free(CutdChatTemplate* chat_template);
int cutd_chat_template_render(const CutdChatTemplate* chat_template, const uint8_t* variables, size_t size,
                              const int64_t* now, CutdBuffer* out);

#ifdef __cplusplus
}
#endif
