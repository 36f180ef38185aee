#ifndef C_ZLIB_H
#define C_ZLIB_H

#include <zlib.h>

// Two of zlib's calls are macros, which Swift does not see. Window bits of 31 mean gzip.

/// `inflateInit2` for gzip.
int czlib_begin_inflating(z_stream *stream);

/// `deflateInit2` for gzip.
int czlib_begin_deflating(z_stream *stream, int level);

#endif
