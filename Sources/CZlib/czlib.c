#include "czlib.h"

int czlib_begin_inflating(z_stream *stream) { return inflateInit2(stream, 31); }

int czlib_begin_deflating(z_stream *stream, int level) {
  return deflateInit2(stream, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
}
