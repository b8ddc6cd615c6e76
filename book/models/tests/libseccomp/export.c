/* Filters as libseccomp compiles them: reads their rules from standard input, a word-separated line each, and writes each
 * program to standard output as a count and the kernel's structs. What libseccomp refuses, or is not done with in a second
 * (some overlapping comparisons keep it busy for hours), has the count 0.
 *
 *   filter DEFAULT_ACTION          arch NAME          rule ACTION NAME COUNT [INDEX OPERATOR A B]...          end
 */
#define _GNU_SOURCE
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct rule {
    char name[64];
    uint32_t action;
    unsigned count;
    struct scmp_arg_cmp arguments[6];
};

struct filter {
    uint32_t action;
    unsigned arch_count, rule_count;
    char archs[8][16];
    struct rule rules[256];
};

static struct filter filter;

static void read_rule(struct rule *rule) {
    if (scanf("%x %63s %u", &rule->action, rule->name, &rule->count) != 3 || rule->count > 6) exit(2);
    for (unsigned at = 0; at < rule->count; at++) {
        unsigned index, operator;
        unsigned long long a, b;
        if (scanf("%u %u %llx %llx", &index, &operator, &a, &b) != 4) exit(2);
        rule->arguments[at] = (struct scmp_arg_cmp){index, operator, a, b};
    }
}

/* Writes the program to the file; whatever is refused ends this process, which is a child for that purpose. */
static void compile(int file) {
    scmp_filter_ctx context = seccomp_init(filter.action);
    seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    seccomp_arch_remove(context, SCMP_ARCH_NATIVE);
    for (unsigned at = 0; at < filter.arch_count; at++)
        if (seccomp_arch_add(context, seccomp_arch_resolve_name(filter.archs[at])) != 0) exit(4);
    for (unsigned at = 0; at < filter.rule_count; at++) {
        struct rule *rule = &filter.rules[at];
        int number = seccomp_syscall_resolve_name(rule->name);
        if (number == __NR_SCMP_ERROR) exit(5);
        if (seccomp_rule_add_array(context, rule->action, number, rule->count, rule->arguments) != 0) exit(6);
    }
    exit(seccomp_export_bpf(context, file) != 0);
}

static void export(void) {
    int status, file = memfd_create("filter", 0);
    pid_t child = fork();
    if (child == 0) {
        alarm(1);
        compile(file);
    }
    waitpid(child, &status, 0);
    uint32_t size = status == 0 ? lseek(file, 0, SEEK_END) : 0, count = size / 8;
    char *bytes = malloc(size + 1);
    if (pread(file, bytes, size, 0) != (ssize_t)size) exit(3);
    fwrite(&count, sizeof count, 1, stdout);
    fwrite(bytes, size, 1, stdout);
    fflush(stdout);
    free(bytes);
    close(file);
}

int main(void) {
    char word[16];
    while (scanf("%15s", word) == 1) {
        if (!strcmp(word, "filter")) {
            filter.arch_count = filter.rule_count = 0;
            if (scanf("%x", &filter.action) != 1) exit(2);
        } else if (!strcmp(word, "arch") && filter.arch_count < 8) {
            if (scanf("%15s", filter.archs[filter.arch_count++]) != 1) exit(2);
        } else if (!strcmp(word, "rule") && filter.rule_count < 256) {
            read_rule(&filter.rules[filter.rule_count++]);
        } else if (!strcmp(word, "end")) {
            export();
        } else {
            exit(2);
        }
    }
    return 0;
}
