#define _GNU_SOURCE
/* Asks the kernel 480 system calls with arguments that none of them accepts, and for a socket of each family, of a type that there
 * is not (EINVAL: no filter minded the family), and prints how each answered.
 * Every call is made by a child of its own, so that those that end, block or fork disturb nobody. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <sys/syscall.h>

#define CALLS 480
#define FAMILIES 48

static void ask(const char *name, long number, long first) {
    int answer[2];
    if (pipe(answer) != 0)
        _exit(1);
    pid_t child = syscall(SYS_fork);
    if (child == 0) {
        alarm(1);
        errno = 0;
        long result = syscall(number, first, -1L, -1L, -1L, -1L, -1L);
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
        printf("%s %s\n", name, code ? strerrorname_np(code) : "ok");
    else if (WIFSIGNALED(status))
        printf("%s signal %d\n", name, WTERMSIG(status));
    else
        printf("%s ended\n", name);
    fflush(stdout);
}

int main(void) {
    char name[32];
    for (long number = 0; number < CALLS; number++) {
        snprintf(name, sizeof name, "%ld", number);
        if (number != SYS_rt_sigreturn && number != SYS_vfork)
            ask(name, number, -1L);
    }
    for (long family = 0; family < FAMILIES; family++) {
        snprintf(name, sizeof name, "socket of family %ld", family);
        ask(name, SYS_socket, family);
    }
    return 0;
}
