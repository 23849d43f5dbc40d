package smtpd.conf;

/**
 * Where a token begins.
 *
 * @param file name of the file as it was opened
 * @param line from 1
 * @param column from 1, in characters
 */
public record Position(String file, int line, int column) {

    @Override
    public String toString() {
        return file + ":" + line;
    }
}
