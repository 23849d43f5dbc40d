package smtpd.envelope;

import smtpd.mail.MailAddress;

/**
 * How a local delivery is to be made. All texts may be empty.
 *
 * @param method null in version 3, which names only the action
 * @param buffer path, command or LMTP target
 * @param isRaw the specifiers in {@code buffer} are still to be expanded, once, at delivery; else
 *     it is used byte for byte (an address in it may contain <code>%{</code>)
 * @param user login; may be virtual
 * @param usertable table the login was found in
 * @param deliveryUser other login to run as
 * @param exec command from an alias or a forward file
 * @param subaddress part of the local part after the delimiter
 * @param rcptTo the recipient that LMTP names instead of the user; null = none
 */
public record MdaFields(
        MdaMethod method,
        String buffer,
        boolean isRaw,
        String user,
        String usertable,
        String deliveryUser,
        String exec,
        String subaddress,
        MailAddress rcptTo) {

    public static final MdaFields NONE = new MdaFields(null, "", false, "", "", "", "", "", null);

    public MdaFields {
        buffer = Values.text("mda-buffer", buffer, 1023);
        user = Values.text("mda-user", user, 255);
        usertable = Values.text("mda-usertable", usertable, 1023);
        deliveryUser = Values.text("mda-delivery-user", deliveryUser, 31);
        exec = Values.text("mda-exec", exec, 2047);
        subaddress = Values.text("mda-subaddress", subaddress, 255);
        if (rcptTo != null) {
            Values.address("mda-rcpt-to", rcptTo);
        }
    }
}
