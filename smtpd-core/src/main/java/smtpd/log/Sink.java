package smtpd.log;

/** Where finished lines go; called by the one writer thread of a {@link HandOff}. */
interface Sink extends AutoCloseable {

    /**
     * Takes one line of printable ASCII.
     *
     * @param severity as syslog(3): 2 critical, 3 error, 6 information, 7 debug
     * @param millis when it was said, since the epoch
     */
    void put(int severity, long millis, String text);

    /** After the last line of a batch. */
    void flush();

    @Override
    void close();
}
