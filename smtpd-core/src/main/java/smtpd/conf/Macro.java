package smtpd.conf;

/**
 * A macro of the command line ({@code -D name=value}), which wins over one of the file.
 *
 * @param value may hold several tokens
 */
public record Macro(String name, String value) {

    /**
     * Splits at the last {@code =}, as the original did.
     *
     * @return absent when there is none
     */
    public static java.util.Optional<Macro> split(String argument) {
        int equals = argument.lastIndexOf('=');
        return equals < 0
                ? java.util.Optional.empty()
                : java.util.Optional.of(
                        new Macro(argument.substring(0, equals), argument.substring(equals + 1)));
    }
}
