// The C ABI of the Rust text library (src/native/src). Only core/ and text/ include this header.
//
// Conventions: strings are UTF-8 with explicit sizes; an entry that returns `int` gives
// CUTD_NATIVE_OK and its result, or another code and the error's text, in the same `out` buffer,
// which the caller frees with cutd_buffer_free in both cases. No entry lets a panic escape.
// Handles are used by one thread at a time unless an entry says otherwise.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { CUTD_NATIVE_OK = 0, CUTD_NATIVE_FAILED = 1, CUTD_NATIVE_PANICKED = 2 };

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

// One YAML document as JSON text; duplicate keys are an error.
int cutd_yaml_to_json(const uint8_t* data, size_t size, CutdBuffer* out);

#ifdef __cplusplus
}
#endif
