/**
 * The mta process: takes envelopes from the queue, sends them to other hosts, tells the queue what
 * became of each.
 *
 * <p>Called by the queue (hand-overs, acknowledgements), lka (answers) and control; calls those
 * three. Runs unprivileged with outgoing sockets; content comes inside a frame or as a descriptor,
 * no file is ever opened here. {@code smtpd.mta.route} decides where and when, {@code
 * smtpd.mta.session} speaks SMTP.
 *
 * <p>Whatever dies, a result is kept until the queue has stored it; the death of this process
 * itself makes its mails pending again in the scheduler, with no try counted.
 */
package smtpd.mta;
