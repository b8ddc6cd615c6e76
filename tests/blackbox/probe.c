#define _GNU_SOURCE
/* Asks the kernel 460 system calls with arguments that none of them accepts, and prints how each answered.
 * Every call is made by a child of its own, so that those that end, block or fork disturb nobody. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <sys/syscall.h>

#define CALLS 460

static void ask(long number) {
    int answer[2];
    if (pipe(answer) != 0)
        _exit(1);
    pid_t child = syscall(SYS_fork);
    if (child == 0) {
        alarm(1);
        errno = 0;
        long result = syscall(number, -1L, -1L, -1L, -1L, -1L, -1L);
        int code = result < 0 && result >= -4095 ? errno : 0;
        (void)!write(answer[1], &code, sizeof code);
        _exit(0);
    }
    close(answer[1]);
    int code = 0, status = 0;
    ssize_t told = read(answer[0], &code, sizeof code);
    close(answer[0]);
    waitpid(child, &status, 0);
    if (told == sizeof code)
        printf("%ld %s\n", number, code ? strerrorname_np(code) : "ok");
    else if (WIFSIGNALED(status))
        printf("%ld signal %d\n", number, WTERMSIG(status));
    else
        printf("%ld ended\n", number);
    fflush(stdout);
}

int main(void) {
    for (long number = 0; number < CALLS; number++)
        if (number != SYS_rt_sigreturn && number != SYS_vfork)
            ask(number);
    return 0;
}
