/**
 * Which mail leaves when, over which connection: relays with their tasks, connectors, routes,
 * hosts, sources, domains.
 *
 * <p>Called by {@code smtpd.mta}, which brings envelopes, answers of lka and content; calls {@code
 * smtpd.mta.session} and, through {@link smtpd.mta.route.Outside}, the rest of the daemon. Runs on
 * the event loop of the mta process, which owns all of this; no file, no socket of its own.
 *
 * <p>A failure of a host, of a source, of the DNS or of a peer process puts mail off, never loses
 * or bounces it: only a clear answer about this very mail or a clear DNS answer is permanent.
 */
package smtpd.mta.route;
