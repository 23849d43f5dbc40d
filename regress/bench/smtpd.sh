# smtpd as a target of a side-by-side benchmark of mail servers: sourced by the harness, which offers
# $BENCH_RUN, $BENCH_DOMAIN, $BENCH_SINK_PORT and the functions port_of and end_pid.
# SMTPD_TREE names the installation tree; without it, the one built beside this file.
# Raised limits: sessions of one source address to 1,000 (200 are wanted); mails a session
# to 100,000; task-hiwat and sessions a user of mda (a benchmark has four users); sessions a host and
# a domain of mta to 50.
SMTPD_TREE=${SMTPD_TREE:-$(dirname "$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")")/etc/target/smtpd}
SM_DIR=$BENCH_RUN/smtpd
: "${BENCH_USERS:=bench1 bench2 bench3 bench4}"
peer_available() { [ -x "$SMTPD_TREE/bin/smtpd" ]; }
peer_scenarios() { echo inbound-discard inbound-maildir relay; }
peer_version() { echo 0.1.0; }
peer_port() { port_of 2550 "$1"; }
peer_setup() {
    mkdir -p "$SM_DIR"
    chmod 755 "$SM_DIR"
    {
        printf '%s\n' "listen on 127.0.0.1 port $(peer_port "$1")" 'resolver 127.0.0.1:9'
        printf '%s\n' 'limit smtp max-session-per-host 1000' 'limit smtp max-mails 100000'
        printf '%s\n' 'limit mda max-session 200' 'limit mda max-session-per-user 50' 'limit mda task-hiwat 1000' 'limit mda task-lowat 500' 'limit mda task-release 500'
        printf '%s\n' 'limit mta max-conn-per-host 50' 'limit mta max-conn-per-route 50' 'limit mta max-conn-per-domain 50'
        printf '%s\n' 'limit mta task-hiwat 1000' 'limit mta task-lowat 500' 'limit mta task-release 500'
        case $1 in
        inbound-discard)
            printf 'table discard { '
            for u in $BENCH_USERS; do printf '%s = "/dev/null", ' "$u"; done | sed 's/, $//'
            printf ' }\n'
            echo "accept for domain \"$BENCH_DOMAIN\" alias <discard> deliver to maildir"
            ;;
        inbound-maildir) echo "accept for domain \"$BENCH_DOMAIN\" deliver to maildir" ;;
        relay) echo "accept from local for any relay via smtp://127.0.0.1:$BENCH_SINK_PORT" ;;
        esac
    } >"$SM_DIR/smtpd.conf"
}
peer_start() { exec "$SMTPD_TREE/bin/smtpd" -d -f "$SM_DIR/smtpd.conf" -r "$SM_DIR" >"$SM_DIR/out.log" 2>&1; }
peer_stop() { end_pid "$BENCH_MAIN_PID"; }
peer_queue_dirs() { echo "$SM_DIR/spool/queue"; }
peer_queue_unit() { echo dir; }
peer_queue_clean() { rm -rf "$SM_DIR"/spool/queue/* "$SM_DIR"/spool/incoming/* "$SM_DIR"/spool/temporary/*; }
peer_queue_list() { "$SMTPD_TREE/bin/smtpctl" -r "$SM_DIR" show queue; }
