package smtpd.conf;

/** The syntax of host names in the configuration. */
final class HostName {

    private HostName() {}

    /** Labels of letters, digits, hyphen and underscore, 1 to 63 long, 253 together. */
    static boolean isValid(String name) {
        String text = name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
        if (text.isEmpty() || text.length() > 253) {
            return false;
        }
        int label = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '.') {
                if (label == 0 || text.charAt(i - 1) == '-') {
                    return false;
                }
                label = 0;
            } else {
                boolean alphanumeric =
                        (c >= 'a' && c <= 'z')
                                || (c >= 'A' && c <= 'Z')
                                || (c >= '0' && c <= '9')
                                || c == '_'
                                || c > 127;
                if (!alphanumeric && (c != '-' || label == 0)) {
                    return false;
                }
                if (++label > 63) {
                    return false;
                }
            }
        }
        return label > 0 && text.charAt(text.length() - 1) != '-';
    }
}
