// SPDX-License-Identifier: Apache-2.0
// Lets Debian's User Mode Linux run on processors whose register state is larger than it knows (AMX).
//
// It keeps 2,696 octets of a guest process' vector registers, and Linux refuses to set registers from less than the whole
// state (EFAULT): a guest then dies at its first process. This library stands before ptrace(2), by LD_PRELOAD, and
// completes such a request from the process' own state. The registers that are left out (tiles) belong to nobody: a
// process would have to ask for them first, and the guest's kernel does not know how.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#define XSTATE_BV 512                       // offset of the word that says which parts are in use
#define KNOWN (~(UINT64_C(3) << 17))        // all but the tiles

static long (*original)(int, ...);
static unsigned char whole[1 << 16];        // not on the stack: the guest's kernel has little of it, and one thread

__attribute__((constructor)) static void find(void) { original = (long (*)(int, ...))dlsym(RTLD_NEXT, "ptrace"); }

long ptrace(enum __ptrace_request request, ...)
{
    va_list words;
    va_start(words, request);
    pid_t pid = va_arg(words, pid_t);
    void *address = va_arg(words, void *);
    void *data = va_arg(words, void *);
    va_end(words);

    long result = original(request, pid, address, data);
    if (result != -1 || errno != EFAULT || request != PTRACE_SETREGSET || (uintptr_t)address != NT_X86_XSTATE)
        return result;
    const struct iovec *part = data;
    struct iovec all = {whole, sizeof whole};
    if (original(PTRACE_GETREGSET, pid, address, &all) == -1)
        return -1;
    if (part->iov_len >= all.iov_len || part->iov_len < XSTATE_BV + 8) {
        errno = EFAULT;
        return -1;
    }
    memcpy(whole, part->iov_base, part->iov_len);
    uint64_t used;
    memcpy(&used, whole + XSTATE_BV, sizeof used);
    used &= KNOWN;
    memcpy(whole + XSTATE_BV, &used, sizeof used);
    return original(PTRACE_SETREGSET, pid, address, &all);
}
