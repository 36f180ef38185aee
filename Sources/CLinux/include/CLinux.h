#ifndef C_LINUX_H
#define C_LINUX_H

// `mallopt` and its parameters.
#include <malloc.h>
#include <stdint.h>
// `pidfd_open`, `pidfd_send_signal`.
#include <sys/pidfd.h>
#include <sys/types.h>

// Calls of Linux that Swift's Glibc module does not show.

/// `preadv2` into one buffer, with `RWF_NOWAIT`: only what is in memory already. -1 and `EAGAIN` if
/// the first byte is not, `EOPNOTSUPP` if the file system cannot tell.
ssize_t linux_pread_nowait(int descriptor, void *buffer, size_t count, int64_t offset);

/// `sync_file_range`: begins to write what is not on the disk yet, and does not wait for it.
int linux_begin_writing(int descriptor, int64_t offset, int64_t count);

#endif
