# Runs test programs, one after the other, and sums up: what failed is shown whole, the rest by a line. Those that were not
# chosen by name must have tests.
export CORACLE_SKIPPED=/tmp/skipped TMPDIR=/tmp
# What the pages' sessions run lies beside their test. What they said in another way is shown at the end, to be recorded.
export INSTA_WORKSPACE_ROOT INSTA_UPDATE=new CORACLE_SESSIONS_ARE_BUILT=yes
# Tests are run as other users, too.
: >$CORACLE_SKIPPED && chmod 666 $CORACLE_SKIPPED
failed=0

# Which security module the kernel was told to have.
module=$(sed 's/.*security=//; s/ .*//' /proc/cmdline)

# One of the tests that are for this module.
under() {
    for_module=$1
    shift
    [ "$for_module" != "$module" ] || step "$@"
}

step() {
    name=$1 begin=$(cut -d. -f1 /proc/uptime)
    shift
    timeout -s KILL 600 "$@" --test-threads=2 >/tmp/said 2>&1
    code=$?
    result=$(grep '^test result: ' /tmp/said)
    seconds=$(($(cut -d. -f1 /proc/uptime) - begin))
    echo "$name, $seconds s: ${result:-no result}"
    case $chosen$result in "test result: ok. 0 passed"*) code=1 ;; esac
    if [ $code != 0 ]; then
        failed=1
        cat /tmp/said
        echo "What runs after that:"
        ps -o pid,ppid,stat,args
    fi
}

finish() {
    for recorded in "$INSTA_WORKSPACE_ROOT/$sessions"/*.snap.new; do
        [ ! -e "$recorded" ] || { echo "${recorded##*/}:" && cat "$recorded"; }
    done
    sed 's/^/skipped /' $CORACLE_SKIPPED
    exit $failed
}
