package smtpd.mda.deliver;

import smtpd.sys.Identity;
import smtpd.sys.SysException;
import smtpd.sys.ThreadIdentity;

/** Whose rights this mda can take, and how a thread takes them: exactly those and for good. */
public sealed interface Rights {

    /** Whether this instance can deliver for that uid. */
    boolean covers(int uid);

    /** Prepares a change of credentials: everything that allocates happens here, not after it. */
    Recipient of(Account account);

    /** Applied by a thread made for it. */
    interface Recipient {

        /**
         * For writing a mailbox: the user cannot signal the thread.
         *
         * @throws SysException also when the result is not exactly that; the thread must end
         */
        void becomeWriter() throws SysException;

        /** For a command; null keeps our own. */
        ThreadIdentity command();
    }

    /**
     * mda as root: any account.
     *
     * @param serviceUid real and saved uid of writing threads; an account that runs no commands
     */
    record OfRoot(int serviceUid) implements Rights {
        @Override
        public boolean covers(int uid) {
            return true;
        }

        @Override
        public Recipient of(Account account) {
            // root's own mailbox is written through a descriptor by nobody in particular.
            int uid = account.isRoot() ? serviceUid : account.uid();
            ThreadIdentity identity = new ThreadIdentity(uid, account.gid());
            return new Recipient() {
                @Override
                public void becomeWriter() throws SysException {
                    identity.becomeRecipient(serviceUid);
                }

                @Override
                public ThreadIdentity command() {
                    return identity;
                }
            };
        }
    }

    /** An instance of a plain user: that user alone, nothing to change. */
    record OfUser(int uid) implements Rights {

        public static OfUser own() {
            return new OfUser(Identity.euid());
        }

        @Override
        public boolean covers(int other) {
            return other == uid;
        }

        @Override
        public Recipient of(Account account) {
            return new Recipient() {
                @Override
                public void becomeWriter() {
                    // we are
                }

                @Override
                public ThreadIdentity command() {
                    return null;
                }
            };
        }
    }
}
