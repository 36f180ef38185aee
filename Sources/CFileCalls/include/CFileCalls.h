#ifndef C_FILE_CALLS_H
#define C_FILE_CALLS_H

#include <stdint.h>
#include <sys/types.h>

// Calls of Linux that Swift's Glibc module does not show.

/// `preadv2` into one buffer, with `RWF_NOWAIT`: only what is in memory already. -1 and `EAGAIN` if
/// the first byte is not, `EOPNOTSUPP` if the file system cannot tell.
ssize_t file_calls_pread_nowait(int descriptor, void *buffer, size_t count, int64_t offset);

/// `sync_file_range`: begins to write what is not on the disk yet, and does not wait for it.
int file_calls_begin_writing(int descriptor, int64_t offset, int64_t count);

#endif
