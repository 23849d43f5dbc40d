package smtpd.table;

/**
 * Names a table of the configuration. Lists written in place get a name of their own, {@code <} and
 * 16 hex digits of their content and {@code >}, so that it survives reordering and restart.
 *
 * @param name name as declared; never empty
 */
public record TableRef(String name) {

    public boolean isAnonymous() {
        return name.startsWith("<");
    }
}
