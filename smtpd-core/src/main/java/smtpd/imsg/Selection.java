package smtpd.imsg;

import smtpd.envelope.Evpid;
import smtpd.envelope.Msgid;

/** Which envelopes an operator means. */
public sealed interface Selection {

    record All() implements Selection {}

    record OneMessage(Msgid msgid) implements Selection {}

    record OneEnvelope(Evpid evpid) implements Selection {}
}
