package smtpd.mta.route;

/** The clock and the alarms of the loop; tests bring their own. */
public interface Timers {

    /** A set alarm. */
    interface Timer {
        void cancel();
    }

    /** Milliseconds that only grow. */
    long millis();

    Timer after(long millis, Runnable run);
}
