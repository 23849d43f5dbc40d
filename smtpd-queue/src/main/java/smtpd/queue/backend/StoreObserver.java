package smtpd.queue.backend;

/** Looks on while {@link ObservedBackend} passes operations to a store. Called on any thread. */
public interface StoreObserver {

    /** What a store can be asked, by the names of the profile. */
    enum Operation {
        OPEN("message.open", "newContent"),
        CREATE("message.create", "commit"),
        ADD("message.commit", "commit"),
        CONTENT("message.content", "content"),
        CORRUPT("message.corrupt", "quarantine"),
        RESTORE("message.restore", "restore"),
        STATE("message.state", "state"),
        MATERIALISE("message.materialise", "materialise"),
        UPDATE("envelope.update", "update"),
        DELETE("envelope.delete", "delete"),
        LOAD("envelope.load", "load"),
        DISCOVER("envelope.discover", "discover"),
        WALK("envelope.walk", "walk"),
        SETTLE("settle", "settle");

        private final String title;
        private final String method;

        Operation(String title, String method) {
            this.title = title;
            this.method = method;
        }

        /** As the profile calls it. */
        public String title() {
            return title;
        }

        /** The method of {@link QueueBackend}. */
        public String method() {
            return method;
        }
    }

    /** Hears how an operation ended. */
    interface Ending {

        /**
         * @param answer what the store answered, null when it broke
         * @param broken a programming error, else null
         */
        void ended(Object answer, Throwable broken);
    }

    /**
     * An operation begins. What its argument says may be gone when it ends.
     *
     * @param subject the argument
     * @return null when nobody looks at the moment
     */
    Ending begun(Operation operation, Object subject);
}
